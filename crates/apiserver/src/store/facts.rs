//! What is kept in memory of every object, so that selecting does not read it.

use resources::{DynObject, Kind, meta::ObjectMeta};
use serde::Deserialize;
use smallvec::SmallVec;

use super::{
    pairs::{Interner, Pairs},
    uid::Uid,
};
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

impl Facts {
    pub(crate) fn of(object: &dyn DynObject, names: &mut Interner) -> Self {
        Self::with(object, &[], names)
    }

    /// As [`Facts::of`]; `fields` are those that are noted of a kind that users define.
    pub(crate) fn with(object: &dyn DynObject, fields: &[Box<str>], names: &mut Interner) -> Self {
        let fields = selector::fields::of(object, fields);
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
        // The fields of what users define are noted when somebody selects by them.
        if !kind.is_defined() && !selector::fields::names(kind).is_empty() {
            return Ok(Self::of(&*kind.decode(json)?, names));
        }
        let glance: Glance = serde_json::from_slice(json)
            .map_err(|error| resources::DecodeError { message: error.to_string() })?;
        Ok(Self::new(&glance.metadata, Vec::new(), names))
    }

    fn new(metadata: &ObjectMeta, fields: Vec<(&str, String)>, names: &mut Interner) -> Self {
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
