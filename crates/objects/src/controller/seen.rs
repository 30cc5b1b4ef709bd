//! What owners saw last of their children.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

/// By uid, and all by hash, since there may be many.
#[derive(Default)]
pub(super) struct Seen(HashMap<u64, u64>);

impl Seen {
    /// Whether this is not what was seen last.
    pub(super) fn is_news(&mut self, uid: &str, seen: u64) -> bool {
        self.0.insert(hash(uid), seen) != Some(seen)
    }

    /// The child is gone.
    pub(super) fn forget(&mut self, uid: &str) {
        self.0.remove(&hash(uid));
    }
}

fn hash(uid: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    uid.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_look_is_news() {
        let mut seen = Seen::default();
        let news =
            [("a", 1), ("a", 1), ("b", 1), ("a", 2), ("b", 1)].map(|(uid, look)| seen.is_news(uid, look));
        assert_eq!(news, [true, false, true, true, false]);
        seen.forget("a");
        assert_eq!(seen.0.len(), 1);
        assert!(seen.is_news("a", 2));
    }
}
