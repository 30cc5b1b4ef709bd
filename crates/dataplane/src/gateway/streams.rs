//! HTTP/2 streams as tasks that can be ended one by one.

use futures::future::{AbortHandle, Abortable};
use hyper::rt::Executor;

tokio::task_local! {
    /// Ends the stream whose task this is.
    static STREAM: AbortHandle;
}

/// Runs each HTTP/2 stream of a client in a task of its own. Ending the task resets the stream, which hyper does not
/// do by itself while the client takes nothing of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Streams;

impl<F> Executor<F> for Streams
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let (handle, registration) = AbortHandle::new_pair();
        tokio::spawn(STREAM.scope(handle, Abortable::new(stream, registration)));
    }
}

/// The stream that is being worked on; `None` in HTTP/1.1, where the connection is all there is.
pub(super) fn current() -> Option<AbortHandle> {
    STREAM.try_with(AbortHandle::clone).ok()
}
