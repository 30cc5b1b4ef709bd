//! Keeps one kind's cache: lists once, then watches, and goes on by itself whatever happens to the watch.

use std::sync::Arc;

use http::Method;
use parking_lot::Mutex;
use resources::{Kind, ObjectKey};
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::{
    cache::Cache,
    connection::Connection,
    decode::{self, Line, Page},
    failure::Refusal,
    options::{RemoteLimits, Scope},
    request,
};
use crate::{Error, Result};

/// A kind's reflector; asleep until somebody wants the kind.
pub(super) struct Reflector {
    feed: Feed,
    running: Mutex<Option<Running>>,
    /// Held by the one who starts it.
    starting: tokio::sync::Mutex<()>,
}

struct Running {
    cache: Arc<Cache>,
    task: AbortOnDropHandle<()>,
}

/// Where a kind's objects come from.
#[derive(Clone)]
struct Feed {
    kind: &'static Kind,
    scope: Scope,
    connection: Arc<Connection>,
    limits: RemoteLimits,
}

impl Reflector {
    pub(super) fn new(
        kind: &'static Kind,
        scope: Scope,
        connection: Arc<Connection>,
        limits: RemoteLimits,
    ) -> Self {
        let feed = Feed { kind, scope, connection, limits };
        Self { feed, running: Mutex::default(), starting: tokio::sync::Mutex::default() }
    }

    /// Whether an object with this key would be in the cache.
    pub(super) fn sees(&self, key: &ObjectKey) -> bool {
        self.feed.scope.covers(key)
    }

    /// The cache, if it is being kept.
    pub(super) fn warm(&self) -> Option<Arc<Cache>> {
        let running = self.running.lock();
        running
            .as_ref()
            .filter(|running| !running.task.is_finished())
            .map(|running| Arc::clone(&running.cache))
    }

    /// The cache; the first to ask fills it.
    ///
    /// # Errors
    /// Those of the list; nothing is kept of it, and the next one to ask tries again.
    pub(super) async fn cache(&self) -> Result<Arc<Cache>> {
        if let Some(cache) = self.warm() {
            return Ok(cache);
        }
        let _starting = self.starting.lock().await;
        if let Some(cache) = self.warm() {
            return Ok(cache);
        }
        let Feed { kind, scope, limits, .. } = &self.feed;
        let page = self.feed.list().await?;
        let cache = Arc::new(Cache::new(kind, scope.clone(), page, limits.changes_per_kind_max));
        let task = tokio::spawn(self.feed.clone().run(Closing(Arc::clone(&cache))));
        *self.running.lock() =
            Some(Running { cache: Arc::clone(&cache), task: AbortOnDropHandle::new(task) });
        Ok(cache)
    }
}

/// Tells followers when the task ends, however it ends.
struct Closing(Arc<Cache>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// How a watch came to its end.
struct End {
    /// Whether it had told something, a bookmark at least.
    told: bool,
    error: Option<Error>,
}

impl Feed {
    async fn run(self, cache: Closing) {
        let Closing(cache) = &cache;
        // In a row, without anything told in between.
        let (mut failures, mut gaps) = (0, 0);
        loop {
            let mut end = self.watch(cache).await;
            if end.told {
                (failures, gaps) = (0, 0);
            }
            if let Some(Error::Expired(_)) = end.error {
                end = match self.list().await {
                    Ok(page) => {
                        let objects = page.items.len();
                        tracing::info!(kind = ?self.kind, objects, "a gap in the watch was bridged by a list");
                        cache.bridge(page);
                        // The server is back, however often it failed before; gaps alone make the wait longer.
                        failures = gaps;
                        gaps += 1;
                        End { told: false, error: None }
                    }
                    Err(error) => End { told: false, error: Some(error) },
                };
            }
            match &end.error {
                // Servers end a watch after a while; the next one begins at once, or a change would wait for it.
                None if end.told => continue,
                None => tracing::debug!(kind = ?self.kind, "a watch ended that had told nothing"),
                Some(error) => {
                    tracing::warn!(kind = ?self.kind, %error, "a watch failed and is taken up again")
                }
            }
            failures += 1;
            sleep(self.limits.retry.after(failures)).await;
        }
    }

    /// Follows the kind from where the cache is, until the server ends the watch or something breaks.
    async fn watch(&self, cache: &Cache) -> End {
        let mut told = false;
        let error = self.follow(cache, &mut told).await.err();
        End { told, error }
    }

    async fn follow(&self, cache: &Cache, told: &mut bool) -> Result<()> {
        let path = request::watch(self.kind, &self.scope, cache.version(), self.limits.watch_timeout);
        let mut lines = self.connection.lines(&path).await.map_err(|refusal| self.error(refusal))?;
        loop {
            let line = timeout(self.limits.watch_idle_max, lines.next()).await.map_err(|_| {
                let seconds = self.limits.watch_idle_max.as_secs_f64();
                Error::Unavailable(format!(
                    "nothing came for watch_idle_max ({seconds} s), not even a bookmark"
                ))
            })?;
            let Some(line) = line.map_err(|refusal| self.error(refusal))? else { return Ok(()) };
            match decode::line(self.kind, &line) {
                Ok(Line::Change(change, object)) => cache.apply(change, object),
                Ok(Line::Bookmark(version)) => cache.bookmark(version),
                Ok(Line::Failed(status)) => return Err(status.into_error(self.kind, "")),
                // What was known of it stays: better old than gone.
                Err(error) => tracing::warn!(%error, "a change does not fit its kind and is left out"),
            }
            *told = true;
        }
    }

    /// All there is.
    async fn list(&self) -> Result<Page> {
        match self.list_pages(Some(self.limits.page_max)).await {
            // The pages' version was forgotten meanwhile: once more in one piece (upstream: client-go, `tools/pager`).
            Err(Error::Expired(_)) => self.list_pages(None).await,
            listed => listed,
        }
    }

    async fn list_pages(&self, limit: Option<usize>) -> Result<Page> {
        let mut all = self.page(limit, None).await?;
        while let Some(token) = all.next.take() {
            let page = self.page(limit, Some(&token)).await?;
            all.items.extend(page.items);
            all.unreadable.extend(page.unreadable);
            all.next = page.next;
        }
        Ok(all)
    }

    async fn page(&self, limit: Option<usize>, token: Option<&str>) -> Result<Page> {
        let path = request::page(self.kind, &self.scope, limit, token);
        let body = self
            .connection
            .call(Method::GET, &path, Vec::new())
            .await
            .map_err(|refusal| self.error(refusal))?;
        decode::page(self.kind, &body).map_err(|error| Error::Internal(format!("GET {path}: {error}")))
    }

    fn error(&self, refusal: Refusal) -> Error {
        refusal.into_error(self.kind, "")
    }
}
