//! Changed ConfigMaps take effect at once: what depends on them is reconciled anew.

use std::sync::Arc;

use objects::{Client, ListOptions, Queue, Result};
use resources::{Object, ObjectKey, config::Configs};
use tokio::sync::watch;

/// Keys read at a time.
const PAGE_MAX: usize = 500;

/// Adds every object of a kind to a controller's queue when the ConfigMaps change in a way that matters to it. Works
/// until it is dropped.
pub(crate) async fn requeue_on_change<K: Object>(
    client: &Client,
    queue: Arc<Queue<ObjectKey>>,
    mut configs: watch::Receiver<Arc<Configs>>,
    matters: impl Fn(&Configs, &Configs) -> bool,
) {
    let mut seen = Arc::clone(&configs.borrow_and_update());
    while configs.changed().await.is_ok() {
        let new = Arc::clone(&configs.borrow_and_update());
        if matters(&seen, &new)
            && let Err(error) = add_all::<K>(client, &queue).await
        {
            // What changes meanwhile sees the new configuration; the rest keeps the old one until it does.
            tracing::warn!(kind = K::kind().kind, %error, "could not list after a change of configuration");
        }
        seen = new;
    }
    std::future::pending().await
}

async fn add_all<K: Object>(client: &Client, queue: &Queue<ObjectKey>) -> Result<()> {
    let mut options = ListOptions { limit: PAGE_MAX, ..ListOptions::all() };
    loop {
        let page = client.backend().list(K::kind(), &options).await?;
        page.items.iter().for_each(|object| queue.add(ObjectKey::of(object.metadata())));
        match page.next {
            Some(next) => options.continue_token = Some(next),
            None => return Ok(()),
        }
    }
}
