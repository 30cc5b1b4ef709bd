//! Bodies, passed on frame by frame and never gathered.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};

use crate::activator::Visit;
use crate::gateway::{Busy, Watched};
use crate::queue::{Link, Stream};

/// The body of a request on its way to an instance.
pub(crate) enum Outgoing {
    Empty,
    Client(Incoming),
}

impl HttpBody for Outgoing {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        match &mut *self {
            Self::Empty => Poll::Ready(None),
            Self::Client(incoming) => Pin::new(incoming).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Client(incoming) => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Client(incoming) => incoming.size_hint(),
        }
    }
}

/// The body of a response on its way to the client.
///
/// It holds what the request holds: its slot, its connection, its timeouts. All of it is given back when the last
/// frame is out, or when the body is dropped: the client went away, or the response ran out of time.
pub(crate) struct Body {
    frames: Frames,
    watched: Option<Watched>,
    visit: Option<Visit>,
    busy: Option<Busy>,
}

enum Frames {
    End,
    Text(Bytes),
    Stream { incoming: Incoming, _stream: Stream },
    Link { incoming: Incoming, link: Box<Link> },
}

impl Body {
    pub(crate) fn empty() -> Self {
        Self::of(Frames::End, None)
    }

    pub(crate) fn text(text: impl Into<Bytes>) -> Self {
        Self::of(Frames::Text(text.into()), None)
    }

    /// A response over a shared connection.
    pub(crate) fn stream(incoming: Incoming, stream: Stream, visit: Visit) -> Self {
        Self::of(Frames::Stream { incoming, _stream: stream }, Some(visit))
    }

    /// A response over a connection of its own, which returns to the pool.
    pub(crate) fn link(incoming: Incoming, link: Box<Link>, visit: Visit) -> Self {
        Self::of(Frames::Link { incoming, link }, Some(visit))
    }

    /// The response is watched until this body has ended.
    pub(crate) fn watched(mut self, watched: Option<Watched>) -> Self {
        self.watched = watched;
        self
    }

    /// The client's connection counts as busy until the response has ended.
    pub(crate) fn keeping(mut self, busy: Busy) -> Self {
        self.busy = Some(busy);
        self
    }

    pub(crate) fn visit(&self) -> Option<&Visit> {
        self.visit.as_ref()
    }

    fn of(frames: Frames, visit: Option<Visit>) -> Self {
        Self { frames, watched: None, visit, busy: None }
    }

    fn finish(&mut self, cx: &mut Context<'_>) {
        if let Frames::Link { mut link, .. } = std::mem::replace(&mut self.frames, Frames::End)
            && let Some(visit) = &self.visit
            && link.finish(cx)
        {
            visit.keep(link);
        }
        self.visit = None;
        self.watched = None;
    }
}

impl Drop for Body {
    /// A response without a body is dropped unread, and its connection is as good as any other's.
    fn drop(&mut self) {
        if matches!(&self.frames, Frames::Link { incoming, .. } if incoming.is_end_stream()) {
            self.finish(&mut Context::from_waker(Waker::noop()));
        }
    }
}

impl Frames {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        match self {
            Self::End => Poll::Ready(None),
            Self::Text(text) => {
                let text = std::mem::take(text);
                *self = Self::End;
                Poll::Ready(Some(Ok(Frame::data(text))))
            }
            Self::Stream { incoming, .. } => Pin::new(incoming).poll_frame(cx),
            Self::Link { incoming, link } => link.poll_frame(incoming, cx),
        }
    }

    fn is_end(&self) -> bool {
        match self {
            Self::End => true,
            Self::Text(text) => text.is_empty(),
            Self::Stream { incoming, .. } | Self::Link { incoming, .. } => incoming.is_end_stream(),
        }
    }
}

/// Why a response broke off. The connection to the client is cut, so that it cannot take a part for the whole.
#[derive(Debug, thiserror::Error)]
#[error("the instance broke off its response")]
pub(crate) struct BodyError(#[source] hyper::Error);

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        match this.frames.poll(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                if this.frames.is_end() {
                    this.finish(cx);
                } else if let Some(watched) = &this.watched {
                    watched.progressed();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                this.frames = Frames::End;
                this.finish(cx);
                Poll::Ready(Some(Err(BodyError(error))))
            }
            Poll::Ready(None) => {
                this.finish(cx);
                Poll::Ready(None)
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_end()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.frames {
            Frames::End => SizeHint::with_exact(0),
            Frames::Text(text) => SizeHint::with_exact(text.len() as u64),
            Frames::Stream { incoming, .. } | Frames::Link { incoming, .. } => incoming.size_hint(),
        }
    }
}
