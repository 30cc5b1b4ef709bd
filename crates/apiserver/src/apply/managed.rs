//! Who manages what: `metadata.managedFields`.

use std::cmp::Ordering;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry};
use resources::{Kind, meta::Time};

use super::{
    field_set::FieldSet,
    fields_v1::{self, NotFields},
};

/// How many managers that updated an object are told apart; those who did so longest ago become one (upstream:
/// apimachinery, managedfields, `maxUpdateManagers`).
pub(super) const UPDATERS_MAX: usize = 10;
/// What that one is called.
const ANCIENT: &str = "ancient-changes";
const FIELDS_TYPE: &str = "FieldsV1";

/// How a manager came by its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    /// It said how they should be, all of them, each time.
    Apply,
    /// It changed them.
    Update,
}

/// Somebody who manages fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manager {
    pub(crate) name: String,
    pub(crate) operation: Operation,
    pub(crate) api_version: String,
    /// Empty for the object itself.
    pub(crate) subresource: String,
}

impl Manager {
    /// Whether both are one: with another operation or subresource it is somebody else, and who updates is so with
    /// another version too (upstream: apimachinery, managedfields, `BuildManagerIdentifier`).
    pub(super) fn is(&self, other: &Self) -> bool {
        let of_one_version = self.operation == Operation::Apply || self.api_version == other.api_version;
        (&self.name, self.operation, &self.subresource) == (&other.name, other.operation, &other.subresource)
            && of_one_version
    }

    /// Fields of an object of `kind` by the names that they have in the form that the manager writes.
    pub(super) fn name_fields(&self, kind: &Kind, fields: &mut FieldSet) {
        for (here, theirs) in kind.names_in(&self.api_version) {
            fields.rename(here, theirs);
        }
    }
}

/// A manager's fields.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) manager: Manager,
    /// Of the last change.
    pub(super) time: Option<Time>,
    pub(super) fields: FieldSet,
}

/// The managers of an object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Managed {
    pub(super) entries: Vec<Entry>,
}

impl Managed {
    /// Reads `managedFields`. The error names the field that is wrong.
    pub(crate) fn read(entries: &[ManagedFieldsEntry]) -> Result<Self, NotFields> {
        let entry = |entry: &ManagedFieldsEntry| {
            let operation = match entry.operation.as_deref() {
                Some("Apply") => Operation::Apply,
                _ => Operation::Update,
            };
            let fields = entry.fields_v1.as_ref();
            Ok(Entry {
                manager: Manager {
                    name: entry.manager.clone().unwrap_or_default(),
                    operation,
                    api_version: entry.api_version.clone().unwrap_or_default(),
                    subresource: entry.subresource.clone().unwrap_or_default(),
                },
                time: entry.time.clone(),
                fields: fields.map(|fields| fields_v1::read(&fields.0)).transpose()?.unwrap_or_default(),
            })
        };
        Ok(Self { entries: entries.iter().map(entry).collect::<Result<_, _>>()? })
    }

    /// Writes `managedFields`; `None` when nobody manages anything.
    pub(crate) fn write(mut self) -> Option<Vec<ManagedFieldsEntry>> {
        self.entries.sort_by(order);
        let entry = |entry: Entry| ManagedFieldsEntry {
            api_version: Some(entry.manager.api_version),
            fields_type: Some(FIELDS_TYPE.to_owned()),
            fields_v1: Some(FieldsV1(fields_v1::write(&entry.fields))),
            manager: Some(entry.manager.name),
            operation: Some(format!("{:?}", entry.manager.operation)),
            subresource: Some(entry.manager.subresource).filter(|name| !name.is_empty()),
            time: entry.time,
        };
        (!self.entries.is_empty()).then(|| self.entries.into_iter().map(entry).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many managers there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Calls all fields as they are called in `kind`, also those of managers that write another form of it.
    pub(super) fn in_names_of(&mut self, kind: &Kind) {
        for Entry { manager, fields, .. } in &mut self.entries {
            for (here, theirs) in kind.names_in(&manager.api_version) {
                fields.rename(theirs, here);
            }
        }
    }

    /// Calls the fields of each manager as it does itself again, after [`Managed::in_names_of`].
    pub(super) fn in_own_names(&mut self, kind: &Kind) {
        for Entry { manager, fields, .. } in &mut self.entries {
            manager.name_fields(kind, fields);
        }
    }

    /// Takes out what a manager has; where that is several entries, for each version that it applied, as one.
    pub(super) fn take(&mut self, manager: &Manager) -> Option<Entry> {
        let mut taken: Option<Entry> = None;
        for entry in self.entries.extract_if(.., |entry| entry.manager.is(manager)) {
            match &mut taken {
                Some(taken) => taken.fields.add(&entry.fields),
                None => taken = Some(entry),
            }
        }
        taken
    }

    /// The entry of a manager, made if there is none.
    pub(super) fn entry_or_new(&mut self, manager: &Manager) -> &mut Entry {
        let at = self.entries.iter().position(|entry| entry.manager.is(manager)).unwrap_or_else(|| {
            let fields = FieldSet::default();
            self.entries.push(Entry { manager: manager.clone(), time: None, fields });
            self.entries.len() - 1
        });
        &mut self.entries[at]
    }

    /// Makes one of those who updated longest ago, while there are too many; forgets who manages nothing.
    pub(super) fn tidy(&mut self) {
        self.entries.retain(|entry| !entry.fields.is_empty());
        self.entries.sort_by(order);
        loop {
            let updaters = || {
                self.entries
                    .iter()
                    .enumerate()
                    .filter(|(_, entry)| entry.manager.operation == Operation::Update)
            };
            if updaters().count() <= UPDATERS_MAX {
                return;
            }
            let Some((first, entry)) = updaters().next() else { return };
            let api_version = &entry.manager.api_version;
            let second = updaters().skip(1).find(|(_, entry)| entry.manager.api_version == *api_version);
            let Some((second, _)) = second else { return };
            let newer = self.entries.remove(second);
            let ancient = &mut self.entries[first];
            ancient.fields.add(&newer.fields);
            ancient.time = newer.time;
            ancient.manager.name = ANCIENT.to_owned();
            ancient.manager.subresource.clear();
        }
    }
}

/// Upstream: apimachinery, managedfields, `sortEncodedManagedFields`.
fn order(one: &Entry, other: &Entry) -> Ordering {
    let seconds = |entry: &Entry| entry.time.as_ref().map_or(0, |time| time.0.as_second());
    let key = |entry: &Entry| {
        let Manager { name, operation, api_version, subresource } = entry.manager.clone();
        (operation, seconds(entry), name, api_version, subresource)
    };
    key(one).cmp(&key(other))
}
