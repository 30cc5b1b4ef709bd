//! A watch that lists, follows and, when it has lost its place, lists again.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt, future::BoxFuture};
use resources::{DynObject, Kind, Object};
use tokio::time::{Instant, sleep};

use crate::{Backend, Backoff, ChangeKind, Changes, Error, ListOptions, Listed, Result, client::typed};

/// Objects read at a time while listing, so that a large kind never stands in memory as a whole.
const PAGE_MAX: usize = 500;
/// How long it waits after failures in a row.
const RETRY: Backoff = Backoff { min: Duration::from_millis(10), max: Duration::from_secs(5) };

/// What a watch tells.
#[derive(Debug)]
pub enum Event<K: ?Sized> {
    /// What follows, up to [`Event::Synced`], is all there is; what was known and is not told again is gone.
    ///
    /// The first event of every watch, and told again after a gap.
    Restarted,
    /// The object is there, new or changed. May repeat a state that was told; the last one told is the newest.
    Applied(Arc<K>),
    /// The object is gone; this was its last state.
    Deleted(Arc<K>),
    /// Everything that was there has been told.
    Synced,
}

/// An endless stream of [`Event`]s of one kind. It remembers no object: whoever needs a cache keeps one.
///
/// `K` is the objects' type, or `dyn DynObject` where all kinds are handled alike.
pub struct Watch<K: ?Sized> {
    backend: Arc<dyn Backend>,
    kind: &'static Kind,
    options: ListOptions,
    typed: fn(Arc<dyn DynObject>) -> Result<Arc<K>>,
    state: State,
    /// What follows the version of the first page. It is there before that page is told, so that what changes while all
    /// the others are is kept for it.
    changes: Option<Changes>,
    /// In a row: since it last followed for a while.
    failures: u32,
}

/// What is under way is kept here and not in a caller's future, so that a caller may go away at any time.
enum State {
    Start,
    /// A page; the first one as long as no changes are followed.
    Listing(BoxFuture<'static, Result<Listed>>),
    /// What follows the version of the first page, before that page is told.
    Subscribing {
        changes: BoxFuture<'static, Result<Changes>>,
        page: std::vec::IntoIter<Arc<dyn DynObject>>,
        next: Option<String>,
    },
    Telling {
        page: std::vec::IntoIter<Arc<dyn DynObject>>,
        next: Option<String>,
    },
    Following {
        since: Instant,
    },
    Waiting(BoxFuture<'static, ()>),
}

impl<K: Object> Watch<K> {
    pub(crate) fn new(backend: Arc<dyn Backend>, options: ListOptions) -> Self {
        Self { backend, kind: K::kind(), options, typed, state: State::Start, changes: None, failures: 0 }
    }
}

impl Watch<dyn DynObject> {
    pub(crate) fn untyped(backend: Arc<dyn Backend>, kind: &'static Kind, options: ListOptions) -> Self {
        Self { backend, kind, options, typed: Ok, state: State::Start, changes: None, failures: 0 }
    }
}

impl<K: ?Sized> Watch<K> {
    /// The next event; waits for as long as it takes. Cancel safe: what was under way goes on with the next call.
    pub async fn next(&mut self) -> Event<K> {
        loop {
            match self.step().await {
                Ok(Some(event)) => return event,
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(kind = ?self.kind, %error, "watch lost its place, listing again");
                    self.lost(&error);
                }
            }
        }
    }

    /// It lists again: at once when its place has expired, as may happen to who fell behind, and later each time when that
    /// goes on.
    fn lost(&mut self, error: &Error) {
        if matches!(&self.state, State::Following { since, .. } if since.elapsed() >= RETRY.max) {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        self.changes = None;
        self.state = match error {
            Error::Expired(_) if self.failures == 1 => State::Start,
            _ => State::Waiting(Box::pin(sleep(RETRY.after(self.failures)))),
        };
    }

    /// One step. Whatever is awaited stays in `state` until it is done.
    async fn step(&mut self) -> Result<Option<Event<K>>> {
        match &mut self.state {
            State::Start => {
                self.state = State::Listing(self.list(None));
                Ok(None)
            }
            State::Listing(page) => {
                let Listed { items, version, next } = page.await?;
                let page = items.into_iter();
                self.state = match self.changes {
                    None => State::Subscribing { changes: self.subscribe(version), page, next },
                    Some(_) => State::Telling { page, next },
                };
                Ok(None)
            }
            State::Subscribing { changes, page, next } => {
                self.changes = Some(changes.await?);
                self.state = State::Telling { page: std::mem::take(page), next: next.take() };
                Ok(Some(Event::Restarted))
            }
            State::Telling { page, next } => {
                if let Some(object) = page.next() {
                    return Ok(Some(Event::Applied((self.typed)(object)?)));
                }
                let Some(token) = next.take() else {
                    self.state = State::Following { since: Instant::now() };
                    return Ok(Some(Event::Synced));
                };
                self.state = State::Listing(self.list(Some(token)));
                Ok(None)
            }
            State::Following { .. } => {
                let next = match &mut self.changes {
                    Some(changes) => changes.next().await,
                    None => None,
                };
                let change = next.unwrap_or_else(|| Err(Error::Unavailable("the watch ended".into())))?;
                let object = (self.typed)(change.object)?;
                Ok(Some(match change.kind {
                    ChangeKind::Deleted => Event::Deleted(object),
                    ChangeKind::Added | ChangeKind::Modified => Event::Applied(object),
                }))
            }
            State::Waiting(wait) => {
                wait.await;
                self.state = State::Start;
                Ok(None)
            }
        }
    }

    fn list(&self, token: Option<String>) -> BoxFuture<'static, Result<Listed>> {
        let (backend, kind) = (Arc::clone(&self.backend), self.kind);
        let options = ListOptions { limit: PAGE_MAX, continue_token: token, ..self.options.clone() };
        Box::pin(async move { backend.list(kind, &options).await })
    }

    fn subscribe(&self, version: String) -> BoxFuture<'static, Result<Changes>> {
        let (backend, kind, options) = (Arc::clone(&self.backend), self.kind, self.options.clone());
        Box::pin(async move { backend.changes(kind, &options, &version).await })
    }
}
