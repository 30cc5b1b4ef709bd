//! What is kept in memory of every object, so that selecting does not read it.

use std::collections::BTreeMap;

use resources::{DynObject, Kind};
use serde::{Deserialize, de::IgnoredAny};
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
    /// `fields`: those that are noted of a kind that users define.
    pub(crate) fn with(object: &dyn DynObject, fields: &[Box<str>], names: &mut Interner) -> Self {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        let metadata = object.metadata();
        let owners = metadata.owner_references.iter().flatten().map(|owner| Uid::of(&owner.uid)).collect();
        let fields = selector::fields::of(object, fields);
        let labels = metadata.labels.as_ref().unwrap_or(&NONE);
        Self::new(labels, &fields, owners, metadata.deletion_timestamp.is_some(), names)
    }

    /// The facts that a glance has shown.
    pub(super) fn seen(glance: &Glance, names: &mut Interner) -> Self {
        let Glance { labels, fields, owners, deleting } = glance;
        Self::new(labels, fields, owners.clone(), *deleting, names)
    }

    fn new(
        labels: &BTreeMap<String, String>,
        fields: &[(&str, String)],
        owners: SmallVec<[Uid; 1]>,
        deleting: bool,
        names: &mut Interner,
    ) -> Self {
        let labels = names.pairs(labels.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        let fields = names.pairs(fields.iter().map(|(key, value)| (*key, value.as_str())));
        Self { labels, fields, owners, deleting }
    }
}

/// What is read of an object's JSON to know its facts, before what it has in common with others is looked up.
pub(super) struct Glance {
    labels: BTreeMap<String, String>,
    fields: Vec<(&'static str, String)>,
    owners: SmallVec<[Uid; 1]>,
    deleting: bool,
}

impl Glance {
    /// Skips all of the JSON that facts are not made of, where the kind allows.
    pub(super) fn read(kind: &'static Kind, json: &[u8]) -> Result<Self, resources::DecodeError> {
        #[derive(Deserialize)]
        struct Seen {
            metadata: Metadata,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Metadata {
            labels: Option<BTreeMap<String, String>>,
            owner_references: Option<Vec<Owner>>,
            deletion_timestamp: Option<IgnoredAny>,
        }
        #[derive(Deserialize)]
        struct Owner {
            #[serde(default)]
            uid: String,
        }
        let seen: Seen = serde_json::from_slice(json)
            .map_err(|error| resources::DecodeError { message: error.to_string() })?;
        let Metadata { labels, owner_references, deletion_timestamp } = seen.metadata;
        // The fields of what users define are noted when somebody selects by them.
        let has_fields = !kind.is_defined() && !selector::fields::names(kind).is_empty();
        let fields = if has_fields { selector::fields::of(&*kind.decode(json)?, &[]) } else { Vec::new() };
        Ok(Self {
            labels: labels.unwrap_or_default(),
            fields,
            owners: owner_references.iter().flatten().map(|owner| Uid::of(&owner.uid)).collect(),
            deleting: deletion_timestamp.is_some(),
        })
    }
}
