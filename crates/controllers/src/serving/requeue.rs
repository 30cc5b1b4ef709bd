//! Changed ConfigMaps take effect at once: what depends on them is reconciled anew.

use std::sync::Arc;

use objects::{Client, Queue, queue_all};
use resources::{Object, ObjectKey, config::Configs};
use tokio::sync::watch;

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
        if matters(&seen, &new) {
            queue_all::<K>(client, &queue).await;
        }
        seen = new;
    }
    std::future::pending().await
}
