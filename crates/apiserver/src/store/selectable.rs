//! By which fields of a kind that users define its objects can be selected.
//!
//! ```text
//!   a selector names a field ─► writes note it from now on ─► what is there is looked through ─► it selects
//! ```
//!
//! A definition may name fields at any time, and another default for one, so nothing is noted before somebody asks.

use std::sync::Arc;

use objects::Error;
use resources::Kind;

use super::{
    Store,
    facts::Facts,
    key::Key,
    page::SLICE,
    ring::Ring,
    selection::Selection,
    shelf::{Entry, Shelf},
    stored::Stored,
};
use crate::selector;

/// How many fields of a kind are noted; when there would be more, those that were asked for before are forgotten.
const FIELDS_MAX: usize = 64;

/// The fields of one kind that are noted in memory.
#[derive(Default)]
pub(super) struct Selectable {
    fields: Arc<[Box<str>]>,
    /// The version of the schema that what is there was read by.
    schema: u64,
    /// After this version every state of every object has them; `None` while it is looked through.
    since: Option<u64>,
}

impl Selectable {
    /// The fields that a write notes.
    pub(super) fn fields(&self) -> Arc<[Box<str>]> {
        Arc::clone(&self.fields)
    }

    fn has(&self, wanted: &[&str], schema: u64) -> bool {
        self.since.is_some() && self.schema >= schema && self.notes(wanted)
    }

    fn notes(&self, wanted: &[&str]) -> bool {
        wanted.iter().all(|field| self.fields.iter().any(|known| **known == **field))
    }

    /// Lets writes note some fields, too.
    fn add(&mut self, wanted: &[&str], schema: u64) {
        let new = wanted.iter().filter(|field| !self.notes(&[field])).map(|field| Box::from(*field));
        let mut fields: Vec<Box<str>> = self.fields.iter().cloned().chain(new).collect();
        if fields.len() > FIELDS_MAX {
            fields = wanted.iter().map(|field| Box::from(*field)).collect();
        }
        *self = Self { fields: fields.into(), schema: schema.max(self.schema), since: None };
    }

    /// Whether the selection can be answered as of a version: where the recent changes have to be looked at, they must
    /// have the fields.
    pub(super) fn check(
        &self,
        kind: &Kind,
        selection: &Selection,
        version: u64,
        ring: &Ring,
    ) -> Result<(), Error> {
        let wanted = if kind.is_defined() { selection.fields.others() } else { Vec::new() };
        if wanted.is_empty() {
            return Ok(());
        }
        let without = |since: u64| {
            let mut changes = ring.after(version).into_iter().flatten();
            version < since && changes.next().is_some_and(|change| change.version() <= since)
        };
        match self.since {
            Some(since) if self.notes(&wanted) && !without(since) => Ok(()),
            _ => Err(Error::Expired(format!(
                "too old resource version: {version} is from before objects could be selected by {}",
                wanted.join(", ")
            ))),
        }
    }
}

impl Store {
    /// Makes the objects of a kind that users define selectable by the fields that a selection names, if they are not.
    ///
    /// `schema`: the version of the definition; `view`: a stored object as the definition has it.
    ///
    /// # Errors
    /// When an object cannot be read.
    pub(crate) async fn prepare(
        &self,
        kind: &'static Kind,
        selection: &Selection,
        schema: u64,
        view: impl Fn(&Arc<Stored>) -> Result<Arc<Stored>, Error>,
    ) -> Result<(), Error> {
        let wanted = selection.fields.others();
        if wanted.is_empty() || self.lock().shelf(kind).selectable.has(&wanted, schema) {
            return Ok(());
        }
        let _one_at_a_time = self.preparing.lock().await;
        let fields = {
            let mut state = self.lock();
            let selectable = &mut state.shelf(kind).selectable;
            if selectable.has(&wanted, schema) {
                return Ok(());
            }
            selectable.add(&wanted, schema);
            selectable.fields()
        };
        let mut after = Key::before_all();
        loop {
            let entries = self.lock().shelf(kind).some_after(after, SLICE);
            let Some(last) = entries.last() else { break };
            after = last.key.clone();
            let mut found = Vec::with_capacity(entries.len());
            for entry in entries {
                // What is newer has been written since, and has its fields.
                let stored = self.read(kind, &entry.key)?.filter(|stored| stored.version == entry.version);
                let Some(stored) = stored else { continue };
                let object = view(&stored)?.object()?;
                found.push((entry, selector::fields::of(&*object, &fields)));
            }
            {
                let mut state = self.lock();
                let state = &mut *state;
                for (entry, fields) in found {
                    let fields = state.names.pairs(fields.iter().map(|(key, value)| (*key, value.as_str())));
                    state.shelf(kind).note(&entry, fields);
                }
            }
            tokio::task::yield_now().await;
        }
        let mut state = self.lock();
        let version = state.version;
        state.shelf(kind).selectable.since = Some(version);
        Ok(())
    }
}

impl Shelf {
    /// The first entries after a key.
    fn some_after(&self, after: Key, max: usize) -> Vec<Arc<Entry>> {
        self.after(after).take(max).cloned().collect()
    }

    /// Notes the fields of an entry that is still the newest of its object.
    fn note(&mut self, entry: &Arc<Entry>, fields: super::pairs::Pairs) {
        if self.get(&entry.key).is_some_and(|known| Arc::ptr_eq(known, entry)) {
            let facts = Facts { fields, ..entry.facts.clone() };
            self.insert(Entry { key: entry.key.clone(), version: entry.version, facts });
        }
    }
}
