//! The table of served kinds, kept as the definitions that are stored have it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use objects::Error;
use parking_lot::{Mutex, RwLock};
use resources::{
    Kind, Object,
    custom::{
        self, CustomResourceDefinition, ESTABLISHED, NAMES_ACCEPTED, is_built_in,
        types::CustomResourceDefinitionNames as Names,
    },
    downcast, kinds,
};
use tokio::sync::watch;

use super::{Definition, Served, definition};
use crate::store::Stored;

/// The table of served kinds; every write of a CustomResourceDefinition passes by.
pub(crate) struct Kinds {
    table: RwLock<Arc<Served>>,
    entries: Mutex<Entries>,
    /// Names are given out one definition at a time.
    pub(crate) naming: Mutex<()>,
    /// Told when there may be a definition to take away.
    terminating: watch::Sender<()>,
}

#[derive(Default)]
struct Entries {
    /// By the definitions' names.
    all: BTreeMap<String, Entry>,
    /// The version of the newest write of each definition that was here and is gone.
    gone: HashMap<String, u64>,
}

struct Entry {
    /// Of the write that it is as of, since two may pass by in the wrong order.
    version: u64,
    uid: String,
    generation: Option<i64>,
    group: String,
    given: Names,
    /// Whether the names given are those that are wanted, and it has been said so.
    has_its_names: bool,
    /// None of a definition of what Ebb has itself, so that nothing is done to those objects.
    kinds: Vec<&'static Kind>,
    terminating: bool,
    /// Whether its objects have all been deleted, or marked, on its way out.
    swept: bool,
    definitions: Vec<Arc<Definition>>,
}

/// A definition that is on its way out.
pub(crate) struct Going {
    pub(crate) name: String,
    uid: String,
    /// What its objects are kept under; `None` where they are not its own.
    pub(crate) kind: Option<&'static Kind>,
    /// Whether they have all been deleted, or marked.
    pub(crate) swept: bool,
}

impl Kinds {
    pub(crate) fn new() -> Self {
        let built_in = Served::new(kinds::all().to_vec(), HashMap::new());
        Self {
            table: RwLock::new(Arc::new(built_in)),
            entries: Mutex::default(),
            naming: Mutex::default(),
            terminating: watch::Sender::new(()),
        }
    }

    /// What is served now.
    pub(crate) fn served(&self) -> Arc<Served> {
        Arc::clone(&self.table.read())
    }

    /// What a user says of a kind; `None` for one that Ebb has a type of.
    ///
    /// # Errors
    /// `NotFound` where the kind is served no more.
    pub(crate) fn definition(&self, kind: &'static Kind) -> Result<Option<Arc<Definition>>, Error> {
        if !kind.is_defined() {
            return Ok(None);
        }
        match self.table.read().definition(kind) {
            Some(definition) => Ok(Some(Arc::clone(definition))),
            None => Err(Error::NotFound { kind, name: String::new() }),
        }
    }

    /// Told when there may be a definition to take away.
    pub(crate) fn terminating(&self) -> watch::Receiver<()> {
        self.terminating.subscribe()
    }

    /// The definitions that are on their way out.
    pub(crate) fn going(&self) -> Vec<Going> {
        let entries = self.entries.lock();
        let going = entries.all.iter().filter(|(_, entry)| entry.terminating);
        going
            .map(|(name, entry)| Going {
                name: name.clone(),
                uid: entry.uid.clone(),
                kind: entry.kinds.first().map(|kind| kind.hub()),
                swept: entry.swept,
            })
            .collect()
    }

    /// Notes that every object of a definition has been deleted, or marked: since nothing new comes, that is done once.
    pub(crate) fn swept(&self, going: &Going) {
        let mut entries = self.entries.lock();
        if let Some(entry) = entries.all.get_mut(&going.name).filter(|entry| entry.uid == going.uid) {
            entry.swept = true;
        }
    }

