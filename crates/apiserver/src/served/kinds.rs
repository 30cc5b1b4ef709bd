//! The table of served kinds, kept up to date with the stored definitions.

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

/// The table of served kinds; every write of a CustomResourceDefinition is passed to it.
pub(crate) struct Kinds {
    table: RwLock<Arc<Served>>,
    entries: Mutex<Entries>,
    /// Names are given out one definition at a time.
    pub(crate) naming: Mutex<()>,
    /// Signals that a definition may be ready to be removed.
    removal_news: watch::Sender<()>,
}

#[derive(Default)]
struct Entries {
    /// By the definitions' names.
    all: BTreeMap<String, Entry>,
    /// Of each definition that was removed: the version of its removal.
    gone: HashMap<String, u64>,
}

struct Entry {
    /// The version of the write that it reflects: two writes may arrive in the wrong order.
    version: u64,
    uid: String,
    generation: Option<i64>,
    group: String,
    given: Names,
    /// Whether all names were accepted and the status says so.
    has_its_names: bool,
    /// Empty for a definition of a built-in kind, so that its objects are never cleaned up.
    kinds: Vec<&'static Kind>,
    terminating: bool,
    /// Whether all of its objects have been deleted or marked for deletion.
    swept: bool,
    definitions: Vec<Arc<Definition>>,
}

/// A definition that is being deleted.
pub(crate) struct Terminating {
    pub(crate) name: String,
    uid: String,
    /// The kind that its objects are stored under; `None` for a built-in kind.
    pub(crate) kind: Option<&'static Kind>,
    /// Whether they have all been deleted or marked for deletion.
    pub(crate) swept: bool,
}

impl Kinds {
    pub(crate) fn new() -> Self {
        let built_in = Served::new(kinds::listed().collect(), HashMap::new());
        Self {
            table: RwLock::new(Arc::new(built_in)),
            entries: Mutex::default(),
            naming: Mutex::default(),
            removal_news: watch::Sender::new(()),
        }
    }

    /// What is served now.
    pub(crate) fn served(&self) -> Arc<Served> {
        Arc::clone(&self.table.read())
    }

    /// The definition of a kind; `None` for a built-in kind.
    ///
    /// # Errors
    /// `NotFound` if the kind is no longer served.
    pub(crate) fn definition(&self, kind: &'static Kind) -> Result<Option<Arc<Definition>>, Error> {
        if !kind.is_defined() {
            return Ok(None);
        }
        match self.table.read().definition(kind) {
            Some(definition) => Ok(Some(Arc::clone(definition))),
            None => Err(Error::NotFound { kind, name: String::new() }),
        }
    }

    /// Signals that a definition may be ready to be removed.
    pub(crate) fn removal_news(&self) -> watch::Receiver<()> {
        self.removal_news.subscribe()
    }

    /// The definitions that are being deleted.
    pub(crate) fn terminating(&self) -> Vec<Terminating> {
        let entries = self.entries.lock();
        let terminating = entries.all.iter().filter(|(_, entry)| entry.terminating);
        terminating
            .map(|(name, entry)| Terminating {
                name: name.clone(),
                uid: entry.uid.clone(),
                kind: entry.kinds.first().map(|kind| kind.hub()),
                swept: entry.swept,
            })
            .collect()
    }

    /// Records that every object of a definition has been deleted or marked. No new ones can come, so that is done once.
    pub(crate) fn swept(&self, definition: &Terminating) {
        let mut entries = self.entries.lock();
        if let Some(entry) = entries.all.get_mut(&definition.name).filter(|entry| entry.uid == definition.uid)
        {
            entry.swept = true;
        }
    }

    /// Signals that the last object of a kind was removed, so that its definition may be too.
    pub(crate) fn emptied(&self, kind: &'static Kind) {
        let of_kind = |entry: &Entry| entry.kinds.first().is_some_and(|first| first.hub() == kind.hub());
        if self.entries.lock().all.values().any(|entry| entry.terminating && of_kind(entry)) {
            self.removal_news.send_replace(());
        }
    }

