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
    /// The object is there, new or changed. May repeat a state that was told.
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
    /// In a row: since it last followed for a while.
    failures: u32,
}

/// What is under way is kept here and not in a caller's future, so that a caller may go away at any time.
enum State {
    Start,
    /// The first page, or one after it; changes are followed from the version of the first.
    Listing {
        first: Option<String>,
        page: BoxFuture<'static, Result<Listed>>,
    },
    Telling {
        page: std::vec::IntoIter<Arc<dyn DynObject>>,
        version: String,
        next: Option<String>,
    },
    Subscribing(BoxFuture<'static, Result<Changes>>),
    Following {
        changes: Changes,
        since: Instant,
    },
    Waiting(BoxFuture<'static, ()>),
}

impl<K: Object> Watch<K> {
    pub(crate) fn new(backend: Arc<dyn Backend>, options: ListOptions) -> Self {
        Self { backend, kind: K::kind(), options, typed, state: State::Start, failures: 0 }
    }
}

impl Watch<dyn DynObject> {
    pub(crate) fn untyped(backend: Arc<dyn Backend>, kind: &'static Kind, options: ListOptions) -> Self {
        Self { backend, kind, options, typed: Ok, state: State::Start, failures: 0 }
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
        self.state = match error {
            Error::Expired(_) if self.failures == 1 => State::Start,
            _ => State::Waiting(Box::pin(sleep(RETRY.after(self.failures)))),
        };
    }

    /// One step. Whatever is awaited stays in `state` until it is done.
    async fn step(&mut self) -> Result<Option<Event<K>>> {
        match &mut self.state {
            State::Start => {
                self.state = State::Listing { first: None, page: self.list(None) };
                Ok(None)
            }
            State::Listing { first, page } => {
                let listed = page.await?;
                let restarted = first.is_none();
                let version = first.take().unwrap_or(listed.version);
                self.state = State::Telling { page: listed.items.into_iter(), version, next: listed.next };
                Ok(restarted.then_some(Event::Restarted))
            }
            State::Telling { page, version, next } => {
                if let Some(object) = page.next() {
                    return Ok(Some(Event::Applied((self.typed)(object)?)));
                }
                let version = std::mem::take(version);
                self.state = match next.take() {
                    Some(token) => State::Listing { first: Some(version), page: self.list(Some(token)) },
                    None => State::Subscribing(self.subscribe(version)),
                };
                Ok(None)
            }
            State::Subscribing(changes) => {
                self.state = State::Following { changes: changes.await?, since: Instant::now() };
                Ok(Some(Event::Synced))
            }
            State::Following { changes, .. } => match changes.next().await {
                Some(change) => {
                    let change = change?;
                    let object = (self.typed)(change.object)?;
                    Ok(Some(match change.kind {
                        ChangeKind::Deleted => Event::Deleted(object),
                        ChangeKind::Added | ChangeKind::Modified => Event::Applied(object),
                    }))
                }
                None => Err(Error::Unavailable("the watch ended".into())),
            },
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
