//! Walking the keys in order.

use std::{collections::VecDeque, sync::Arc};

use super::{shared::Shared, value::Version};

/// Keys taken under one lock.
const PAGE_KEYS: usize = 512;

/// The keys that begin with a prefix, in order, with their versions. Made by `ObjectStore::scan`.
///
/// Not a snapshot: a key changed meanwhile appears as it was or as it is, a key neither created nor deleted
/// meanwhile appears exactly once.
pub struct Scan {
    shared: Arc<Shared>,
    prefix: Box<str>,
    page: VecDeque<(Arc<str>, Version)>,
    /// Where the next page begins.
    after: Option<Arc<str>>,
    is_last_page: bool,
}

impl Scan {
    pub(super) fn new(shared: Arc<Shared>, prefix: &str) -> Self {
        Self { shared, prefix: prefix.into(), page: VecDeque::new(), after: None, is_last_page: false }
    }
}

impl Iterator for Scan {
    type Item = (Arc<str>, Version);

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.is_empty() && !self.is_last_page {
            let page = self.shared.lock().index.page(&self.prefix, self.after.as_deref(), PAGE_KEYS);
            self.is_last_page = page.len() < PAGE_KEYS;
            self.after = page.last().map(|(key, _)| key.clone());
            self.page = page.into();
        }
        self.page.pop_front()
    }
}
