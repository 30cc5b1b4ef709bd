//! Keys whose turn it is.

use std::{collections::VecDeque, sync::Arc};

use crate::backlog::Backlog;

/// Keys in the order of their arrival, each once and each counted among all that wait.
pub(super) struct Ready<K> {
    keys: VecDeque<K>,
    backlog: Arc<Backlog>,
}

impl<K> Ready<K> {
    pub(super) fn new(backlog: Arc<Backlog>) -> Self {
        Self { keys: VecDeque::new(), backlog }
    }

    pub(super) fn push(&mut self, key: K) {
        self.keys.push_back(key);
        self.backlog.grows();
    }

    pub(super) fn pop(&mut self) -> Option<K> {
        let key = self.keys.pop_front()?;
        self.backlog.shrinks(1);
        Some(key)
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

impl<K> Drop for Ready<K> {
    fn drop(&mut self) {
        self.backlog.shrinks(self.keys.len());
    }
}
