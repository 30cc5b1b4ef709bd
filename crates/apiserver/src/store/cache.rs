//! Typed objects that are in use or were used recently.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Weak},
};

use resources::DynObject;

use super::{key::Key, stored::Stored};

/// Keeps recently used objects typed, and finds those that somebody else still holds.
pub(crate) struct Cache {
    objects_max: usize,
    bytes_max: usize,
    /// The JSON length of all strongly held objects, as it was when each was inserted.
    bytes: usize,
    objects: HashMap<Key, Held>,
    /// The order in which objects are looked at when one has to go (second chance).
    hand: VecDeque<Key>,
    /// What had to go. Letting the typed forms go, which are large, is for whoever has given the lock back.
    evicted: Vec<Arc<Stored>>,
    weak: usize,
    /// Entries that nobody holds any more are dropped when there are so many.
    sweep_at: usize,
}

enum Held {
    Strong { stored: Arc<Stored>, used: bool, bytes: usize },
    Weak { version: u64, object: Weak<dyn DynObject>, bytes: usize },
}

impl Cache {
    pub(crate) fn new(objects_max: usize, bytes_max: usize) -> Self {
        let (objects, hand, evicted) = (HashMap::new(), VecDeque::new(), Vec::new());
        Self { objects_max, bytes_max, bytes: 0, objects, hand, evicted, weak: 0, sweep_at: objects_max }
    }

    /// The object, if it is in memory.
    pub(crate) fn get(&mut self, key: &Key) -> Option<Arc<Stored>> {
        let revived = match self.objects.get_mut(key)? {
            Held::Strong { stored, used, .. } => {
                *used = true;
                return Some(Arc::clone(stored));
            }
            Held::Weak { version, object, bytes } => {
                object.upgrade().map(|object| (*version, object, *bytes))
            }
        };
        let Some((version, object, bytes)) = revived else {
            self.remove(key);
            return None;
        };
        let stored = Arc::new(Stored::hot(version, object, bytes));
        self.insert(key, Arc::clone(&stored));
        Some(stored)
    }

    /// Whether this state of an object is strongly held.
    pub(crate) fn keeps(&self, key: &Key, stored: &Arc<Stored>) -> bool {
        matches!(self.objects.get(key), Some(Held::Strong { stored: kept, .. }) if Arc::ptr_eq(kept, stored))
    }

    /// Keeps an object in place of its older version.
    pub(crate) fn insert(&mut self, key: &Key, stored: Arc<Stored>) {
        let bytes = stored.cost();
        self.bytes += bytes;
        let old = self.objects.insert(key.clone(), Held::Strong { stored, used: false, bytes });
        let is_in_hand = matches!(old, Some(Held::Strong { .. }));
        self.uncount(old);
        if !is_in_hand {
            self.hand.push_back(key.clone());
        }
        while self.hand.len() > self.objects_max || self.bytes > self.bytes_max {
            self.evict();
        }
    }

    /// What had to go since this was asked last: to be cooled, outside of the lock.
    pub(crate) fn take_evicted(&mut self) -> Vec<Arc<Stored>> {
        std::mem::take(&mut self.evicted)
    }

    fn uncount(&mut self, held: Option<Held>) {
        match held {
            Some(Held::Strong { bytes, .. }) => self.bytes -= bytes,
            Some(Held::Weak { .. }) => self.weak -= 1,
            None => {}
        }
    }

    /// Forgets an object.
    pub(crate) fn remove(&mut self, key: &Key) {
        let held = self.objects.remove(key);
        self.uncount(held);
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
                let (version, bytes) = (stored.version, stored.cost());
                let held = stored.holder().map(|object| Held::Weak { version, object, bytes });
                // The recent changes may have it, too, and have left it typed for this cache.
                self.evicted.push(Arc::clone(stored));
                let old = match held {
                    Some(weak) => {
                        self.weak += 1;
                        self.objects.insert(key, weak)
                    }
                    None => self.objects.remove(&key),
                };
                self.uncount(old);
                self.sweep();
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
