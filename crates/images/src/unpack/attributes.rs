//! Owner, mode, extended attributes and time of an entry.
//!
//! Without root the owner is the caller, setuid bits are dropped (they would grant the caller's rights,
//! not root's) and directories stay writable by their owner so that they can be removed again.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{self as sys, AtFlags, Gid, Mode, Timespec, Timestamps, Uid, XattrFlags};

use crate::tarball::TarEntry;

const SET_ID_BITS: u32 = 0o6000;
const OWNER_ALL: u32 = 0o700;

#[derive(Clone, Debug)]
pub(super) struct Attributes {
    /// `None` without root.
    owner: Option<(Uid, Gid)>,
    pub(super) mode: u32,
    mtime: i64,
    xattrs: Vec<(String, Vec<u8>)>,
}

/// Of a directory that the tar has no entry for.
const IMPLIED_DIRECTORY_MODE: u32 = 0o755;

impl Attributes {
    pub(super) fn implied_directory(as_root: bool) -> Attributes {
        Attributes {
            owner: as_root.then_some((Uid::ROOT, Gid::ROOT)),
            mode: IMPLIED_DIRECTORY_MODE,
            mtime: 0,
            xattrs: Vec::new(),
        }
    }

    /// `Err` names the header field that cannot be read.
    pub(super) fn of(entry: &mut TarEntry<'_, '_>, as_root: bool) -> Result<Attributes, &'static str> {
        let header = entry.header();
        let fields = header.as_old();
        let id = |field, parsed| {
            number(field, parsed).and_then(|id| u32::try_from(id).ok()).filter(|id| *id != !0)
        };
        let uid = id(&fields.uid, header.uid()).ok_or("uid is not a number of 32 bits")?;
        let gid = id(&fields.gid, header.gid()).ok_or("gid is not a number of 32 bits")?;
        let mode = number(&fields.mode, header.mode().map(u64::from)).ok_or("mode is not a number")?;
        let mode = mode as u32 & 0o7777;
        let mtime = number(&fields.mtime, header.mtime()).ok_or("mtime is not a number")?;
        Ok(Attributes {
            owner: as_root.then(|| (Uid::from_raw(uid), Gid::from_raw(gid))),
            mode: if as_root { mode } else { mode & !SET_ID_BITS },
            mtime: i64::try_from(mtime).unwrap_or(0),
            xattrs: entry.xattrs().into_iter().filter(|(name, _)| allowed(name, as_root)).collect(),
        })
    }

    /// For an open file or directory. The owner comes first: changing it clears set-id bits and
    /// capabilities.
    pub(super) fn apply(&self, file: impl AsFd) -> io::Result<()> {
        let file = file.as_fd();
        if let Some((uid, gid)) = self.owner {
            sys::fchown(file, Some(uid), Some(gid))?;
        }
        sys::fchmod(file, Mode::from(self.mode))?;
        for (name, value) in &self.xattrs {
            if let Err(e) = sys::fsetxattr(file, name.as_str(), value, XattrFlags::empty()) {
                // A file system without them still runs most images.
                tracing::debug!(attribute = name, error = %e, "extended attribute not kept");
            }
        }
        Ok(sys::futimens(file, &self.times())?)
    }

    /// As `apply`, for a directory whose content is complete.
    pub(super) fn apply_to_directory(&self, dir: impl AsFd) -> io::Result<()> {
        let keep = if self.owner.is_some() { 0 } else { OWNER_ALL };
        Attributes { mode: self.mode | keep, ..self.clone() }.apply(dir)
    }

    /// For what has no descriptor: links and FIFOs, by name. A link has no mode of its own.
    pub(super) fn apply_by_name(&self, dir: &OwnedFd, name: &OsStr) -> io::Result<()> {
        if let Some((uid, gid)) = self.owner {
            sys::chownat(dir, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?;
        }
        Ok(sys::utimensat(dir, name, &self.times(), AtFlags::SYMLINK_NOFOLLOW)?)
    }

    fn times(&self) -> Timestamps {
        let time = Timespec { tv_sec: self.mtime, tv_nsec: 0 };
        Timestamps { last_access: time, last_modification: time }
    }
}

/// Some writers leave a field blank where they mean zero.
fn number(field: &[u8], parsed: io::Result<u64>) -> Option<u64> {
    let blank = field.iter().all(|b| matches!(b, 0 | b' '));
    if blank { Some(0) } else { parsed.ok() }
}

/// `trusted.*` would let a layer speak to overlayfs (redirects, opaque directories).
fn allowed(name: &str, as_root: bool) -> bool {
    name.starts_with("user.") || (as_root && name == "security.capability")
}
