//! The requests of a connection that are being answered: without any it is idle and can be closed, and so can one whose
//! client takes nothing of an answer.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::Response;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};

use crate::{limits::Limits, mount::Body, rest::Place};

/// How much of an answer the transport is given at once: it keeps all of that, however little its client has room for.
const PIECE_BYTES_MAX: usize = 128 << 10;

/// Counts the requests of one connection. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(super) struct OpenAnswers(Arc<watch::Sender<Count>>);

#[derive(Default)]
struct Count {
    /// All so far.
    begun: u64,
    /// Those whose answer has not been sent completely.
    open: usize,
    /// By number, of those whose answers have places: when something of it was taken last.
    taken: HashMap<u64, Instant>,
}

/// One of them.
pub(super) struct Request {
    all: OpenAnswers,
    number: u64,
}

impl OpenAnswers {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Count::default())))
    }

    pub(super) fn begin(&self) -> Request {
        let mut number = 0;
        self.0.send_modify(|count| {
            count.begun += 1;
            count.open += 1;
            number = count.begun;
        });
        Request { all: self.clone(), number }
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

    /// Ends when the client has taken nothing of an answer for so long. What lasts, as watches do, has no place and is
    /// not meant: it may have nothing to tell.
    pub(super) async fn stalled(&self, patience: Duration) {
        let mut count = self.0.subscribe();
        let oldest = |count: watch::Ref<'_, Count>| count.taken.values().min().copied();
        loop {
            // The sender is there as long as this is.
            let waiting = count.wait_for(|count| !count.taken.is_empty()).await.map(oldest);
            let Ok(Some(oldest)) = waiting else { return };
            let due = oldest + patience;
            if due <= Instant::now() {
                return;
            }
            sleep_until(due).await;
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
    /// Counts the request as open until its answer has been sent or dropped, and keeps its place so long.
    pub(super) fn until_the_end_of(self, response: Response<Body>, place: Option<Place>) -> Response<Body> {
        if place.is_some() {
            self.taken();
        }
        response.map(|body| Answer { body, rest: Bytes::new(), place, request: self }.boxed_unsync())
    }

    /// Notes that the client takes of the answer.
    fn taken(&self) {
        let now = Instant::now();
        self.all.0.send_if_modified(|count| count.taken.insert(self.number, now).is_none());
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.all.0.send_modify(|count| {
            count.open -= 1;
            count.taken.remove(&self.number);
        });
    }
}

/// The body of an answer.
struct Answer {
    body: Body,
    /// What has come of it and has not been passed on.
    rest: Bytes,
    place: Option<Place>,
    request: Request,
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let this = self.get_mut();
        if this.rest.is_empty() {
            match ready!(Pin::new(&mut this.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                end => return Poll::Ready(end),
            }
        }
        // It is asked for when there is room.
        if this.place.is_some() {
            this.request.taken();
        }
        let piece = this.rest.split_to(this.rest.len().min(PIECE_BYTES_MAX));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let hint = self.body.size_hint();
        hint.exact().map_or(hint, |exact| SizeHint::with_exact(exact + self.rest.len() as u64))
    }
}
