//! A watch that lists, follows and, when it has lost its place, lists again.

use std::{sync::Arc, time::Duration};

use futures::StreamExt;
use resources::{DynObject, Kind, Object};
use tokio::time::sleep;

use crate::{Backend, ChangeKind, Changes, Error, ListOptions, Result, client::typed};

/// Objects read at a time while listing, so that a large kind never stands in memory as a whole.
const PAGE_MAX: usize = 500;
/// The first wait after a failure; doubles up to [`RETRY_MAX`].
const RETRY_MIN: Duration = Duration::from_millis(10);
/// The longest wait after a failure.
const RETRY_MAX: Duration = Duration::from_secs(5);

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
    retry: Duration,
}

enum State {
    Start,
    Listing { page: std::vec::IntoIter<Arc<dyn DynObject>>, version: String, next: Option<String> },
    Following(Changes),
}

impl<K: Object> Watch<K> {
    pub(crate) fn new(backend: Arc<dyn Backend>, options: ListOptions) -> Self {
        Self { backend, kind: K::kind(), options, typed, state: State::Start, retry: RETRY_MIN }
    }
}

impl Watch<dyn DynObject> {
    pub(crate) fn untyped(backend: Arc<dyn Backend>, kind: &'static Kind, options: ListOptions) -> Self {
        Self { backend, kind, options, typed: Ok, state: State::Start, retry: RETRY_MIN }
    }
}

impl<K: ?Sized> Watch<K> {
    /// The next event; waits for as long as it takes. Cancel safe.
    pub async fn next(&mut self) -> Event<K> {
        loop {
            match self.step().await {
                Ok(Some(event)) => return event,
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(kind = ?self.kind, %error, "watch lost its place, listing again");
                    self.state = State::Start;
                    if !matches!(error, Error::Expired(_)) {
                        sleep(self.retry).await;
                        self.retry = (self.retry * 2).min(RETRY_MAX);
                    }
                }
            }
        }
    }

    async fn step(&mut self) -> Result<Option<Event<K>>> {
        match &mut self.state {
            State::Start => {
                let (page, version, next) = list(&self.backend, self.kind, &self.options, None).await?;
                self.state = State::Listing { page, version, next };
                Ok(Some(Event::Restarted))
            }
            State::Listing { page, version, next } => {
                if let Some(object) = page.next() {
                    return Ok(Some(Event::Applied((self.typed)(object)?)));
                }
                if let Some(token) = next.take() {
                    // Changes are followed from the first page on, so none is missed between two pages.
                    let version = std::mem::take(version);
                    let (page, _, next) = list(&self.backend, self.kind, &self.options, Some(token)).await?;
                    self.state = State::Listing { page, version, next };
                    return Ok(None);
                }
                let changes = self.backend.changes(self.kind, &self.options, version).await?;
                self.state = State::Following(changes);
                self.retry = RETRY_MIN;
                Ok(Some(Event::Synced))
            }
            State::Following(changes) => match changes.next().await {
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
        }
    }
}

type Page = (std::vec::IntoIter<Arc<dyn DynObject>>, String, Option<String>);

async fn list(
    backend: &Arc<dyn Backend>,
    kind: &'static Kind,
    options: &ListOptions,
    token: Option<String>,
) -> Result<Page> {
    let options = ListOptions { limit: PAGE_MAX, continue_token: token, ..options.clone() };
    let listed = backend.list(kind, &options).await?;
    Ok((listed.items.into_iter(), listed.version, listed.next))
}
