//! Watches: every change after a version, as far as a selection sees it.

use std::sync::Arc;

use objects::{ChangeKind, Error};
use resources::Kind;
use tokio::sync::watch;

use super::{
    Store,
    page::{Page, PageOptions, Start},
    ring::{Change, State, WatcherId},
    selection::Selection,
    shelf::Shelf,
    stored::{Stored, cool_all},
};

/// Changes handed out at once.
const BATCH_MAX: usize = 128;

/// One watcher's place in a kind's changes. It holds no buffer: what it has not asked for stays in the ring.
pub(crate) struct Follower {
    store: Arc<Store>,
    kind: &'static Kind,
    watcher: WatcherId,
    selection: Selection,
    /// Every change up to here has been seen.
    cursor: u64,
    news: watch::Receiver<u64>,
}

/// A change as one watcher sees it.
pub(crate) struct Seen {
    pub(crate) kind: ChangeKind,
    pub(crate) stored: Arc<Stored>,
}

impl Store {
    /// Follows a kind from a version on.
    ///
    /// # Errors
    /// `Expired` when changes after it are no longer there, or were lost in a crash.
    pub(crate) fn follow(
        self: &Arc<Self>,
        kind: &'static Kind,
        selection: Selection,
        version: u64,
    ) -> Result<Follower, Error> {
        let mut state = self.lock();
        state.check_version(version)?;
        let shelf = state.shelf(kind);
        if shelf.ring.after(version).is_none() {
            return Err(too_old(version));
        }
        shelf.selectable.check(kind, &selection, version, &shelf.ring)?;
        Ok(self.joined(shelf, kind, selection, version))
    }

    /// Follows a kind from now on.
    ///
    /// # Errors
    /// `Expired` when the objects cannot be selected so yet.
    pub(crate) fn follow_now(
        self: &Arc<Self>,
        kind: &'static Kind,
        selection: Selection,
    ) -> Result<Follower, Error> {
        let mut state = self.lock();
        let version = state.version;
        let shelf = state.shelf(kind);
        shelf.selectable.check(kind, &selection, version, &shelf.ring)?;
        Ok(self.joined(shelf, kind, selection, version))
    }

    /// Follows every kind that there is an object of, from now on; also the version that now is. Kinds of which no
    /// version is served are among them; a kind's versions are one.
    pub(crate) fn follow_all(self: &Arc<Self>) -> (u64, Vec<Follower>) {
        let mut state = self.lock();
        let version = state.version;
        let there = state.kinds.iter_mut().filter(|(kind, shelf)| **kind == kind.hub() && !shelf.is_empty());
        let followers = there.map(|(kind, shelf)| self.joined(shelf, kind, Selection::default(), version));
        let mut followers: Vec<Follower> = followers.collect();
        drop(state);
        followers.sort_by_key(|follower| (follower.kind.group, follower.kind.plural));
        (version, followers)
    }

    fn joined(
        self: &Arc<Self>,
        shelf: &mut Shelf,
        kind: &'static Kind,
        selection: Selection,
        version: u64,
    ) -> Follower {
        let watcher = shelf.ring.join(version);
        let news = shelf.news.subscribe();
        Follower { store: Arc::clone(self), kind, watcher, selection, cursor: version, news }
    }
}

impl Follower {
    /// The next changes that the selection sees; waits for them. Cancel safe.
    pub(crate) async fn next(&mut self) -> Result<Vec<Seen>, Error> {
        loop {
            self.news.borrow_and_update();
            let seen = self.poll()?;
            if !seen.is_empty() {
                return Ok(seen);
            }
            if self.news.changed().await.is_err() {
                return Err(Error::Unavailable("the server is shutting down".into()));
            }
        }
    }

    /// Reads some of what the selection sees, from a version on that has not been followed past: until then the store keeps
    /// what changes, as long as it can.
    pub(crate) async fn page(&self, from: Start, limit: usize) -> Result<Page, Error> {
        self.store.page(self.kind, &self.selection, PageOptions { limit, from }).await
    }

    /// Whether something of the kind was written since the news were taken last. Costs nothing.
    pub(crate) fn has_news(&self) -> bool {
        self.news.has_changed().unwrap_or_default()
    }

    /// As [`Follower::next`], but what is there now; empty when there is nothing.
    pub(crate) fn take_news(&mut self) -> Result<Vec<Seen>, Error> {
        self.news.borrow_and_update();
        self.poll()
    }

    /// How many changes there are that have not been seen.
    pub(crate) fn behind(&self) -> usize {
        let mut state = self.store.lock();
        let unseen = state.shelf(self.kind).ring.after(self.cursor);
        unseen.map_or(usize::MAX, |unseen| unseen.size_hint().0)
    }

    /// The version up to which everything has been seen.
    pub(crate) fn cursor(&self) -> u64 {
        self.cursor
    }

    /// The changes that are there now; empty when there is none.
    pub(crate) fn poll(&mut self) -> Result<Vec<Seen>, Error> {
        loop {
            let (batch, cooling) = {
                let mut state = self.store.lock();
                let newest = state.version;
                let ring = &mut state.shelf(self.kind).ring;
                let after = ring.after(self.cursor).ok_or_else(|| too_old(self.cursor))?;
                let batch: Vec<Arc<Change>> = after.take(BATCH_MAX).cloned().collect();
                // What is taken now has not been looked at: until then it stays typed.
                let seen = if batch.is_empty() { newest } else { self.cursor };
                let may_trim = ring.seen(self.watcher, seen);
                self.cursor = if batch.len() < BATCH_MAX { newest } else { batch[BATCH_MAX - 1].version() };
                (batch, if may_trim { state.trim(self.kind) } else { Vec::new() })
            };
            cool_all(&cooling);
            let seen = batch.iter().filter_map(|change| self.see(change)).collect::<Result<Vec<_>, _>>()?;
            if !seen.is_empty() || batch.is_empty() {
                return Ok(seen);
            }
        }
    }

    fn see(&self, change: &Change) -> Option<Result<Seen, Error>> {
        let matches = |state: &State| self.selection.matches(&state.entry);
        let before = change.before.as_ref().filter(|before| matches(before));
        let after =
            (change.kind != ChangeKind::Deleted && matches(&change.after)).then_some(&change.after.stored);
        let (kind, stored) = match (before, after) {
            (None, None) => return None,
            (None, Some(after)) => (ChangeKind::Added, Ok(Arc::clone(after))),
            (Some(_), Some(after)) => (ChangeKind::Modified, Ok(Arc::clone(after))),
            (Some(_), None) if change.kind == ChangeKind::Deleted => {
                (ChangeKind::Deleted, Ok(Arc::clone(&change.after.stored)))
            }
            // It is still there, but no longer for this watcher: the last it sees of it is what it saw before.
            (Some(before), None) => {
                (ChangeKind::Deleted, before.stored.at_version(change.version()).map(Arc::new))
            }
        };
        Some(stored.map(|stored| Seen { kind, stored }))
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.store.lock().shelf(self.kind).ring.leave(self.watcher);
    }
}

fn too_old(version: u64) -> Error {
    Error::Expired(format!("too old resource version: {version}"))
}
