//! The daemon at the other end of a socket, if there is one: what it says, and what it is told.
//!
//! The keeper never waits for a daemon: while one does not read (it is stopped, or swapped out), containers end and are
//! to be reaped. What the socket does not take waits in an outbox. A daemon for which too much waits cannot be told
//! everything any more: nothing is told to it from then on, and as soon as it listens again, it is let go. It, or the
//! one after it, then hears of all there is. Containers never hear of any of this.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::epoll::EventFlags;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::time::Timespec;

use crate::runtime::protocol::{Event, Request};
use crate::runtime::wire::Message;
use crate::runtime::{rendezvous, wire};

/// How many messages wait for a daemon beside those that its socket holds. All that is told of a full node is half of
/// it: 2,000 pods of up to three containers, one message each.
const OUTBOX_MAX: usize = 16_384;
/// How often in a row a message is tried for which the kernel is short of something.
const SHORTAGES_MAX: u32 = 1_000;

/// A daemon that has connected.
pub(super) struct Link {
    socket: OwnedFd,
    greeted: bool,
    /// It has said how to work, and knows all that is kept.
    pub(super) attached: bool,
    outbox: VecDeque<Letter>,
    /// How often in a row the kernel was short of something.
    shortages: u32,
    /// Why it cannot be told everything any more.
    given_up: Option<String>,
    /// What epoll has been told to look for.
    pub(super) watched: EventFlags,
}

/// A message that waits.
struct Letter {
    header: Vec<u8>,
    fds: Vec<OwnedFd>,
}

/// What a daemon said.
pub(super) enum Heard {
    Greeting,
    Request(Box<Message<Request>>),
    /// It is of another version.
    Stranger,
    /// It has left, or makes no sense, or is let go.
    Left,
    /// Not a whole word yet.
    Nothing,
}

/// Why a message cannot be sent.
#[derive(Debug, PartialEq, Eq)]
enum Hindrance {
    /// The daemon has not read what was said before.
    Full,
    /// It passes.
    Shortage,
    /// The daemon is gone, which the loop sees next.
    Gone,
    /// It would not help to try again.
    Broken,
}

impl Link {
    pub(super) fn new(socket: OwnedFd) -> Self {
        Self {
            socket,
            greeted: false,
            attached: false,
            outbox: VecDeque::new(),
            shortages: 0,
            given_up: None,
            watched: EventFlags::IN,
        }
    }

    pub(super) fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// What is to be looked for. In a shortage, a socket that can be written to says nothing.
    pub(super) fn interest(&self) -> EventFlags {
        if self.given_up.is_some() {
            // Whatever it says is too late; that it listens counts.
            EventFlags::OUT
        } else if !self.outbox.is_empty() && self.shortages == 0 {
            EventFlags::IN | EventFlags::OUT
        } else {
            EventFlags::IN
        }
    }

    /// Whether it is to be [flushed](Self::flush) a moment later, though nothing will tell.
    pub(super) fn in_shortage(&self) -> bool {
        self.shortages > 0 && !self.outbox.is_empty()
    }

    /// Why nothing is told to this daemon any more.
    pub(super) fn given_up(&self) -> Option<&str> {
        self.given_up.as_deref()
    }

    /// Takes one message.
    pub(super) fn hear(&mut self) -> Heard {
        if self.given_up.is_some() {
            return Heard::Left;
        }
        if self.greeted {
            return match wire::receive(self.socket()) {
                Ok(Some(request)) => Heard::Request(Box::new(request)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Heard::Nothing,
                _ => Heard::Left,
            };
        }
        let version = match rendezvous::greeted(self.socket()) {
            Ok(Some(version)) => version,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Heard::Nothing,
            _ => return Heard::Left,
        };
        self.greeted = true;
        match rendezvous::greet(self.socket()) {
            Err(_) => Heard::Left,
            Ok(()) if version != rendezvous::VERSION => Heard::Stranger,
            Ok(()) => Heard::Greeting,
        }
    }

    /// Tells the daemon something, now or as soon as it listens.
    pub(super) fn send(&mut self, event: &Event, fds: &[BorrowedFd<'_>]) {
        if self.given_up.is_some() {
            return;
        }
        let header = match wire::encode(event) {
            Ok(header) => header,
            Err(error) => return self.give_up(error.to_string()),
        };
        if self.outbox.is_empty() && self.pass(&header, fds) {
            return;
        }
        if self.outbox.len() >= OUTBOX_MAX {
            return self.give_up(format!("{OUTBOX_MAX} messages wait for it"));
        }
        match fds.iter().map(BorrowedFd::try_clone_to_owned).collect() {
            Ok(fds) => self.outbox.push_back(Letter { header, fds }),
            Err(error) => self.give_up(error.to_string()),
        }
    }

    /// Sends what waits, as far as it goes.
    pub(super) fn flush(&mut self) {
        while let Some(letter) = self.outbox.pop_front() {
            let fds: Vec<_> = letter.fds.iter().map(AsFd::as_fd).collect();
            if !self.pass(&letter.header, &fds) {
                return self.outbox.push_front(letter);
            }
        }
    }

    /// Says the last that there is to say, to a daemon that listens.
    pub(super) fn end(mut self, event: &Event, within: Timespec) {
        self.send(event, &[]);
        while !self.outbox.is_empty() {
            let mut fds = [PollFd::from_borrowed_fd(self.socket.as_fd(), PollFlags::OUT)];
            match poll(&mut fds, Some(&within)) {
                Ok(0) => return,
                Ok(_) => self.flush(),
                Err(Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }

    /// Says that this was the last, if that can be said, and parts.
    pub(super) fn let_go(self) {
        if self.given_up.is_some() {
            let _ = wire::send(self.socket(), &Event::LetGo, &[], &[]);
        }
    }

    /// Whether the message is dealt with.
    fn pass(&mut self, header: &[u8], fds: &[BorrowedFd<'_>]) -> bool {
        let Err(error) = wire::send_encoded(self.socket(), header, &[], fds) else {
            self.shortages = 0;
            return true;
        };
        match hindrance(Errno::from_io_error(&error).unwrap_or(Errno::IO)) {
            Hindrance::Gone => true,
            Hindrance::Full => {
                self.shortages = 0;
                false
            }
            Hindrance::Shortage if self.shortages < SHORTAGES_MAX => {
                self.shortages += 1;
                false
            }
            Hindrance::Shortage | Hindrance::Broken => {
                self.give_up(error.to_string());
                true
            }
        }
    }

    fn give_up(&mut self, why: String) {
        self.outbox.clear();
        self.given_up = Some(why);
    }
}

fn hindrance(errno: Errno) -> Hindrance {
    match errno {
        Errno::AGAIN => Hindrance::Full,
        Errno::NOBUFS | Errno::NOMEM | Errno::TOOMANYREFS | Errno::MFILE | Errno::NFILE => {
            Hindrance::Shortage
        }
        Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN => Hindrance::Gone,
        _ => Hindrance::Broken,
    }
}

#[cfg(test)]
mod tests;
