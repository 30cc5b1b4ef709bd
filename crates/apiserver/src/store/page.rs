//! Lists: all of a kind as it was at one version, a page at a time.

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use objects::Error;
use resources::{Kind, ObjectKey};
use serde::{Deserialize, Serialize};

use super::{
    Store,
    key::Key,
    ring::{State, WatcherId},
    selection::Selection,
    shelf::Shelf,
    stored::{Stored, cool_all},
};

/// Some objects as they were at one version.
pub(crate) struct Page {
    pub(crate) items: Vec<Arc<Stored>>,
    pub(crate) version: u64,
    /// Where the next page begins.
    pub(crate) next: Option<Place>,
}

/// Where a page begins: after a key, at a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// [`PRESENT`]: that which is the newest when the page is read.
    #[serde(rename = "rv")]
    version: u64,
    namespace: String,
    name: String,
}

/// What is read.
pub(crate) struct PageOptions {
    /// At most so many objects; 0 is all.
    pub(crate) limit: usize,
    /// The first page of the present, or of a past version.
    pub(crate) from: Start,
}

pub(crate) enum Start {
    Now,
    Version(u64),
    Place(Place),
}

impl Place {
    fn key(&self, kind: &Kind) -> Key {
        Key::of(kind, &ObjectKey::new(self.namespace.as_str(), self.name.as_str()))
    }

    /// The same place in what there is by then: for who need not see all as it was at one version.
    pub(crate) fn anew(self) -> Self {
        Self { version: PRESENT, ..self }
    }

    /// The token as clients carry it.
    pub(crate) fn token(&self) -> String {
        // Two strings and a number always serialize.
        BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    pub(crate) fn parse(token: &str) -> Result<Self, Error> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token.trim_end_matches('=')).ok();
        bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(|| {
            Error::BadRequest("continue key is not valid: it is not one this server has given out".into())
        })
    }
}

/// No version, but whichever is the newest: nothing is there at version 0, so no page is of it.
const PRESENT: u64 = 0;
/// How many objects are counted of those that a page leaves over; of more it is not said how many.
pub(super) const REMAINING_MAX: usize = 10_000;
/// Objects read before other tasks, and other users of the lock, get their turn.
pub(super) const SLICE: usize = 256;
/// How often a list of the present starts over when changes overtake it.
const ATTEMPTS_MAX: usize = 8;

/// Objects that are looked at before that, whether they are meant or not.
const LOOKED_AT_MAX: usize = 16 * SLICE;

/// What is known of an object before its bytes are read.
type Picked = (Key, Option<Arc<Stored>>);

/// Some of those that a selection means.
struct Slice {
    picked: Vec<Picked>,
    /// After which key the next ones are looked for, if there may be more.
    next: Option<Key>,
}

impl Store {
    /// Reads a page.
    ///
    /// All pages of a list show one version: what has changed since is put back from the recent changes; when those
    /// no longer reach back so far the list has expired. While a page is read they are kept for it as for a watcher.
    pub(crate) async fn page(
        &self,
        kind: &'static Kind,
        selection: &Selection,
        options: PageOptions,
    ) -> Result<Page, Error> {
        self.page_then(kind, selection, options, |_| {}).await
    }

    /// As [`Store::page`], for who goes on from there: with a [lease](Store::lease).
    pub(crate) async fn page_leased(
        self: &Arc<Self>,
        kind: &'static Kind,
        selection: &Selection,
        options: PageOptions,
    ) -> Result<Page, Error> {
        self.page_then(kind, selection, options, |version| self.lease(kind, version)).await
    }

    /// Reads a page; `read` learns its version while what has changed since is still kept for its reader.
    async fn page_then(
        &self,
        kind: &'static Kind,
        selection: &Selection,
        options: PageOptions,
        read: impl Fn(u64),
    ) -> Result<Page, Error> {
        let (fixed, after) = match options.from {
            Start::Now => (None, None),
            Start::Version(version) => (Some(version), None),
            Start::Place(place) => {
                (Some(place.version).filter(|version| *version != PRESENT), Some(place.key(kind)))
            }
        };
        let mut cause = String::new();
        for _ in 0..ATTEMPTS_MAX {
            let page = self.page_of_slices(kind, selection, options.limit, fixed, after.clone(), &read).await;
            match page {
                Err(Error::Expired(why)) if fixed.is_none() => cause = why,
                page => return page,
            }
            tokio::task::yield_now().await;
        }
        Err(Error::Unavailable(format!(
            "the list was overtaken by changes again and again, at last: {cause}"
        )))
    }

    /// How many objects come after a place; `None` when they are too many to count.
    pub(crate) fn remaining(
        &self,
        kind: &'static Kind,
        selection: &Selection,
        place: &Place,
    ) -> Option<usize> {
        let mut state = self.lock();
        let from = Bound::Excluded(place.key(kind));
        let count = state.shelf(kind).select(selection, from).take(REMAINING_MAX + 1).count();
        (count <= REMAINING_MAX).then_some(count)
    }

    /// A page, read a slice at a time, so that a long one does not keep the lock from everybody else.
    async fn page_of_slices(
        &self,
        kind: &'static Kind,
        selection: &Selection,
        limit: usize,
        mut version: Option<u64>,
        mut after: Option<Key>,
        read: &impl Fn(u64),
    ) -> Result<Page, Error> {
        let mut items = Vec::new();
        let mut kept: Option<Kept<'_>> = None;
        loop {
            let left = if limit == 0 { SLICE } else { limit - items.len() };
            let slice = self.slice(kind, selection, left.min(SLICE), version, after.as_ref())?;
            items.extend(slice.items);
            let is_full = limit > 0 && items.len() >= limit;
            match slice.next {
                Some(place) if !is_full => {
                    if kept.is_none() {
                        kept = Some(self.keep(kind, place.version));
                    }
                    version = Some(place.version);
                    after = Some(place.key(kind));
                    tokio::task::yield_now().await;
                }
                next => {
                    read(slice.version);
                    return Ok(Page { items, version: slice.version, next });
                }
            }
        }
    }

