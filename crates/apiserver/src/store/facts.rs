//! What is kept in memory of every object, so that selecting does not read it.

use std::{collections::HashSet, sync::Arc};

use resources::{DynObject, Kind, meta::ObjectMeta};
use serde::Deserialize;
use smallvec::SmallVec;

use super::uid::Uid;
use crate::selector;

/// What selectors and owners ask of an object.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// The labels, in order of their keys.
    pub(crate) labels: Pairs,
    /// The fields that field selectors may name beside name and namespace.
    pub(crate) fields: Pairs,
    /// The objects that own this one; nearly always one.
    pub(crate) owners: SmallVec<[Uid; 1]>,
    /// Whether deletion has been asked for.
    pub(crate) deleting: bool,
}

pub(crate) type Pairs = Arc<[(Arc<str>, Arc<str>)]>;

/// Looks a key up in pairs.
pub(crate) fn value<'a>(pairs: &'a Pairs, key: &str) -> Option<&'a str> {
    pairs.iter().find(|(name, _)| **name == *key).map(|(_, value)| &**value)
}

impl Facts {
    pub(crate) fn of(object: &dyn DynObject, names: &mut Interner) -> Self {
        let fields = selector::fields::of(object);
        Self::new(object.metadata(), fields, names)
    }

    /// Reads the facts from an object's JSON, skipping the rest of it where the kind allows.
    pub(crate) fn read(
        kind: &'static Kind,
        json: &[u8],
        names: &mut Interner,
    ) -> Result<Self, resources::DecodeError> {
        #[derive(Deserialize)]
        struct Glance {
            metadata: ObjectMeta,
        }
        if !selector::fields::names(kind).is_empty() {
            return Ok(Self::of(&*kind.decode(json)?, names));
        }
        let glance: Glance = serde_json::from_slice(json)
            .map_err(|error| resources::DecodeError { message: error.to_string() })?;
        Ok(Self::new(&glance.metadata, Vec::new(), names))
    }

    fn new(metadata: &ObjectMeta, fields: Vec<(&'static str, String)>, names: &mut Interner) -> Self {
        let labels = metadata.labels.iter().flatten().map(|(key, value)| (key.as_str(), value.as_str()));
        let owners = metadata.owner_references.iter().flatten();
        Self {
            labels: names.pairs(labels),
            fields: names.pairs(fields.iter().map(|(key, value)| (*key, value.as_str()))),
            owners: owners.map(|owner| Uid::of(&owner.uid)).collect(),
            deleting: metadata.deletion_timestamp.is_some(),
        }
    }
}

/// Keeps one copy of each text that many objects share.
pub(crate) struct Interner {
    texts: HashSet<Arc<str>>,
    /// Texts that nobody uses any more are dropped when there are so many.
    sweep_at: usize,
    empty: Pairs,
}

const SWEEP_MIN: usize = 1024;

impl Interner {
    pub(crate) fn new() -> Self {
        Self { texts: HashSet::new(), sweep_at: SWEEP_MIN, empty: Arc::new([]) }
    }

    fn pairs<'a>(&mut self, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Pairs {
        let pairs: Vec<_> = pairs.map(|(key, value)| (self.text(key), self.text(value))).collect();
        if pairs.is_empty() { Arc::clone(&self.empty) } else { pairs.into() }
    }

    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        if self.texts.len() >= self.sweep_at {
            self.texts.retain(|text| Arc::strong_count(text) > 1);
            self.sweep_at = (self.texts.len() * 2).max(SWEEP_MIN);
        }
        let new: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&new));
        new
    }
}
