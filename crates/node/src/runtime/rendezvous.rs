//! Where a daemon finds the keeper, and how they greet: a socket in a directory that only this user can enter.
//!
//! ```text
//!  daemon                                 keeper
//!    │── connect ──────────────────────────▶│ who is not this user is turned away
//!    │── "ebb-keep", version ──────────────▶│
//!    │◀──────────────── "ebb-keep", version ─│ another version: kills and removes all it has, and ends
//!    │── Configure ────────────────────────▶│ from here on it is as `protocol` says
//! ```
//!
//! The greeting is 12 bytes and stays what it is in every version, so that daemon and keeper of different ones part in
//! good order: the daemon waits for the keeper's end and starts its own.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags, unlinkat};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, listen,
    recv, send, socket_with, sockopt,
};

use super::wire;
use crate::private_dir;

/// The version of `protocol`. It changes with every change of what daemon and keeper say to each other, which ends
/// the containers of those who upgrade while they run.
pub(super) const VERSION: u32 = 4;

const MAGIC: [u8; 8] = *b"ebb-keep";
const GREETING: usize = MAGIC.len() + size_of::<u32>();
const FILE: &str = "keeper.sock";
/// How many daemons may wait. There is one; a second may come before the keeper knows that the first is dead.
const WAITING_MAX: i32 = 4;

/// Makes the directory and a keeper's listening socket in it, in place of one that nobody listens on any more.
pub(super) fn open(dir: &Path) -> io::Result<OwnedFd> {
    private_dir::make(dir)?;
    match fs::remove_file(dir.join(FILE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    bind(&socket, &Directory::open(dir)?.address()?)?;
    fs::set_permissions(dir.join(FILE), std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    listen(&socket, WAITING_MAX)?;
    Ok(socket)
}

/// Connects to the keeper of a directory, without blocking from then on; `None` when there is none.
pub(super) fn connect(dir: &Path) -> io::Result<Option<OwnedFd>> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    wire::enlarge(&socket)?;
    let directory = match Directory::open(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    match rustix::net::connect(&socket, &directory.address()?) {
        Ok(()) if is_own(&socket) => Ok(Some(socket)),
        Ok(()) => Err(io::Error::new(io::ErrorKind::PermissionDenied, "the keeper is another user's")),
        Err(Errno::NOENT | Errno::CONNREFUSED) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// What has come of taking a waiting daemon.
#[derive(Debug)]
pub(super) enum Accepted {
    /// Its socket, which does not block.
    Daemon(OwnedFd),
    /// It was turned away, or has left already.
    Nobody,
    /// It still waits: the machine, or this process, is short of something just now.
    Later(Errno),
}

/// Takes a waiting daemon. An error is a listener that is none.
pub(super) fn accept(listener: BorrowedFd<'_>) -> io::Result<Accepted> {
    match accept_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
        Ok(socket) if is_own(&socket) && wire::enlarge(&socket).is_ok() => Ok(Accepted::Daemon(socket)),
        Ok(_) => Ok(Accepted::Nobody),
        Err(errno) => not_accepted(errno),
    }
}

/// Nothing that passes may end a keeper: its containers would end with it.
fn not_accepted(errno: Errno) -> io::Result<Accepted> {
    match errno {
        Errno::BADF | Errno::NOTSOCK | Errno::INVAL | Errno::OPNOTSUPP | Errno::FAULT => Err(errno.into()),
        Errno::INTR | Errno::AGAIN | Errno::CONNABORTED | Errno::PERM | Errno::PROTO => Ok(Accepted::Nobody),
        _ => Ok(Accepted::Later(errno)),
    }
}

/// Says which version this is.
pub(super) fn greet(socket: BorrowedFd<'_>) -> io::Result<()> {
    let mut greeting = [0; GREETING];
    greeting[..MAGIC.len()].copy_from_slice(&MAGIC);
    greeting[MAGIC.len()..].copy_from_slice(&VERSION.to_le_bytes());
    send(socket, &greeting, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Hears which version the other end is; `None` when it has left, or is none of us.
pub(super) fn greeted(socket: BorrowedFd<'_>) -> io::Result<Option<u32>> {
    let mut greeting = [0; GREETING];
    let length = match recv(socket, &mut greeting[..], RecvFlags::empty()) {
        Ok((length, _)) => length,
        Err(Errno::CONNRESET) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    let version = greeting[..length].strip_prefix(&MAGIC).and_then(|version| version.try_into().ok());
    Ok(version.map(u32::from_le_bytes))
}

/// The directory's mode keeps others out already; this holds even where it does not.
fn is_own(socket: &OwnedFd) -> bool {
    sockopt::socket_peercred(socket).is_ok_and(|peer| peer.uid == rustix::process::geteuid())
}

/// The directory of the keeper's socket, held open: it is this one, whatever its path means to others later.
pub(super) struct Directory(File);

impl Directory {
    pub(super) fn open(dir: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(File::from(rustix::fs::open(dir, flags, Mode::empty())?)))
    }

    fn through(&self) -> String {
        format!("/proc/self/fd/{}", self.0.as_fd().as_raw_fd())
    }

    /// The socket's path through this: an address holds 108 bytes, and a data directory may be deep.
    fn address(&self) -> io::Result<SocketAddrUnix> {
        Ok(SocketAddrUnix::new(format!("{}/{FILE}", self.through()))?)
    }

    /// Removes the socket, and the directory unless something else is in it.
    pub(super) fn clear(&self) {
        // What is gone already, or holds something else, is as it should be.
        let _ = unlinkat(&self.0, FILE, AtFlags::empty());
        let _ = fs::read_link(self.through()).and_then(fs::remove_dir);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_meet_in_a_deep_directory_and_greet() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("deep/".repeat(40));
        assert!(connect(&dir).unwrap().is_none(), "there is no directory");
        let listener = open(&dir).unwrap();
        let daemon = connect(&dir).unwrap().unwrap();
        let Accepted::Daemon(keeper) = accept(listener.as_fd()).unwrap() else { panic!("it waits") };
        greet(daemon.as_fd()).unwrap();
        assert_eq!(greeted(keeper.as_fd()).unwrap(), Some(VERSION));
        send(&keeper, b"HTTP/1.1 400", SendFlags::NOSIGNAL).unwrap();
        assert_eq!(greeted(daemon.as_fd()).unwrap(), None, "that is no greeting");
        drop((keeper, listener));
        assert!(connect(&dir).unwrap().is_none(), "nobody listens any more");
        drop(open(&dir).unwrap());
        fs::write(dir.join("other"), "").unwrap();
        Directory::open(&dir).unwrap().clear();
        assert!(!dir.join(FILE).exists() && dir.exists(), "something else is in it");
        fs::remove_file(dir.join("other")).unwrap();
        Directory::open(&dir).unwrap().clear();
        assert!(!dir.exists());
    }

    #[test]
    fn only_a_listener_that_is_none_ends_a_keeper() {
        let passing = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
        assert!(passing.iter().all(|errno| matches!(not_accepted(*errno), Ok(Accepted::Later(_)))));
        let left = [Errno::CONNABORTED, Errno::INTR, Errno::AGAIN];
        assert!(left.iter().all(|errno| matches!(not_accepted(*errno), Ok(Accepted::Nobody))));
        assert!(not_accepted(Errno::BADF).is_err());
    }
}