    /// How many definitions there are, without those of built-in kinds.
    pub(crate) fn of_users(&self) -> usize {
        self.entries.lock().all.values().filter(|entry| !entry.kinds.is_empty()).count()
    }

    /// The groups that have definitions.
    pub(crate) fn groups(&self) -> BTreeSet<String> {
        self.entries.lock().all.values().map(|entry| entry.group.clone()).collect()
    }

    /// The definitions of a group whose names are not all accepted yet.
    pub(crate) fn without_names(&self, group: &str) -> Vec<String> {
        let entries = self.entries.lock();
        let all = entries.all.iter().filter(|(_, entry)| entry.group == group && !entry.has_its_names);
        all.map(|(name, _)| name.clone()).collect()
    }

    /// The accepted names of a group's definitions, except those of `own`.
    pub(crate) fn given(&self, group: &str, own: &str) -> Vec<Names> {
        let entries = self.entries.lock();
        let others = entries.all.iter().filter(|(name, entry)| entry.group == group && *name != own);
        others.map(|(_, entry)| entry.given.clone()).collect()
    }

    /// Updates the table after a write, if a definition was written.
    ///
    /// # Errors
    /// When what was written cannot be read.
    pub(crate) fn observe(&self, stored: &Stored) -> Result<(), Error> {
        self.observe_all(std::iter::once(stored))
    }

    /// As [`Kinds::observe`], for many at once: the table is rebuilt once.
    ///
    /// # Errors
    /// When one cannot be read.
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
            self.removal_news.send_replace(());
        }
        Ok(())
    }

    /// Updates the table after a definition was removed.
    ///
    /// # Errors
    /// When what was removed cannot be read.
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
        // Upstream: versions by priority, `v1` before `v1beta2`.
        defined.sort_by(|one, other| {
            let (one, other) = (one.own.kind, other.own.kind);
            (one.group.cmp(other.group))
                .then_with(|| by_priority(other.version).cmp(&by_priority(one.version)))
        });
        let mut kinds: Vec<&'static Kind> = kinds::listed().collect();
        kinds.extend(defined.iter().filter(|it| it.served).map(|definition| definition.own.kind));
        let definitions =
            defined.into_iter().map(|definition| (definition.own.kind, Arc::clone(definition))).collect();
        let served = Served::new(kinds, definitions).keeping(&self.served());
        *self.table.write() = Arc::new(served);
    }
}

impl Entries {
    /// Updates the entry of a definition; `None` if this is no definition, or an older state of one.
    fn take(&mut self, stored: &Stored) -> Result<Option<&Entry>, Error> {
        let Some(crd) = as_crd(stored)? else { return Ok(None) };
        let name = crd.name().to_owned();
        let known = self.all.get(&name).map(|entry| entry.version);
        if known.or(self.gone.get(&name).copied()).is_some_and(|known| known >= stored.version) {
            return Ok(None);
        }
        let old = self.all.remove(&name);
        let entry = Entry::of(&crd, stored.version, old);
        Ok(Some(self.all.entry(name).or_insert(entry)))
    }
}

impl Entry {
    fn of(crd: &CustomResourceDefinition, version: u64, old: Option<Self>) -> Self {
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
            // The beginning of its deletion increases the generation but changes none of its kinds.
            Some(old)
                if (old.generation == metadata.generation || terminating && !old.terminating)
                    && old.given == given
                    && established != old.definitions.is_empty() =>
            {
                (old.kinds, old.definitions)
            }
            old => {
                let kinds = if is_built_in { Vec::new() } else { custom::kinds(crd) };
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
        Self { version, uid, generation, group, given, has_its_names, kinds, terminating, swept, definitions }
    }
}

fn as_crd(stored: &Stored) -> Result<Option<Arc<CustomResourceDefinition>>, Error> {
    if stored.kind != CustomResourceDefinition::kind() {
        return Ok(None);
    }
    Ok(downcast(stored.object()?))
}

/// The priority of a version: `v2` before `v1`, then betas, alphas, and everything else (upstream: apimachinery,
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
