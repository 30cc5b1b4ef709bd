//! Objects that were converted last: all who watch a version are told of a change at about the same time.

use std::{
    collections::VecDeque,
    sync::{Arc, Weak},
};

use crate::store::Stored;

/// How many objects of a version are kept converted.
const RECENT_MAX: usize = 8;
/// Their JSON.
const RECENT_BYTES_MAX: usize = 256 << 10;

/// What was converted last, each with what it was made of.
#[derive(Default)]
pub(super) struct Recent {
    all: VecDeque<(Weak<Stored>, Arc<Stored>)>,
    bytes: usize,
}

impl Recent {
    /// What an object was converted to, if that is still here.
    pub(super) fn get(&self, stored: &Arc<Stored>) -> Option<Arc<Stored>> {
        let mut all = self.all.iter();
        let found = all.find(|(of, _)| std::ptr::eq(of.as_ptr(), Arc::as_ptr(stored)));
        found.map(|(_, viewed)| Arc::clone(viewed))
    }

    /// Keeps what an object was converted to, which is there as JSON.
    pub(super) fn keep(&mut self, stored: &Arc<Stored>, viewed: &Arc<Stored>) {
        self.bytes += viewed.cost();
        self.all.push_back((Arc::downgrade(stored), Arc::clone(viewed)));
        while self.all.len() > RECENT_MAX || self.bytes > RECENT_BYTES_MAX {
            let Some((_, oldest)) = self.all.pop_front() else { return };
            self.bytes -= oldest.cost();
        }
    }
}

#[cfg(test)]
mod tests {
    use resources::{Object, builtin::ConfigMap};

    use super::*;

    fn stored(bytes: usize) -> Arc<Stored> {
        Arc::new(Stored::cold(<ConfigMap as Object>::kind(), 1, vec![b' '; bytes].into()))
    }

    #[test]
    fn few_objects_are_kept_and_little_in_all() {
        let mut recent = Recent::default();
        let all: Vec<_> = (0..RECENT_MAX + 2).map(|_| (stored(10), stored(10))).collect();
        for (of, viewed) in &all {
            recent.keep(of, viewed);
        }
        let kept = |recent: &Recent| {
            let kept = all
                .iter()
                .filter(|(of, viewed)| recent.get(of).is_some_and(|found| Arc::ptr_eq(&found, viewed)));
            kept.count()
        };
        assert_eq!((kept(&recent), recent.bytes), (RECENT_MAX, RECENT_MAX * 10));
        assert!(recent.get(&all[1].0).is_none() && recent.get(&all[2].0).is_some(), "the oldest go");
        let large = (stored(10), stored(RECENT_BYTES_MAX));
        recent.keep(&large.0, &large.1);
        assert_eq!((kept(&recent), recent.get(&large.0).is_some()), (0, true));
        recent.keep(&large.1, &stored(RECENT_BYTES_MAX + 1));
        assert_eq!((recent.all.len(), recent.bytes), (0, 0), "what is larger alone is not kept");
    }
}