    /// Keeps what changes after a version, as long as the ring can.
    fn keep(&self, kind: &'static Kind, version: u64) -> Kept<'_> {
        let reader = self.lock().shelf(kind).ring.join(version);
        Kept { store: self, kind, reader }
    }

    /// At most `limit` objects.
    fn slice(
        &self,
        kind: &'static Kind,
        selection: &Selection,
        limit: usize,
        version: Option<u64>,
        after: Option<&Key>,
    ) -> Result<Page, Error> {
        let (version, Slice { mut picked, next }, evicted) = {
            let mut state = self.lock();
            let version = version.unwrap_or(state.version);
            state.check_version(version)?;
            let shelf = state.shelf(kind);
            shelf.selectable.check(kind, selection, version, &shelf.ring)?;
            shelf.prepare(selection);
            let changed = shelf.before(version).ok_or_else(|| expired(version))?;
            let mut slice = pick(shelf, &changed, kind, selection, after, limit);
            for (key, stored) in &mut slice.picked {
                if stored.is_none() {
                    *stored = state.cache.get(key);
                }
            }
            (version, slice, state.cache.take_evicted())
        };
        cool_all(&evicted);
        let mut missing = Vec::new();
        for (at, (key, stored)) in picked.iter_mut().enumerate() {
            if stored.is_none() {
                *stored = self.read(kind, key)?;
                missing.push(at);
            }
        }
        if !missing.is_empty() {
            // What was read outside of the lock may be newer than the page.
            let mut state = self.lock();
            let changed = state.shelf(kind).before(version).ok_or_else(|| expired(version))?;
            for at in missing {
                let (key, stored) = &mut picked[at];
                if let Some(before) = changed.get(key) {
                    *stored = before.as_ref().map(|state| Arc::clone(&state.stored));
                }
            }
        }
        let next = next.map(|key| Place {
            version,
            namespace: key.namespace().to_owned(),
            name: key.name().to_owned(),
        });
        Ok(Page { items: picked.into_iter().filter_map(|(_, stored)| stored).collect(), version, next })
    }
}

/// The place of a reader among those who watch a kind, until it is through.
struct Kept<'a> {
    store: &'a Store,
    kind: &'static Kind,
    reader: WatcherId,
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        self.store.lock().shelf(self.kind).ring.leave(self.reader);
    }
}

/// The keys of a slice in order. Objects that changed since come with the state they had.
fn pick(
    shelf: &Shelf,
    changed: &BTreeMap<Key, Option<State>>,
    kind: &Kind,
    selection: &Selection,
    after: Option<&Key>,
    limit: usize,
) -> Slice {
    if let Some(only) = selection.only(kind) {
        let there = match changed.get(&only) {
            Some(before) => before.as_ref().map(|it| (&it.entry, Some(Arc::clone(&it.stored)))),
            None => shelf.get(&only).map(|entry| (entry, None)),
        };
        let there = there
            .filter(|(entry, _)| selection.matches(entry) && after.is_none_or(|after| *after < entry.key));
        let picked = there.map(|(entry, stored)| (entry.key.clone(), stored)).into_iter().collect();
        return Slice { picked, next: None };
    }
    let from = range_start(kind, selection, after);
    let unchanged = shelf
        .candidates(selection, from.clone())
        .filter(|entry| !changed.contains_key(&entry.key))
        .map(|entry| (entry, None));
    let put_back = changed
        .range((from, Bound::Unbounded))
        .take_while(|(key, _)| selection.is_within(key))
        .filter_map(|(_, before)| before.as_ref())
        .map(|before| (&before.entry, Some(Arc::clone(&before.stored))));
    let (mut unchanged, mut put_back) = (unchanged.peekable(), put_back.peekable());
    let merged = std::iter::from_fn(|| match (unchanged.peek(), put_back.peek()) {
        (Some((one, _)), Some((other, _))) if one.key < other.key => unchanged.next(),
        (_, Some(_)) => put_back.next(),
        (_, None) => unchanged.next(),
    });
    let mut picked: Vec<Picked> = Vec::new();
    let mut last: Option<&Key> = None;
    for (looked_at, (entry, stored)) in merged.enumerate() {
        let is_full = picked.len() == limit;
        if looked_at == LOOKED_AT_MAX && !is_full {
            return Slice { picked, next: last.cloned() };
        }
        let is_meant = selection.matches(entry);
        if looked_at == LOOKED_AT_MAX || is_full && is_meant {
            // A token is made of it, which is to name nothing that is not in its page.
            let next = picked.last().map(|(key, _)| key.clone());
            return Slice { picked, next };
        }
        last = Some(&entry.key);
        if !is_meant {
            continue;
        }
        picked.push((entry.key.clone(), stored));
    }
    Slice { picked, next: None }
}

fn range_start(kind: &Kind, selection: &Selection, after: Option<&Key>) -> Bound<Key> {
    match (after, &selection.namespace) {
        (Some(key), _) => Bound::Excluded(key.clone()),
        (None, Some(namespace)) => {
            Bound::Included(Key::of(kind, &ObjectKey::new(namespace.clone(), String::new())))
        }
        (None, None) => Bound::Unbounded,
    }
}

fn expired(version: u64) -> Error {
    Error::Expired(format!("The resourceVersion for the provided list is too old: {version} is gone"))
}

#[cfg(test)]
mod tests;
