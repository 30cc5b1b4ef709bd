//! The daemon at the other end of a socket, if there is one.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::runtime::protocol::{Event, Request};
use crate::runtime::wire::Message;
use crate::runtime::{rendezvous, wire};

/// A daemon that has connected.
pub(super) struct Link {
    socket: OwnedFd,
    greeted: bool,
    /// It has said how to work, and knows all that is kept.
    pub(super) attached: bool,
}

/// What a daemon said.
pub(super) enum Heard {
    Greeting,
    Request(Box<Message<Request>>),
    /// It is of another version.
    Stranger,
    /// It has left, or makes no sense.
    Left,
}

impl Link {
    pub(super) fn new(socket: OwnedFd) -> Self {
        Self { socket, greeted: false, attached: false }
    }

    pub(super) fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Takes one message, which must be there.
    pub(super) fn hear(&mut self) -> Heard {
        if self.greeted {
            return match wire::receive(self.socket()) {
                Ok(Some(request)) => Heard::Request(Box::new(request)),
                _ => Heard::Left,
            };
        }
        let Ok(Some(version)) = rendezvous::greeted(self.socket()) else { return Heard::Left };
        self.greeted = true;
        match rendezvous::greet(self.socket()) {
            Err(_) => Heard::Left,
            Ok(()) if version != rendezvous::VERSION => Heard::Stranger,
            Ok(()) => Heard::Greeting,
        }
    }

    /// Tells the daemon something. One that cannot be told anything is gone, which the loop sees next.
    pub(super) fn send(&self, event: &Event, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        match wire::send(self.socket(), event, &[], fds) {
            Err(error) if matches!(error.raw_os_error(), Some(libc::EPIPE | libc::ECONNRESET)) => Ok(()),
            other => other,
        }
    }
}
