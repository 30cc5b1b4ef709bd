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
    /// Descriptors of it are lost: this process has as many open as it may, or there were more than allowed. The kernel
    /// has closed them and the message is whole otherwise, so it is this one message that is to be refused; the next
    /// may well arrive whole.
    pub(super) crippled: bool,
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

/// As [`pair`], the first end of which never blocks. The other is a child's, which waits; but what it becomes may be a
/// program that nobody trusts, and whoever holds that end can say half of what is waited for.
pub(super) fn pair_with_child() -> Result<(OwnedFd, OwnedFd), Errno> {
    let (ours, theirs) = pair()?;
    rustix::io::ioctl_fionbio(&ours, true)?;
    Ok((ours, theirs))
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
    send_encoded(socket, &encode(header)?, body, fds)
}

/// A header, ready to be sent.
pub(super) fn encode<H: Serialize>(header: &H) -> io::Result<Vec<u8>> {
    serde_json::to_vec(header).map_err(io::Error::other)
}

/// Sends a message whose header was [encoded](encode) before.
pub(super) fn send_encoded(
    socket: BorrowedFd<'_>,
    header: &[u8],
    body: &[u8],
    fds: &[BorrowedFd<'_>],
) -> io::Result<()> {
    if header.len() + body.len() > MESSAGE_MAX {
        return Err(Errno::MSGSIZE.into());
    }
    let length = (header.len() as u32).to_ne_bytes();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS_MAX))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(Errno::INVAL.into());
    }
    let parts = [IoSlice::new(&length), IoSlice::new(header), IoSlice::new(body)];
    loop {
        match rustix::net::sendmsg(socket, &parts, &mut control, SendFlags::NOSIGNAL) {
            Err(Errno::INTR) => {}
            other => return other.map(|_| ()).map_err(io::Error::from),
        }
    }
}

/// Receives a message; `None` when the other end is closed.
pub(super) fn receive<H: DeserializeOwned>(socket: BorrowedFd<'_>) -> io::Result<Option<Message<H>>> {
    let Some((frame, fds, crippled)) = receive_frame(socket)? else { return Ok(None) };
    let broken = || io::Error::new(io::ErrorKind::InvalidData, "a message without a whole header");
    let (length, rest) = frame.split_first_chunk::<4>().ok_or_else(broken)?;
    let length = u32::from_ne_bytes(*length) as usize;
    let (header, _) = rest.split_at_checked(length).ok_or_else(broken)?;
    let header = serde_json::from_slice(header).map_err(io::Error::other)?;
    Ok(Some(Message { header, fds, crippled, frame: Frame(frame), body: 4 + length }))
}

/// A message's bytes, its descriptors, and whether some of those are lost.
type Received = (Vec<u8>, Vec<OwnedFd>, bool);

fn receive_frame(socket: BorrowedFd<'_>) -> io::Result<Option<Received>> {
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
    if received.flags.contains(ReturnFlags::TRUNC) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a message that is longer than it was"));
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
    Ok(Some((buffer, fds, received.flags.contains(ReturnFlags::CTRUNC))))
}

/// The length of the next message, whatever the buffer's.
fn peek(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    let flags = RecvFlags::PEEK | RecvFlags::TRUNC;
    Ok(retry(|| rustix::net::recv(socket.as_fd(), &mut *buffer, flags).map(|(_, length)| length))?)
}

fn retry<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            // Reset, told once: the other end ended with messages of ours unread. What it had said is still to be read.
            Err(Errno::INTR | Errno::CONNRESET) => {}
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_with_too_many_descriptors_is_crippled_and_the_next_is_whole() {
        let (ours, theirs) = pair().unwrap();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2 * FDS_MAX))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let fds = [ours.as_fd(); 2 * FDS_MAX];
        assert!(control.push(SendAncillaryMessage::ScmRights(&fds)));
        let length = 2u32.to_ne_bytes();
        let parts = [IoSlice::new(&length), IoSlice::new(b"17")];
        rustix::net::sendmsg(&ours, &parts, &mut control, SendFlags::NOSIGNAL).unwrap();
        send(ours.as_fd(), &18, b"body", &[ours.as_fd()]).unwrap();

        let first = receive::<u32>(theirs.as_fd()).unwrap().unwrap();
        assert_eq!((first.header, first.crippled), (17, true));
        let second = receive::<u32>(theirs.as_fd()).unwrap().unwrap();
        assert_eq!((second.header, second.crippled, second.fds.len()), (18, false, 1));
        assert_eq!(second.body(), b"body");
    }

    #[test]
    fn last_words_are_heard_though_the_other_end_left_messages_unread() {
        let (ours, theirs) = pair().unwrap();
        send(ours.as_fd(), &"unread", &[], &[]).unwrap();
        send(theirs.as_fd(), &"last words", &[], &[]).unwrap();
        drop(theirs);
        assert_eq!(receive::<String>(ours.as_fd()).unwrap().unwrap().header, "last words");
        assert!(receive::<String>(ours.as_fd()).unwrap().is_none());
    }
}
