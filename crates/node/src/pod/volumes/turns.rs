//! Making a pod's volumes and removing them, one after the other. A thread that is making some goes on when nobody waits
//! for it any more, as when the pod is deleted meanwhile; what it makes must not come after the removal.

use std::sync::Arc;

use tokio::{
    sync::Mutex,
    task::{JoinError, spawn_blocking},
};

/// One pod's.
#[derive(Clone, Debug, Default)]
pub(in crate::pod) struct Turns(Arc<Mutex<()>>);

impl Turns {
    /// Does work that blocks, on a thread that may.
    pub(in crate::pod) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        let turn = Arc::clone(&self.0).lock_owned().await;
        let done = spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await
    }

    /// Waits until nothing is under way.
    pub(in crate::pod) async fn over(&self) {
        drop(self.0.lock().await);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn what_nobody_waits_for_is_under_way_all_the_same() {
        let turns = Turns::default();
        let ((go_on, held), (say, said)) = (mpsc::channel(), mpsc::channel());
        let work = turns.run(move || {
            held.recv().unwrap();
            say.send("done").unwrap();
        });
        assert!(work.now_or_never().is_none());
        assert!(turns.over().now_or_never().is_none(), "it is given up, and not over");
        go_on.send(()).unwrap();
        turns.over().await;
        assert_eq!(said.try_recv(), Ok("done"));
    }
}
