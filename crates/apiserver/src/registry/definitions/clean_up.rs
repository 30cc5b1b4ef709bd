//! Deletes the objects of definitions that are being deleted, and then the definitions.
//!
//! ```text
//!   a definition is marked ─┬─► sweep: its objects are deleted ─► none left ─► the finalizer goes
//!   its last object is gone ┤                  │
//!   some time after a failure ◄────────────────┘ failed
//! ```

use std::sync::{Arc, Weak};

use objects::{Backoff, DeleteOptions, Error};
use resources::{Kind, Object, ObjectKey, custom::CustomResourceDefinition};
use tokio::{sync::watch, time::sleep};

use super::CLEANUP;
use crate::{
    registry::{Caller, Registry, Target, Wanted},
    served::Terminating,
    store::{PageOptions, Selection, Start, Stored},
};

/// Cleans up after definitions that are being deleted, until the registry is gone.
pub(crate) async fn clean_up(registry: Weak<Registry>) {
    let of = |registry: Arc<Registry>| (registry.kinds.removal_news(), registry.limits.clean_up_backoff);
    let Some((news, backoff)) = registry.upgrade().map(of) else { return };
    let sweep = || {
        let registry = registry.clone();
        async move { Some(registry.upgrade()?.sweep().await) }
    };
    at_news(news, backoff, sweep).await;
}

/// Sweeps at the start, at each news, and some time after a sweep has failed. `sweep` returns `None` at the end.
async fn at_news<F: Future<Output = Option<Result<(), Error>>>>(
    mut news: watch::Receiver<()>,
    backoff: Backoff,
    mut sweep: impl FnMut() -> F,
) {
    let mut failures = 0;
    loop {
        news.borrow_and_update();
        let Some(swept) = sweep().await else { return };
        match swept {
            Ok(()) => failures = 0,
            Err(error) => {
                failures += 1;
                tracing::warn!(
                    %error,
                    retry_ms = backoff.after(failures).as_millis() as u64,
                    "the objects of a CustomResourceDefinition that is deleted cannot be removed yet"
                );
            }
        }
        tokio::select! {
            told = news.changed() => if told.is_err() { return },
            () = sleep(backoff.after(failures)), if failures > 0 => {}
        }
    }
}

impl Registry {
    /// Deletes the objects of definitions that are being deleted; releases definitions that have none left.
    ///
    /// # Errors
    /// The last error; the other definitions have been handled.
    pub(super) async fn sweep(&self) -> Result<(), Error> {
        let mut outcome = Ok(());
        for definition in self.kinds.terminating() {
            outcome = self.sweep_one(&definition).await.and(outcome);
        }
        outcome
    }

    async fn sweep_one(&self, definition: &Terminating) -> Result<(), Error> {
        if let Some(kind) = definition.kind {
            if !definition.swept {
                self.delete_all(kind).await?;
                self.kinds.swept(definition);
            }
            if !self.store.is_empty(kind) {
                // The removal of the last one starts another sweep.
                return Ok(());
            }
        }
        self.let_go(&definition.name).await
    }

    /// Deletes all objects of a kind; those that finalizers hold are marked.
    async fn delete_all(&self, kind: &'static Kind) -> Result<(), Error> {
        let mut from = Start::Now;
        loop {
            let page = PageOptions { limit: self.limits.delete_page, from };
            let page = self.store.page(kind, &Selection::default(), page).await?;
            for stored in page.items {
                let key = ObjectKey::of(stored.object()?.metadata());
                match self.delete(kind, &key, &DeleteOptions::default(), &Caller::bootstrap()).await {
                    Ok(_) | Err(Error::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            match page.next {
                // The list goes on with what there is: the version that it began at may have expired by now.
                Some(place) => from = Start::Place(place.anew()),
                None => return Ok(()),
            }
        }
    }

    /// Takes the finalizer off a definition.
    async fn let_go(&self, name: &str) -> Result<(), Error> {
        let change = |current: &Stored| {
            let object = current.object()?;
            let mut metadata = object.metadata().clone();
            metadata.resource_version = None;
            if let Some(finalizers) = &mut metadata.finalizers {
                finalizers.retain(|finalizer| finalizer != CLEANUP);
            }
            Ok::<_, Error>(Wanted::typed(object.with_metadata(metadata)))
        };
        let (kind, key) = (<CustomResourceDefinition as Object>::kind(), ObjectKey::cluster(name));
        match self.update(kind, &key, Target::Object, &Caller::bootstrap(), change).await {
            Ok(_) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc, time::Duration};

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_sweep_that_fails_is_tried_again_and_others_wait_for_news() {
        let second = Duration::from_secs(1);
        let (teller, news) = watch::channel(());
        let start = Instant::now();
        let at = Rc::new(RefCell::new(Vec::new()));
        let sweep = || {
            let at = Rc::clone(&at);
            async move {
                at.borrow_mut().push(start.elapsed().as_secs());
                let fails = [1, 2, 3, 4, 6].contains(&at.borrow().len());
                Some(if fails { Err(Error::Unavailable("the disk is full".into())) } else { Ok(()) })
            }
        };
        let sweeping = at_news(news, Backoff { min: second, max: 4 * second }, sweep);
        let telling = async {
            tokio::time::sleep(100 * second).await;
            teller.send_replace(());
            tokio::time::sleep(100 * second).await;
            drop(teller);
        };
        tokio::join!(sweeping, telling);
        assert_eq!(*at.borrow(), [0, 1, 3, 7, 11, 100, 101]);
    }
}