    /// Lets it be looked whether the definition of a kind can go, of which no object is left.
    pub(crate) fn emptied(&self, kind: &'static Kind) {
        let of_kind = |entry: &Entry| entry.kinds.first().is_some_and(|first| first.hub() == kind.hub());
        if self.entries.lock().all.values().any(|entry| entry.terminating && of_kind(entry)) {
            self.terminating.send_replace(());
        }
    }

    /// How many definitions there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.lock().all.len()
    }

    /// The groups of which there are definitions.
    pub(crate) fn groups(&self) -> BTreeSet<String> {
        self.entries.lock().all.values().map(|entry| entry.group.clone()).collect()
    }

    /// The definitions of a group that may still get names, by name.
    pub(crate) fn without_names(&self, group: &str) -> Vec<String> {
        let entries = self.entries.lock();
        let all = entries.all.iter().filter(|(_, entry)| entry.group == group && !entry.has_its_names);
        all.map(|(name, _)| name.clone()).collect()
    }

    /// The names that the definitions of a group have been given, but for one's own.
    pub(crate) fn given(&self, group: &str, own: &str) -> Vec<Names> {
        let entries = self.entries.lock();
        let others = entries.all.iter().filter(|(name, entry)| entry.group == group && *name != own);
        others.map(|(_, entry)| entry.given.clone()).collect()
    }

    /// Takes what was written, if it is a definition.
    ///
    /// # Errors
    /// When its kinds cannot be made.
    pub(crate) fn observe(&self, stored: &Stored) -> Result<(), Error> {
        self.observe_all(std::iter::once(stored))
    }

    /// As [`Kinds::observe`], of many at once: the table is made once.
    ///
    /// # Errors
    /// When the kinds of one cannot be made.
    pub(crate) fn observe_all<'a>(&self, all: impl Iterator<Item = &'a Stored>) -> Result<(), Error> {
        let mut entries = self.entries.lock();
        let (mut some, mut terminating) = (false, false);
        for stored in all {
            let Some(entry) = entries.take(stored)? else { continue };
            some = true;
            terminating |= entry.terminating;
        }
        if some {
            self.publish(&entries);
        }
        if terminating {
            self.terminating.send_replace(());
        }
        Ok(())
    }

    /// Takes away what a definition defined that is gone.
    ///
    /// # Errors
    /// When what is gone cannot be read.
    pub(crate) fn forget(&self, stored: &Stored) -> Result<(), Error> {
        let Some(crd) = as_crd(stored)? else { return Ok(()) };
        let mut entries = self.entries.lock();
        if entries.all.get(crd.name()).is_some_and(|entry| entry.version < stored.version) {
            if let Some(entry) = entries.all.remove(crd.name()) {
                entry.definitions.iter().for_each(|definition| definition.ended.cancel());
            }
            entries.gone.insert(crd.name().to_owned(), stored.version);
            self.publish(&entries);
        }
        Ok(())
    }

    fn publish(&self, entries: &Entries) {
        let definitions = entries.all.values().flat_map(|entry| &entry.definitions);
        let mut defined: Vec<&Arc<Definition>> = definitions.collect();
        // Upstream: versions in the order of how settled they are, `v1` before `v1beta2`.
        defined.sort_by(|one, other| {
            let (one, other) = (one.own.kind, other.own.kind);
            (one.group.cmp(other.group))
                .then_with(|| by_priority(other.version).cmp(&by_priority(one.version)))
        });
        let mut kinds = kinds::all().to_vec();
        kinds.extend(defined.iter().filter(|it| it.served).map(|definition| definition.own.kind));
        let definitions =
            defined.into_iter().map(|definition| (definition.own.kind, Arc::clone(definition))).collect();
        *self.table.write() = Arc::new(Served::new(kinds, definitions));
    }
}

impl Entries {
    /// Takes what was written; `None` where it is no definition, or an older state of one.
    fn take(&mut self, stored: &Stored) -> Result<Option<&Entry>, Error> {
        let Some(crd) = as_crd(stored)? else { return Ok(None) };
        let name = crd.name().to_owned();
        let known = self.all.get(&name).map(|entry| entry.version);
        if known.or(self.gone.get(&name).copied()).is_some_and(|known| known >= stored.version) {
            return Ok(None);
        }
        let old = self.all.remove(&name);
        let entry = Entry::of(&crd, stored.version, old)?;
        Ok(Some(self.all.entry(name).or_insert(entry)))
    }
}

