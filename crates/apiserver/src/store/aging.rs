//! Lets recent changes go when they are no longer recent and no write comes that would.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{
    task::yield_now,
    time::{Instant, sleep},
};

use super::{Store, stored::cool_all};

/// Works until the store is gone. There is no timer while nothing ages.
pub(crate) async fn let_age(store: Weak<Store>, kept_for: Duration) {
    let of = |store: Arc<Store>| Arc::clone(&store.lock().aging);
    let Some(aging) = store.upgrade().map(of) else { return };
    loop {
        aging.notified().await;
        sleep(kept_for).await;
        loop {
            let Some(store) = store.upgrade() else { return };
            let (cooling, more) = store.lock().age(Instant::now());
            cool_all(&cooling);
            if !more {
                break;
            }
            drop(store);
            // Others get their turn at the lock.
            yield_now().await;
        }
    }
}
