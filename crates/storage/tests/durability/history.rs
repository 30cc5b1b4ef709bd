//! Writes to a store, remembers what was written and acknowledged, and holds what is found again against it.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use storage::{
    Error, Result,
    objects::{Durability, ObjectStore, Op, Options, Recovered, Version},
};

use super::{
    disk::{Chance, SimulatedDisk},
    durable,
};

pub(crate) const DIR: &str = "/var/data";

#[derive(Clone, Debug)]
pub(crate) struct Action {
    pub(crate) key: u8,
    /// Length of the new value; `None` deletes.
    pub(crate) value_len: Option<usize>,
    pub(crate) waits: bool,
}

impl Action {
    /// A mixture in which all of it occurs.
    pub(crate) fn any(chance: &mut Chance) -> Self {
        let value_len = (chance.below(5) != 0).then(|| chance.below(300));
        Self { key: chance.below(6) as u8, value_len, waits: chance.below(3) == 0 }
    }
}

#[derive(Default)]
pub(crate) struct History {
    changes: Vec<(Version, String, Option<Vec<u8>>)>,
    acknowledged: Version,
    /// The greatest version ever given, lost or not.
    given: Version,
}

impl History {
    /// Opens the store and checks that it holds a prefix of this history with all that was acknowledged.
    pub(crate) fn open(
        &mut self,
        disk: &SimulatedDisk,
        options: Options,
    ) -> Result<(ObjectStore, Recovered)> {
        let (store, recovered) = ObjectStore::open_on(Arc::new(disk.clone()), Path::new(DIR), options)?;
        self.check_recovered(&store, &recovered);
        Ok((store, recovered))
    }

    fn check_recovered(&mut self, store: &ObjectStore, recovered: &Recovered) {
        let last = recovered.last_durable;
        assert!(last >= self.acknowledged, "acknowledged {}, found {last}", self.acknowledged);
        assert!(recovered.next > self.given, "{} was given, next is {}", self.given, recovered.next);
        self.changes.retain(|(version, ..)| *version <= last);
        self.acknowledged = last;
        self.check(store);
    }

    /// Every key has its newest value.
    pub(crate) fn check(&self, store: &ObjectStore) {
        let model = self.model();
        let found: BTreeMap<_, _> = store.scan("").map(|(key, version)| (key.to_string(), version)).collect();
        let expected: BTreeMap<_, _> =
            model.iter().map(|(key, (version, _))| (key.clone(), *version)).collect();
        assert_eq!(found, expected);
        for (key, (version, value)) in &model {
            let found = store.get(key).unwrap().unwrap_or_else(|| panic!("{key} is missing"));
            assert_eq!((found.0, &found.1[..]), (*version, &value[..]), "{key}");
        }
    }

    fn model(&self) -> BTreeMap<String, (Version, Vec<u8>)> {
        let mut model = BTreeMap::new();
        for (version, key, value) in &self.changes {
            match value {
                Some(value) => model.insert(key.clone(), (*version, value.clone())),
                None => model.remove(key),
            };
        }
        model
    }

    /// Writes until the end or until the store has failed; says which.
    pub(crate) fn run(&mut self, store: &ObjectStore, actions: &[Action]) -> Result<()> {
        for action in actions {
            let key = format!("core/pods/default/pod-{}", action.key);
            let fill = (self.given % 251) as u8;
            let value = action.value_len.map(|len| vec![fill; len]);
            let op = value.clone().map_or(Op::Delete, Op::bytes);
            let durability = if action.waits { Durability::Wait } else { Durability::Soon };
            let version = loop {
                match store.append(&key, op.clone(), durability) {
                    // So many are in flight that no version is free: wait for the last of them.
                    Err(Error::Overloaded { .. }) => self.acknowledge(store, self.given)?,
                    given => break given?,
                }
            };
            assert!(version > self.given);
            self.given = version;
            self.changes.push((version, key.clone(), value.clone()));
            let found = store.get(&key)?.map(|(version, value)| (version, value.to_vec()));
            assert_eq!(found, value.map(|value| (version, value)), "{key} is visible at once");
            if action.waits {
                self.acknowledge(store, version)?;
            }
        }
        Ok(())
    }

    fn acknowledge(&mut self, store: &ObjectStore, version: Version) -> Result<()> {
        durable(store, version)?;
        self.acknowledged = version;
        Ok(())
    }

    /// All was written and the store closed in order.
    pub(crate) fn closed(&mut self) {
        self.acknowledged = self.changes.last().map_or(self.acknowledged, |(version, ..)| *version);
    }
}
