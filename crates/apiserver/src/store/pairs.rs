//! Labels and fields in memory: the objects of one service have them in common, so each is there once.

use std::{
    borrow::Borrow,
    collections::{HashMap, HashSet},
    hash::{Hash, Hasher},
    sync::Arc,
};

/// A key and a value that any number of objects share. One word, so that ten thousand objects can name a dozen each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pair(Arc<Text>);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Text {
    key: Arc<str>,
    value: Box<str>,
}

/// The labels or the fields of an object.
pub(crate) type Pairs = Arc<[Pair]>;

impl Pair {
    /// One that nobody shares, to compare others with.
    pub(super) fn new(key: &str, value: &str) -> Self {
        Self(Arc::new(Text { key: key.into(), value: value.into() }))
    }

    pub(crate) fn key(&self) -> &str {
        &self.0.key
    }

    pub(crate) fn value(&self) -> &str {
        &self.0.value
    }
}

/// Looks a key up in pairs.
pub(crate) fn find<'a>(pairs: &'a Pairs, key: &str) -> Option<&'a Pair> {
    pairs.iter().find(|pair| pair.key() == key)
}

/// Looks up the value of a key in pairs.
pub(crate) fn value<'a>(pairs: &'a Pairs, key: &str) -> Option<&'a str> {
    find(pairs, key).map(Pair::value)
}

/// Keeps one copy of each pair that objects have.
pub(crate) struct Interner {
    keys: HashMap<Arc<str>, HashSet<ByValue>>,
    count: usize,
    /// Pairs that no object has any more are dropped when there are so many.
    sweep_at: usize,
    empty: Pairs,
}

/// A pair among others of the same key.
struct ByValue(Pair);

const SWEEP_MIN: usize = 1024;

impl Interner {
    pub(crate) fn new() -> Self {
        Self { keys: HashMap::new(), count: 0, sweep_at: SWEEP_MIN, empty: Arc::new([]) }
    }

    pub(crate) fn pairs<'a>(&mut self, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Pairs {
        let pairs: Vec<_> = pairs.map(|(key, value)| self.pair(key, value)).collect();
        if pairs.is_empty() { Arc::clone(&self.empty) } else { pairs.into() }
    }

    fn pair(&mut self, key: &str, value: &str) -> Pair {
        if let Some(known) = self.keys.get(key).and_then(|values| values.get(value)) {
            return known.0.clone();
        }
        if self.count >= self.sweep_at {
            self.sweep();
        }
        let key = self.keys.get_key_value(key).map_or_else(|| key.into(), |(key, _)| Arc::clone(key));
        let pair = Pair(Arc::new(Text { key: Arc::clone(&key), value: value.into() }));
        self.keys.entry(key).or_default().insert(ByValue(pair.clone()));
        self.count += 1;
        pair
    }

    fn sweep(&mut self) {
        self.keys.retain(|_, values| {
            values.retain(|pair| Arc::strong_count(&pair.0.0) > 1);
            !values.is_empty()
        });
        self.count = self.keys.values().map(HashSet::len).sum();
        self.sweep_at = (self.count * 2).max(SWEEP_MIN);
    }
}

impl Borrow<str> for ByValue {
    fn borrow(&self) -> &str {
        self.0.value()
    }
}

impl PartialEq for ByValue {
    fn eq(&self, other: &Self) -> bool {
        self.0.value() == other.0.value()
    }
}

impl Eq for ByValue {}

impl Hash for ByValue {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.value().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_there_once_and_only_while_it_is_used() {
        let mut names = Interner::new();
        let one = names.pairs([("app", "a"), ("tier", "web")].into_iter());
        let two = names.pairs([("app", "b"), ("tier", "web")].into_iter());
        assert!(Arc::ptr_eq(&one[1].0, &two[1].0));
        assert_eq!((value(&two, "app"), value(&two, "zone")), (Some("b"), None));
        for number in 0..10 * SWEEP_MIN {
            names.pairs([("app", number.to_string().as_str())].into_iter());
            assert!(names.count <= SWEEP_MIN, "{number}");
        }
        assert!(Arc::ptr_eq(&one[0].0, &names.pairs([("app", "a")].into_iter())[0].0));
    }
}
