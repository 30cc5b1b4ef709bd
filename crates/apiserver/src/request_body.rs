//! The body of a request. It is received to its end even if nobody reads it: if the server answers while the client still
//! sends, a reset of the stream follows (RFC 9113, 8.1), and clients such as curl take the reset for a failure and never
//! show the answer.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use crate::Limits;

/// The body of a request. What is left of it when it is dropped is still received and thrown away, within
/// [`Limits::unread_bytes_max`] and [`Limits::unread_timeout`].
#[derive(Debug)]
pub struct RequestBody {
    /// `None` once it is being thrown away.
    incoming: Option<Incoming>,
    unread: Unread,
}

/// How a body that nobody reads is received.
#[derive(Clone, Copy, Debug)]
struct Unread {
    bytes_max: usize,
    timeout: Duration,
    /// The client waits for `100 Continue`, which is sent when somebody reads; until then no body arrives.
    expects_continue: bool,
}

impl RequestBody {
    pub(crate) fn of(request: Request<Incoming>, limits: &Limits) -> Request<Self> {
        let unread = Unread {
            bytes_max: limits.unread_bytes_max,
            timeout: limits.unread_timeout,
            expects_continue: expects_continue(request.headers()),
        };
        request.map(|incoming| Self { incoming: Some(incoming), unread })
    }
}

fn expects_continue(headers: &HeaderMap) -> bool {
    headers.get(header::EXPECT).is_some_and(|expect| expect.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.unread.expects_continue = false;
        match &mut self.incoming {
            Some(incoming) => Pin::new(incoming).poll_frame(context).map_err(io::Error::other),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let left = self.incoming.take().filter(|left| !left.is_end_stream() && !self.unread.expects_continue);
        if let Some(left) = left {
            let Unread { bytes_max, timeout: patience, .. } = self.unread;
            // At most one per stream, and the number of streams is bounded.
            tokio::spawn(timeout(patience, throw_away(left, bytes_max)));
        }
    }
}

async fn throw_away(mut body: Incoming, bytes_max: usize) {
    let mut room = bytes_max;
    while let Some(Ok(frame)) = body.frame().await {
        let len = frame.data_ref().map_or(0, Bytes::len);
        match room.checked_sub(len) {
            Some(left) => room = left,
            None => return,
        }
    }
}
