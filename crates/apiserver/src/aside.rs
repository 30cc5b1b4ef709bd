//! Work on bodies and objects that are long: megabytes keep a processor busy for hundreds of milliseconds, and there are
//! few threads that everything else waits for.

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task::block_in_place,
};

/// How many bytes of JSON are long: a few milliseconds of work.
pub(crate) const LONG_BYTES: usize = 64 << 10;

/// Does some work; if it is about something long, while another thread takes this one's place.
pub(crate) fn aside<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    let has_others = || {
        let runtime = Handle::try_current();
        runtime.is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread)
    };
    if bytes >= LONG_BYTES && has_others() { block_in_place(work) } else { work() }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use super::*;

    /// Whether others get their turn during work on so many bytes.
    async fn others_go_on(bytes: usize) -> bool {
        let (tell, told) = mpsc::channel();
        let work = tokio::spawn(async move {
            tokio::spawn(async move { tell.send(()) });
            let patience = Duration::from_millis(if bytes >= LONG_BYTES { 20_000 } else { 100 });
            aside(bytes, || told.recv_timeout(patience).is_ok())
        });
        work.await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn others_do_not_wait_for_long_work() {
        assert!(others_go_on(LONG_BYTES).await);
        assert!(!others_go_on(LONG_BYTES - 1).await, "what is short is not worth a thread");
    }

    #[tokio::test]
    async fn a_thread_alone_does_its_work_itself() {
        assert_eq!(aside(LONG_BYTES, || 7), 7);
    }
}
