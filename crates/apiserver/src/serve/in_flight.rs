//! Counts the requests of a connection that are being answered, so that an idle connection can be closed.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::Response;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::{sync::watch, time::timeout};

use crate::{limits::Limits, mount::Body};

/// Counts the requests of one connection. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(super) struct InFlight(Arc<watch::Sender<Count>>);

#[derive(Clone, Copy, Default)]
struct Count {
    /// All so far.
    begun: u64,
    /// Those whose answer has not been sent completely.
    open: usize,
}

/// One of them.
pub(super) struct Request(InFlight);

impl InFlight {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Count::default())))
    }

    pub(super) fn begin(&self) -> Request {
        self.0.send_modify(|count| {
            count.begun += 1;
            count.open += 1;
        });
        Request(self.clone())
    }

    pub(super) fn is_none(&self) -> bool {
        self.0.borrow().open == 0
    }

    /// Ends when the first request, or the next one, took too long to arrive.
    pub(super) async fn idle(&self, limits: &Limits) {
        let mut patience = limits.handshake_timeout;
        loop {
            if !self.goes_on(patience).await {
                return;
            }
            patience = limits.idle_timeout;
        }
    }

    /// Whether, once all are answered, another one begins in time.
    async fn goes_on(&self, patience: Duration) -> bool {
        let mut count = self.0.subscribe();
        // The sender is there as long as this is.
        let Ok(begun) = count.wait_for(|count| count.open == 0).await.map(|count| count.begun) else {
            return false;
        };
        timeout(patience, count.wait_for(|count| count.begun > begun)).await.is_ok()
    }
}

impl Request {
    /// Counts the request as open until its answer has been sent or dropped.
    pub(super) fn until_the_end_of(self, response: Response<Body>) -> Response<Body> {
        response.map(|body| Answer { body, _request: self }.boxed_unsync())
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| count.open -= 1);
    }
}

/// The body of an answer.
struct Answer {
    body: Body,
    _request: Request,
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