impl Entry {
    fn of(crd: &CustomResourceDefinition, version: u64, old: Option<Self>) -> Result<Self, Error> {
        let metadata = &crd.metadata;
        let uid = metadata.uid.clone().unwrap_or_default();
        let terminating = metadata.deletion_timestamp.is_some();
        let is_built_in = is_built_in(crd);
        let established = custom::is_true(crd, ESTABLISHED) && !is_built_in;
        let given = crd.status.as_ref().and_then(|status| status.accepted_names.clone()).unwrap_or_default();
        let has_its_names = given == crd.spec.names && custom::condition(crd, NAMES_ACCEPTED).is_some();
        let old = old.filter(|old| old.uid == uid);
        let swept = old.as_ref().is_some_and(|old| old.swept);
        let (kinds, definitions) = match old {
            // That its deletion has begun counts as a change, and is none of what it says.
            Some(old)
                if (old.generation == metadata.generation || terminating && !old.terminating)
                    && old.given == given
                    && established != old.definitions.is_empty() =>
            {
                (old.kinds, old.definitions)
            }
            old => {
                let kinds = if is_built_in { Ok(Vec::new()) } else { custom::kinds(crd) };
                let kinds = kinds.map_err(no_room)?;
                let served = if established {
                    let tree = resources::DynObject::to_value(crd);
                    definition::of(crd, &kinds, &tree, version)
                } else {
                    Vec::new()
                };
                for gone in old.iter().flat_map(|old| &old.definitions) {
                    gone.ended.cancel();
                }
                (kinds, served)
            }
        };
        definitions.iter().for_each(|definition| definition.set_terminating(terminating));
        let (generation, group) = (metadata.generation, crd.spec.group.clone());
        Ok(Self {
            version,
            uid,
            generation,
            group,
            given,
            has_its_names,
            kinds,
            terminating,
            swept,
            definitions,
        })
    }
}

fn as_crd(stored: &Stored) -> Result<Option<Arc<CustomResourceDefinition>>, Error> {
    if stored.kind != CustomResourceDefinition::kind() {
        return Ok(None);
    }
    Ok(downcast(stored.object()?))
}

/// How settled a version is: `v2` before `v1`, then betas, alphas, and everything else (upstream: apimachinery,
/// `version.CompareKubeAwareVersionStrings`).
pub(super) fn by_priority(version: &str) -> (u8, u64, u64, std::cmp::Reverse<String>) {
    let other = (0, 0, 0, std::cmp::Reverse(version.to_owned()));
    let Some(rest) = version.strip_prefix('v') else { return other };
    let digits = rest.find(|char: char| !char.is_ascii_digit()).unwrap_or(rest.len());
    let Ok(major) = rest[..digits].parse() else { return other };
    let stage = &rest[digits..];
    let minor = |text: &str| text.parse().ok();
    let (rank, minor) = match stage {
        "" => (3, Some(0)),
        _ => match (stage.strip_prefix("beta"), stage.strip_prefix("alpha")) {
            (Some(number), _) => (2, minor(number)),
            (_, Some(number)) => (1, minor(number)),
            _ => (0, None),
        },
    };
    minor.map_or(other, |minor| (rank, major, minor, std::cmp::Reverse(String::new())))
}

/// What is told whose definition has no room.
pub(crate) fn no_room(error: custom::TooManyKinds) -> Error {
    Error::Forbidden { object: None, message: error.to_string(), cause: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_the_order_of_how_settled_they_are() {
        let mut versions = ["v1alpha1", "foo", "v1", "v2beta1", "v10", "v1beta2", "v2", "bar", "v1beta1"];
        versions.sort_by_key(|version| std::cmp::Reverse(by_priority(version)));
        assert_eq!(versions, ["v10", "v2", "v1", "v2beta1", "v1beta2", "v1beta1", "v1alpha1", "bar", "foo"]);
    }
}
