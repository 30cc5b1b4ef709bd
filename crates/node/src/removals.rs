//! Where files are removed: on threads that may block, a few at a time.

use std::{io, sync::Arc};

use tokio::{sync::Semaphore, task::spawn_blocking};

/// How many removals are under way at once. More do not make a disk faster, and the threads that block are also those of
/// the starts' volumes and images.
const REMOVALS_MAX: usize = 4;

/// Never on the thread that starts pass through, which a large directory would hold up.
#[derive(Clone)]
pub(crate) struct Removals(Arc<Semaphore>);

impl Default for Removals {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(REMOVALS_MAX)))
    }
}

impl Removals {
    /// Removes something, when its turn has come.
    pub(crate) async fn run(&self, work: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
        // The semaphore is never closed. The turn is over when the work is, whoever still waits for it.
        let turn = Arc::clone(&self.0).acquire_owned().await;
        let done = spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.map_err(io::Error::other).flatten()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures::{FutureExt, future::join_all};

    use super::*;

    #[tokio::test]
    async fn a_few_at_a_time_are_removed() {
        let removals = Removals::default();
        let (say, said) = mpsc::channel();
        let removal = |_| {
            let (go_on, held) = mpsc::channel::<()>();
            say.send(go_on).unwrap();
            removals.run(move || {
                let _ended = held.recv();
                Ok(())
            })
        };
        let mut all: Vec<_> = (0..3 * REMOVALS_MAX).map(removal).map(Box::pin).collect();
        let holds: Vec<_> = said.try_iter().collect();
        for one in &mut all {
            assert!(one.as_mut().now_or_never().is_none());
        }
        assert_eq!(removals.0.available_permits(), 0);
        drop(holds);
        assert!(join_all(all).await.into_iter().all(|removed| removed.is_ok()));
        assert_eq!(removals.0.available_permits(), REMOVALS_MAX);
    }
}
