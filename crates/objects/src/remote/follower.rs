//! One watcher's view of a kind's changes. It holds no buffer: what it has not asked for stays in the ring, and who is too
//! slow finds its place gone. Nobody waits for anybody.

use std::sync::Arc;

use futures::{StreamExt, stream};
use tokio::sync::watch;

use super::cache::Cache;
use crate::{Change, Changes, ListOptions, Result};

struct Follower {
    cache: Arc<Cache>,
    options: ListOptions,
    /// What is not newer has been read by other means.
    version: u64,
    cursor: u64,
    news: watch::Receiver<u64>,
}

/// The changes after a version.
///
/// # Errors
/// `Expired` when they are no longer there.
pub(super) fn follow(cache: Arc<Cache>, options: ListOptions, version: u64) -> Result<Changes> {
    let (cursor, news) = cache.subscribe(version)?;
    let follower = Follower { cache, options, version, cursor, news };
    let batches = stream::unfold(Some(follower), |follower| async {
        let mut follower = follower?;
        match follower.next().await {
            Ok(changes) => Some((changes.into_iter().map(Ok).collect(), Some(follower))),
            Err(error) => Some((vec![Err(error)], None)),
        }
    });
    Ok(batches.flat_map(stream::iter).boxed())
}

impl Follower {
    /// The next changes, at least one.
    async fn next(&mut self) -> Result<Vec<Change>> {
        loop {
            let end = *self.news.borrow_and_update();
            let batch = self.cache.after(self.cursor, self.version, &self.options)?;
            self.cursor = batch.cursor;
            if !batch.changes.is_empty() {
                return Ok(batch.changes);
            }
            if self.cursor >= end {
                // The sender is part of the cache that this follower holds, so it is there.
                _ = self.news.changed().await;
            }
        }
    }
}
