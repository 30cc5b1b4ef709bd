//! Typed objects that are in use or were lately.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Weak},
};

use resources::DynObject;

use super::{key::Key, stored::Stored};

/// Keeps the last used objects typed, and finds again what somebody else still holds.
pub(crate) struct Cache {
    objects_max: usize,
    objects: HashMap<Key, Held>,
    /// The order in which objects are looked at when one has to go (second chance).
    hand: VecDeque<Key>,
    weak: usize,
    /// Entries that nobody holds any more are dropped when there are so many.
    sweep_at: usize,
}

enum Held {
    Strong { stored: Arc<Stored>, used: bool },
    Weak { version: u64, object: Weak<dyn DynObject> },
}

impl Cache {
    pub(crate) fn new(objects_max: usize) -> Self {
        Self { objects_max, objects: HashMap::new(), hand: VecDeque::new(), weak: 0, sweep_at: objects_max }
    }

    /// The object, if it is in memory.
    pub(crate) fn get(&mut self, key: &Key) -> Option<Arc<Stored>> {
        let revived = match self.objects.get_mut(key)? {
            Held::Strong { stored, used } => {
                *used = true;
                return Some(Arc::clone(stored));
            }
            Held::Weak { version, object } => object.upgrade().map(|object| (*version, object)),
        };
        let Some((version, object)) = revived else {
            self.remove(key);
            return None;
        };
        let stored = Arc::new(Stored::hot(version, object, super::stored::SIZE_HINT));
        self.insert(key, Arc::clone(&stored));
        Some(stored)
    }

    /// Whether it is this state of an object that is kept typed.
    pub(crate) fn keeps(&self, key: &Key, stored: &Arc<Stored>) -> bool {
        matches!(self.objects.get(key), Some(Held::Strong { stored: kept, .. }) if Arc::ptr_eq(kept, stored))
    }

    /// Keeps an object in place of its older version.
    pub(crate) fn insert(&mut self, key: &Key, stored: Arc<Stored>) {
        match self.objects.insert(key.clone(), Held::Strong { stored, used: false }) {
            Some(Held::Strong { .. }) => return,
            Some(Held::Weak { .. }) => self.weak -= 1,
            None => {}
        }
        self.hand.push_back(key.clone());
        while self.hand.len() > self.objects_max {
            self.evict();
        }
    }

    /// Forgets an object.
    pub(crate) fn remove(&mut self, key: &Key) {
        if let Some(Held::Weak { .. }) = self.objects.remove(key) {
            self.weak -= 1;
        }
        // Its place in `hand` is skipped when it comes up.
    }

    fn evict(&mut self) {
        let Some(key) = self.hand.pop_front() else { return };
        match self.objects.get_mut(&key) {
            Some(Held::Strong { used, .. }) if *used => {
                *used = false;
                self.hand.push_back(key);
            }
            Some(Held::Strong { stored, .. }) => {
                let held = stored.holder().map(|object| Held::Weak { version: stored.version, object });
                // The recent changes may have it, too, and have left it typed for this cache.
                stored.cool_if_encoded();
                match held {
                    Some(weak) => {
                        self.objects.insert(key, weak);
                        self.weak += 1;
                        self.sweep();
                    }
                    None => {
                        self.objects.remove(&key);
                    }
                }
            }
            Some(Held::Weak { .. }) | None => {}
        }
    }

    fn sweep(&mut self) {
        if self.weak < self.sweep_at {
            return;
        }
        let weak = &mut self.weak;
        self.objects.retain(|_, held| match held {
            Held::Weak { object, .. } if object.strong_count() == 0 => {
                *weak -= 1;
                false
            }
            _ => true,
        });
        self.sweep_at = (self.weak * 2).max(self.objects_max);
    }
}

#[cfg(test)]
mod tests;
