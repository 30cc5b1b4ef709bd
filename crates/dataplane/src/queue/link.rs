//! One HTTP/1.1 connection to an instance, driven by whoever uses it.
//!
//! hyper hands out a connection as a future to be spawned. Here the request's own task polls it instead: sending a
//! request then wakes no other task, and an unused connection is an object in a list, not a task in the runtime.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::body::Outgoing;

/// A connection that carries one request at a time.
pub(crate) struct Link {
    sender: SendRequest<Outgoing>,
    driver: Connection<TokioIo<TcpStream>, Outgoing>,
    closed: bool,
    /// The thread whose runtime watches the socket.
    thread: usize,
    /// When its last response ended; `None` while it is new.
    idle_since: Option<Instant>,
}

impl Link {
    /// A link over a new connection, which must have been made on `thread`.
    pub(super) async fn open(
        stream: TcpStream,
        thread: usize,
        head_bytes_max: usize,
    ) -> hyper::Result<Box<Self>> {
        let (sender, driver) = http(head_bytes_max).handshake(TokioIo::new(stream)).await?;
        Ok(Box::new(Self { sender, driver, closed: false, thread, idle_since: None }))
    }

    /// The same unused connection, watched by the runtime of the calling thread. Any thread may use any link, but
    /// each answer would then wake one thread to wake another. `None` when it cannot be used.
    pub(super) async fn moved(self: Box<Self>, thread: usize, head_bytes_max: usize) -> Option<Box<Self>> {
        let parts = self.driver.into_parts();
        if !parts.read_buf.is_empty() {
            return None;
        }
        let stream = parts.io.into_inner().into_std().and_then(TcpStream::from_std).ok()?;
        let mut link = Self::open(stream, thread, head_bytes_max).await.ok()?;
        link.idle_since = self.idle_since;
        Some(link)
    }

    pub(super) fn thread(&self) -> usize {
        self.thread
    }

    /// Whether it already carried a request: the instance may be closing it at this moment.
    pub(crate) fn is_reused(&self) -> bool {
        self.idle_since.is_some()
    }

    pub(super) fn idle_since(&self) -> Option<Instant> {
        self.idle_since
    }

    /// Whether another request can be sent. Reads from the socket, and so notices that the instance closed it.
    pub(super) async fn is_usable(&mut self) -> bool {
        poll_fn(|cx| {
            self.drive(cx);
            Poll::Ready(!self.closed && self.sender.is_ready())
        })
        .await
    }

    /// Sends a request and reads the response's head.
    pub(super) async fn send(
        &mut self,
        request: Request<Outgoing>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Outgoing>>> {
        let mut reply = pin!(self.sender.try_send_request(request));
        poll_fn(|cx| {
            // The reply comes out of the driver and out of nothing else, so it need not wake anyone.
            drive(&mut self.driver, &mut self.closed, cx);
            reply.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        })
        .await
    }

    /// The next part of a response.
    pub(crate) fn poll_frame(
        &mut self,
        incoming: &mut Incoming,
        cx: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let quiet = &mut Context::from_waker(Waker::noop());
        if let Poll::Ready(frame) = Pin::new(&mut *incoming).poll_frame(quiet) {
            return Poll::Ready(frame);
        }
        self.drive(cx);
        // Only the driver feeds `incoming`, and it was just polled with the real waker.
        Pin::new(incoming).poll_frame(quiet)
    }

    /// Whether the connection can carry another request, once its response has been read to the end.
    pub(crate) fn finish(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.sender.is_ready() {
            self.drive(cx);
        }
        self.idle_since = Some(Instant::now());
        !self.closed && self.sender.is_ready()
    }

    /// The bare stream after a response 101, and what was read beyond it.
    pub(super) async fn upgraded(mut self: Box<Self>) -> (TcpStream, Bytes) {
        poll_fn(|cx| {
            self.drive(cx);
            if self.closed { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        let parts = self.driver.into_parts();
        (parts.io.into_inner(), parts.read_buf)
    }

    fn drive(&mut self, cx: &mut Context<'_>) {
        drive(&mut self.driver, &mut self.closed, cx);
    }
}

fn http(head_bytes_max: usize) -> http1::Builder {
    let mut http = http1::Builder::new();
    // As towards clients: most requests are small.
    http.writev(false).max_buf_size(head_bytes_max);
    http
}

/// Does the I/O that can be done now. How it ended is told by the reply or the body, never twice.
fn drive(driver: &mut Connection<TokioIo<TcpStream>, Outgoing>, closed: &mut bool, cx: &mut Context<'_>) {
    if !*closed && Pin::new(driver).poll(cx).is_ready() {
        *closed = true;
    }
}
