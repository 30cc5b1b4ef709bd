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
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, listen,
    recv, send, socket_with, sockopt,
};

use super::wire;
use crate::private_dir;

/// The version of `protocol`. It changes with every change of what daemon and keeper say to each other, which ends
/// the containers of those who upgrade while they run.
pub(super) const VERSION: u32 = 1;

const MAGIC: [u8; 8] = *b"ebb-keep";
const GREETING: usize = MAGIC.len() + size_of::<u32>();
const FILE: &str = "keeper.sock";
/// How many daemons may wait. There is one; a second may come before the keeper knows that the first is dead.
const WAITING_MAX: i32 = 4;

/// The socket's path in a directory.
pub(super) fn path(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

/// Makes the directory and a keeper's listening socket in it, in place of one that nobody listens on any more.
pub(super) fn open(dir: &Path) -> io::Result<OwnedFd> {
    private_dir::make(dir)?;
    match fs::remove_file(path(dir)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    let short = ShortPath::new(dir)?;
    bind(&socket, &short.address()?)?;
    fs::set_permissions(path(dir), std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    listen(&socket, WAITING_MAX)?;
    Ok(socket)
}

/// Connects to the keeper of a directory, without blocking from then on; `None` when there is none.
pub(super) fn connect(dir: &Path) -> io::Result<Option<OwnedFd>> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    wire::enlarge(&socket)?;
    let short = match ShortPath::new(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    match rustix::net::connect(&socket, &short.address()?) {
        Ok(()) if is_own(&socket) => Ok(Some(socket)),
        Ok(()) => Err(io::Error::new(io::ErrorKind::PermissionDenied, "the keeper is another user's")),
        Err(Errno::NOENT | Errno::CONNREFUSED) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// Takes a waiting daemon; `None` for one that is turned away.
pub(super) fn accept(listener: BorrowedFd<'_>) -> io::Result<Option<OwnedFd>> {
    let socket = match accept_with(listener, SocketFlags::CLOEXEC) {
        Err(Errno::INTR | Errno::CONNABORTED) => return Ok(None),
        other => other?,
    };
    wire::enlarge(&socket)?;
    Ok(is_own(&socket).then_some(socket))
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

/// The socket's path through an open directory: an address holds 108 bytes, and a data directory may be deep.
struct ShortPath(File);

impl ShortPath {
    fn new(dir: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(File::from(rustix::fs::open(dir, flags, Mode::empty())?)))
    }

    fn address(&self) -> io::Result<SocketAddrUnix> {
        let path = format!("/proc/self/fd/{}/{FILE}", self.0.as_fd().as_raw_fd());
        Ok(SocketAddrUnix::new(path)?)
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
        let keeper = accept(listener.as_fd()).unwrap().unwrap();
        greet(daemon.as_fd()).unwrap();
        assert_eq!(greeted(keeper.as_fd()).unwrap(), Some(VERSION));
        send(&keeper, b"HTTP/1.1 400", SendFlags::NOSIGNAL).unwrap();
        assert_eq!(greeted(daemon.as_fd()).unwrap(), None, "that is no greeting");
        drop((keeper, listener));
        assert!(connect(&dir).unwrap().is_none(), "nobody listens any more");
        drop(open(&dir).unwrap());
    }
}
