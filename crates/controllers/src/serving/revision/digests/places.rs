//! How many answers of registries are awaited at once.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// Of all registries.
const ANSWERS_MAX: usize = 128;
/// Of one registry: for images that were never asked for, and as many for those that it did not have before, so that the
/// many retries of some do not hold up others.
const ANSWERS_PER_REGISTRY_MAX: usize = 4;

/// The places at registries.
pub(super) struct Places {
    all: Semaphore,
    /// By registry and whether it was asked before; only while somebody has one or waits for one.
    of_registries: Mutex<HashMap<(String, bool), Arc<Semaphore>>>,
}

impl Default for Places {
    fn default() -> Self {
        Self { all: Semaphore::new(ANSWERS_MAX), of_registries: Mutex::default() }
    }
}

impl Places {
    /// Waits for a place at a registry, which is free again when what is returned is dropped.
    pub(super) async fn take(
        &self,
        registry: &str,
        again: bool,
    ) -> (Option<OwnedSemaphorePermit>, Option<SemaphorePermit<'_>>) {
        // Neither is ever closed. That of the registry comes first: who waits for it keeps nobody else from theirs.
        let own = self.of(registry, again).acquire_owned().await.ok();
        let shared = self.all.acquire().await.ok();
        (own, shared)
    }

    fn of(&self, registry: &str, again: bool) -> Arc<Semaphore> {
        let mut places = self.of_registries.lock();
        places.retain(|_, place| Arc::strong_count(place) > 1);
        let place = places.entry((registry.to_owned(), again));
        Arc::clone(place.or_insert_with(|| Arc::new(Semaphore::new(ANSWERS_PER_REGISTRY_MAX))))
    }
}
