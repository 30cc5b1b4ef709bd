//! Messages with descriptors over a seqpacket socket.
//!
//! A message is a header, which both ends read, and a body, which the keeper passes on unread to the process that it
//! is for:
//!
//! ```text
//! ┌─────────────┬─────────────────┬────────────┐
//! │ u32, native │ header, JSON    │ body       │   + up to FDS_MAX descriptors
//! └─────────────┴─────────────────┴────────────┘
//! ```

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, socketpair, sockopt,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The largest message: a container's arguments and environment are nearly all of it, and the kernel itself refuses
/// to execute a program with more than 2 MiB of those.
pub(super) const MESSAGE_MAX: usize = 4 << 20;
/// The most descriptors in a message.
const FDS_MAX: usize = 8;
/// What most messages fit in, so that receiving one needs no second look at its length.
const TYPICAL: usize = 16 << 10;

/// A received message.
pub(super) struct Message<H> {
    pub(super) header: H,
    pub(super) fds: Vec<OwnedFd>,
    frame: Frame,
    body: usize,
}

/// The bytes of a message.
struct Frame(Vec<u8>);

impl<H> Message<H> {
    pub(super) fn body(&self) -> &[u8] {
        &self.frame.0[self.body..]
    }
}

impl Drop for Frame {
    /// A body holds a container's environment, secrets included, and the keeper's memory is copied into the init of
    /// every later container: leave nothing behind.
    fn drop(&mut self) {
        self.0.fill(0);
        std::hint::black_box(&mut self.0);
    }
}

/// A connected pair of sockets, closed on exec.
pub(super) fn pair() -> Result<(OwnedFd, OwnedFd), Errno> {
    let (a, b) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    [&a, &b].into_iter().try_for_each(enlarge)?;
    Ok((a, b))
}

/// Makes room for the largest message.
pub(super) fn enlarge(socket: &OwnedFd) -> Result<(), Errno> {
    // Without the privilege the kernel's default (208 KiB) stays, and a larger message is refused by EMSGSIZE.
    if sockopt::set_socket_send_buffer_size_force(socket, 2 * MESSAGE_MAX).is_err() {
        sockopt::set_socket_send_buffer_size(socket, 2 * MESSAGE_MAX)?;
    }
    Ok(())
}

/// Sends a message. With a non-blocking socket, `WouldBlock` means that nothing was sent.
pub(super) fn send<H: Serialize>(
    socket: BorrowedFd<'_>,
    header: &H,
    body: &[u8],
    fds: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let header = serde_json::to_vec(header).map_err(io::Error::other)?;
    if header.len() + body.len() > MESSAGE_MAX {
        return Err(Errno::MSGSIZE.into());
    }
    let length = (header.len() as u32).to_ne_bytes();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS_MAX))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(Errno::INVAL.into());
    }
    let parts = [IoSlice::new(&length), IoSlice::new(&header), IoSlice::new(body)];
    loop {
        match rustix::net::sendmsg(socket, &parts, &mut control, SendFlags::NOSIGNAL) {
            Err(Errno::INTR) => {}
            other => return other.map(|_| ()).map_err(io::Error::from),
        }
    }
}

/// Receives a message; `None` when the other end is closed.
pub(super) fn receive<H: DeserializeOwned>(socket: BorrowedFd<'_>) -> io::Result<Option<Message<H>>> {
    let (frame, fds) = match receive_frame(socket) {
        Ok(Some(received)) => received,
        Ok(None) => return Ok(None),
        // The other end ended with messages of ours unread.
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
        Err(error) => return Err(error),
    };
    let broken = || io::Error::new(io::ErrorKind::InvalidData, "a message without a whole header");
    let (length, rest) = frame.split_first_chunk::<4>().ok_or_else(broken)?;
    let length = u32::from_ne_bytes(*length) as usize;
    let (header, _) = rest.split_at_checked(length).ok_or_else(broken)?;
    let header = serde_json::from_slice(header).map_err(io::Error::other)?;
    Ok(Some(Message { header, fds, frame: Frame(frame), body: 4 + length }))
}

fn receive_frame(socket: BorrowedFd<'_>) -> io::Result<Option<(Vec<u8>, Vec<OwnedFd>)>> {
    let mut buffer = vec![0; TYPICAL];
    let length = peek(socket, &mut buffer)?;
    if length > buffer.len() {
        if length > MESSAGE_MAX + TYPICAL {
            return Err(Errno::MSGSIZE.into());
        }
        buffer.resize(length, 0);
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS_MAX))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = retry(|| {
        rustix::net::recvmsg(
            socket,
            &mut [IoSliceMut::new(&mut buffer)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        )
    })?;
    if received.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a message with more descriptors than allowed",
        ));
    }
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            fds.extend(received);
        }
    }
    if received.bytes == 0 {
        return Ok(None);
    }
    buffer.truncate(received.bytes);
    Ok(Some((buffer, fds)))
}

/// The length of the next message, whatever the buffer's.
fn peek(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    let flags = RecvFlags::PEEK | RecvFlags::TRUNC;
    Ok(retry(|| rustix::net::recv(socket.as_fd(), &mut *buffer, flags).map(|(_, length)| length))?)
}

fn retry<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            other => return other,
        }
    }
}
