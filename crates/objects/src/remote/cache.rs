//! One kind as this client knows it: what the watch has told, what this client has written since, and the recent changes.

mod index;
mod own;
mod ring;
mod state;

use std::sync::Arc;

use parking_lot::Mutex;
use resources::{DynObject, Kind, ObjectKey};
use tokio::sync::watch;

pub(super) use self::state::Read;
use self::state::State;
use super::{
    decode::{self, Page},
    options::Scope,
};
use crate::{Change, ChangeKind, Error, ListOptions, Listed, Result};

/// Changes handed to a follower at once, so that it does not keep the lock.
const BATCH_MAX: usize = 128;

/// A kind's state, shared by its reflector, its readers and its followers.
pub(super) struct Cache {
    kind: &'static Kind,
    scope: Scope,
    state: Mutex<State>,
    /// How many changes there have been.
    news: watch::Sender<u64>,
}

/// The changes that one follower gets at once.
pub(super) struct Batch {
    pub(super) changes: Vec<Change>,
    /// Where the next batch begins.
    pub(super) cursor: u64,
}

impl Cache {
    pub(super) fn new(kind: &'static Kind, scope: Scope, page: Page, changes_max: usize) -> Self {
        let state = Mutex::new(State::new(page.items, page.version, changes_max));
        Self { kind, scope, state, news: watch::Sender::new(0) }
    }

    /// What is known of one object.
    pub(super) fn get(&self, key: &ObjectKey) -> Read {
        self.state.lock().get(key)
    }

    /// The objects that match, in the order of their keys.
    pub(super) fn list(&self, options: &ListOptions) -> Result<Listed> {
        let after = options.continue_token.as_deref().map(place).transpose()?;
        let (items, version) = self.state.lock().list(options, after.as_ref());
        let more = options.limit > 0 && items.len() > options.limit;
        let items: Vec<_> = if more { items.into_iter().take(options.limit).collect() } else { items };
        let next = items.last().filter(|_| more).map(|last| ObjectKey::of(last.metadata()).to_string());
        Ok(Listed { items, version: version.to_string(), next })
    }

    /// The version up to which the watch has told everything.
    pub(super) fn version(&self) -> u64 {
        self.state.lock().seen()
    }

    /// The watch has told a change.
    pub(super) fn apply(&self, change: ChangeKind, object: Arc<dyn DynObject>) {
        let version = decode::version(&*object);
        self.change(|state| state.apply(change, object, version));
    }

    /// The watch has told everything up to a version.
    pub(super) fn bookmark(&self, version: u64) {
        self.state.lock().bookmark(version);
    }

    /// The watch has lost its place and this is what is there now: followers are told the difference.
    pub(super) fn bridge(&self, page: Page) {
        self.change(|state| state.bridge(page));
    }

    /// This client has written an object; `object` is the server's answer.
    pub(super) fn wrote(&self, object: &Arc<dyn DynObject>) {
        let key = ObjectKey::of(object.metadata());
        let mut state = self.state.lock();
        if self.scope.has(object.metadata()) {
            state.wrote(key, object);
        } else if state.has_told(&key) {
            // The watch is about to tell that it has left.
            state.doubt(key, None);
        }
    }

    /// This client has deleted an object, and it is gone.
    pub(super) fn deleted(&self, key: &ObjectKey, uid: &str) {
        self.state.lock().deleted(key, uid);
    }

    /// The server's answer to a write does not go with what is known of the object at this version.
    pub(super) fn doubt(&self, key: &ObjectKey, version: Option<u64>) {
        self.state.lock().doubt(key.clone(), version);
    }

    /// The server was asked about an object in doubt.
    pub(super) fn learn(&self, key: &ObjectKey, answer: Option<&Arc<dyn DynObject>>) {
        let in_scope = answer.filter(|object| self.scope.has(object.metadata()));
        self.state.lock().learn(key, in_scope);
    }

    /// The end: the reflector is gone, and followers have to find another one.
    pub(super) fn close(&self) {
        self.change(State::close);
    }

    /// A place among the changes, just after a version, and the bell that rings for further ones.
    pub(super) fn subscribe(&self, version: u64) -> Result<(u64, watch::Receiver<u64>)> {
        let state = self.state.lock();
        let cursor = state.ring().position(version).ok_or_else(|| too_old(self.kind))?;
        Ok((cursor, self.news.subscribe()))
    }

    /// The changes from a place on, as far as a follower sees them.
    pub(super) fn after(&self, cursor: u64, version: u64, options: &ListOptions) -> Result<Batch> {
        let state = self.state.lock();
        let recent = state.ring().from(cursor).ok_or_else(|| too_old(self.kind))?;
        let recent: Vec<_> = recent.take(BATCH_MAX).cloned().collect();
        let closed = state.is_closed();
        drop(state);
        if closed && recent.is_empty() {
            return Err(Error::Unavailable(format!("the watch of {:?} has stopped", self.kind)));
        }
        let cursor = cursor + recent.len() as u64;
        let changes = recent
            .iter()
            .filter(|change| change.version > version)
            .filter_map(|change| change.seen_by(options));
        Ok(Batch { changes: changes.collect(), cursor })
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock();
        change(&mut state);
        let end = state.ring().end();
        // Rung under the lock, so that a follower that has looked since cannot miss it; also for no change but the end.
        self.news.send_replace(end);
    }
}

fn place(token: &str) -> Result<ObjectKey> {
    let (namespace, name) = token.split_once('/').unwrap_or(("", token));
    if name.is_empty() {
        return Err(Error::BadRequest(format!(
            "continue key is not valid: {token:?} is not one that was given out"
        )));
    }
    Ok(ObjectKey::new(namespace, name))
}

fn too_old(kind: &Kind) -> Error {
    Error::Expired(format!("{kind:?}: changes after this version are no longer kept (changes_per_kind_max)"))
}

#[cfg(test)]
mod tests;
