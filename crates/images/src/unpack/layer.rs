//! One layer, entry by entry.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{self as sys, AtFlags, FileType, Mode, XattrFlags};
use rustix::io::Errno;
use tar::EntryType;

use super::Style;
use super::attributes::Attributes;
use super::path::{inside, split};
use super::root::{self, DEPTH_MAX, Root};
use super::whiteout::Whiteout;
use crate::tarball::TarEntry;
use crate::{Error, Limits, Result};

/// Up to so many files are synced one by one; beyond, one sync of the whole file system is cheaper, but
/// it also waits for whatever else is being written there.
const SYNC_EACH_MAX: usize = 256;
const COPY_BUFFER_BYTES: usize = 128 << 10;
const OPAQUE_XATTR: &str = "trusted.overlay.opaque";

pub(super) struct Layer<'a> {
    root: Root,
    at: &'a Path,
    style: Style,
    as_root: bool,
    bytes_left: u64,
    entries_left: u64,
    limits: &'a Limits,
    /// Set last: a directory's time changes with its content, and its mode may forbid adding any.
    directories: BTreeMap<PathBuf, Attributes>,
    /// What this layer brought, which its own whiteouts do not touch. Kept for `Style::Flat` alone; in an
    /// overlay directory everything is this layer's.
    brought: HashSet<PathBuf>,
    files: usize,
    buffer: Vec<u8>,
}

fn too_deep(entry: &TarEntry<'_, '_>) -> Error {
    entry.malformed(format!("lies more than {DEPTH_MAX} directories deep"))
}

impl<'a> Layer<'a> {
    pub(super) fn new(at: &'a Path, style: Style, limits: &'a Limits) -> Result<Self> {
        Ok(Layer {
            root: Root::open(at).map_err(Error::io("open", at))?,
            at,
            style,
            as_root: rustix::process::geteuid().is_root(),
            bytes_left: limits.layer_bytes_max,
            entries_left: limits.layer_entries_max,
            limits,
            directories: BTreeMap::new(),
            brought: HashSet::new(),
            files: 0,
            buffer: vec![0; COPY_BUFFER_BYTES],
        })
    }

    pub(super) fn apply(&mut self, entry: &mut TarEntry<'_, '_>) -> Result<()> {
        let path = inside(entry.path()).ok_or_else(|| entry.malformed("leads out of the root".into()))?;
        if path.components().count() > DEPTH_MAX {
            return Err(too_deep(entry));
        }
        self.count(entry, 1)?;
        let Some((parent, name)) = split(&path) else {
            // The root itself, which exists.
            if entry.kind().is_dir() {
                let attributes = self.attributes(entry)?;
                self.directories.insert(path, attributes);
            }
            return Ok(());
        };
        if let Some(whiteout) = Whiteout::of(name) {
            return self.whiteout(entry, parent, whiteout);
        }
        let kind = entry.kind();
        if kind.is_character_special() || kind.is_block_special() {
            tracing::debug!(entry = entry.name(), "device node not made");
            return Ok(());
        }
        if kind == EntryType::XGlobalHeader {
            return Ok(());
        }
        let dir = self.parent(entry, parent)?;
        let attributes = self.attributes(entry)?;
        if kind.is_dir() {
            self.directory(entry, &dir, &path, name)?;
            self.directories.insert(path.clone(), attributes);
        } else {
            self.make_way(entry, &dir, &path, name)?;
            match kind {
                EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                    self.file(entry, &dir, name, &attributes)?;
                }
                EntryType::Symlink => {
                    let target = entry.link_target()?;
                    sys::symlinkat(&target, &dir, name).map_err(self.failed("make link", &path))?;
                    attributes.apply_by_name(&dir, name).map_err(self.failed("set attributes of", &path))?;
                }
                EntryType::Link => self.hard_link(entry, &dir, name)?,
                EntryType::Fifo => {
                    let mode = Mode::from(attributes.mode);
                    sys::mkfifoat(&dir, name, mode)
                        .and_then(|()| sys::chmodat(&dir, name, mode, AtFlags::empty()))
                        .map_err(self.failed("make fifo", &path))?;
                    attributes.apply_by_name(&dir, name).map_err(self.failed("set attributes of", &path))?;
                }
                other => return Err(entry.malformed(format!("entry type {other:?} is not supported"))),
            }
        }
        self.bring(path);
        Ok(())
    }

    /// Sets what had to wait for the content, innermost directories first, and syncs.
    pub(super) fn finish(self) -> Result<()> {
        let sync_each = self.files <= SYNC_EACH_MAX;
        for (path, attributes) in self.directories.iter().rev() {
            // A whiteout may have removed the directory.
            let Ok(dir) = self.root.directory(path) else { continue };
            attributes.apply_to_directory(&dir).map_err(self.failed("set attributes of", path))?;
            if sync_each {
                sys::fsync(&dir).map_err(self.failed("sync", path))?;
            }
        }
        let dir = self.root.directory(Path::new("")).map_err(Error::io("open", self.at))?;
        let synced = if sync_each { sys::fsync(&dir) } else { sys::syncfs(&dir) };
        synced.map_err(self.failed("sync", Path::new("")))
    }

    fn attributes(&self, entry: &mut TarEntry<'_, '_>) -> Result<Attributes> {
        Attributes::of(entry, self.as_root).map_err(|reason| entry.malformed(reason.to_owned()))
    }

    /// Counts what the layer makes: its entries, and the directories that they imply.
    fn count(&mut self, entry: &TarEntry<'_, '_>, made: u64) -> Result<()> {
        self.entries_left = self.entries_left.checked_sub(made).ok_or_else(|| Error::TooLarge {
            what: entry.name(),
            limit_name: "layer_entries_max",
            limit: self.limits.layer_entries_max,
        })?;
        Ok(())
    }

    fn bring(&mut self, path: PathBuf) {
        if self.style == Style::Flat {
            self.brought.insert(path);
        }
    }

    /// The directory an entry goes to, made with its parents when the tar left them out.
    fn parent(&mut self, entry: &TarEntry<'_, '_>, parent: &Path) -> Result<OwnedFd> {
        if self.style == Style::Overlay {
            self.clear_whiteouts(parent)?;
        }
        let (dir, made) = self.root.make_directory(parent).map_err(|e| match e.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => {
                entry.malformed(format!("{parent:?} is not a directory"))
            }
            _ if root::is_too_deep(&e) => too_deep(entry),
            _ if e.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
                entry.malformed(format!("{parent:?} is a link to itself"))
            }
            _ => Error::io("make directory", &self.at.join(parent))(e),
        })?;
        self.count(entry, made.len() as u64)?;
        for path in made {
            self.directories.insert(path.clone(), Attributes::implied_directory(self.as_root));
            self.bring(path);
        }
        Ok(dir)
    }

    /// `.wh.a` and then `a/b` without `a/`: `a` is a new directory that hides the one below.
    fn clear_whiteouts(&mut self, parent: &Path) -> Result<()> {
        for path in parent.ancestors().collect::<Vec<_>>().into_iter().rev() {
            let Some((above, name)) = split(path) else { continue };
            let Ok(dir) = self.root.directory(above) else { return Ok(()) };
            let failed = self.failed("replace", path);
            match root::stat(&dir, name) {
                Ok(Some(stat)) if root::is_whiteout_device(&stat) => {
                    sys::unlinkat(&dir, name, AtFlags::empty())
                        .and_then(|()| sys::mkdirat(&dir, name, Mode::from(0o755)))
                        .map_err(failed)?;
                    self.opaque(&dir, name, path)?;
                    let attributes = Attributes::implied_directory(self.as_root);
                    self.directories.insert(path.to_owned(), attributes);
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return Ok(()),
            }
        }
        Ok(())
    }

    /// Removes what an entry of another kind than directory replaces.
    fn make_way(&mut self, entry: &TarEntry<'_, '_>, dir: &OwnedFd, path: &Path, name: &OsStr) -> Result<()> {
        if entry.kind() == EntryType::Link && inside(&entry.link_target()?).as_deref() == Some(path) {
            return Err(entry.malformed("a hard link to itself".to_owned()));
        }
        let replaced = root::stat(dir, name).map_err(Error::io("stat", &self.at.join(path)))?;
        if replaced.is_some_and(|stat| root::is_directory(&stat)) {
            // What is made here may lead elsewhere: nothing below may be touched by the old names.
            self.directories.retain(|directory, _| !directory.starts_with(path));
        }
        root::remove(dir, name).map_err(Error::io("replace", &self.at.join(path)))
    }

    /// A directory entry merges with a directory and replaces anything else.
    fn directory(
        &mut self,
        entry: &TarEntry<'_, '_>,
        dir: &OwnedFd,
        path: &Path,
        name: &OsStr,
    ) -> Result<()> {
        let failed = |e: std::io::Error| Error::io("make directory", &self.at.join(path))(e);
        let hides = match root::stat(dir, name).map_err(failed)? {
            Some(stat) if root::is_directory(&stat) => return Ok(()),
            Some(stat) => {
                self.make_way(entry, dir, path, name)?;
                root::is_whiteout_device(&stat)
            }
            None => false,
        };
        root::make_directory(&self.root, dir, name).map_err(|e| match root::is_too_deep(&e) {
            true => too_deep(entry),
            false => self.failed("make directory", path)(e),
        })?;
        if hides && self.style == Style::Overlay {
            self.opaque(dir, name, path)?;
        }
        Ok(())
    }

    fn file(
        &mut self,
        entry: &mut TarEntry<'_, '_>,
        dir: &OwnedFd,
        name: &OsStr,
        attributes: &Attributes,
    ) -> Result<()> {
        let path = self.at.join(inside(entry.path()).unwrap_or_default());
        let mut file: File = root::create_file(dir, name).map_err(Error::io("create", &path))?;
        loop {
            let n = entry.read(&mut self.buffer)?;
            if n == 0 {
                break;
            }
            // Counted here too: a sparse entry is larger than what was read for it.
            self.bytes_left = self.bytes_left.checked_sub(n as u64).ok_or_else(|| Error::TooLarge {
                what: entry.name(),
                limit_name: "layer_bytes_max",
                limit: self.limits.layer_bytes_max,
            })?;
            file.write_all(&self.buffer[..n]).map_err(Error::io("write", &path))?;
        }
        attributes.apply(file.as_fd()).map_err(Error::io("set attributes of", &path))?;
        self.files += 1;
        if self.files <= SYNC_EACH_MAX {
            file.sync_all().map_err(Error::io("sync", &path))?;
        }
        Ok(())
    }

    fn hard_link(&self, entry: &TarEntry<'_, '_>, dir: &OwnedFd, name: &OsStr) -> Result<()> {
        let target = entry.link_target()?;
        let missing = || entry.malformed(format!("a hard link to {target:?}, which the layer does not hold"));
        let inside = inside(&target).ok_or_else(missing)?;
        let (parent, target_name) = split(&inside).ok_or_else(missing)?;
        let target_dir = self.root.directory(parent).map_err(|_| missing())?;
        match root::stat(&target_dir, target_name) {
            Ok(Some(stat)) if !root::is_directory(&stat) && !root::is_whiteout_device(&stat) => {}
            _ => return Err(missing()),
        }
        sys::linkat(&target_dir, target_name, dir, name, AtFlags::empty())
            .map_err(self.failed("make hard link", &inside))
    }

    fn whiteout(&mut self, entry: &TarEntry<'_, '_>, parent: &Path, whiteout: Whiteout) -> Result<()> {
        match (whiteout, self.style) {
            (Whiteout::Meaningless, _) => Ok(()),
            (Whiteout::Malformed, _) => Err(entry.malformed("a whiteout of nothing".to_owned())),
            (Whiteout::Removed(name), Style::Flat) => self.remove_below(&parent.join(name)),
            (Whiteout::Opaque, Style::Flat) => {
                let Ok(dir) = self.root.directory(parent) else { return Ok(()) };
                let names = root::names(&dir).map_err(Error::io("list", &self.at.join(parent)))?;
                names.iter().try_for_each(|name| self.remove_below(&parent.join(name)))
            }
            (Whiteout::Removed(name), Style::Overlay) => {
                let dir = self.parent(entry, parent)?;
                let path = parent.join(&name);
                match root::stat(&dir, &name).map_err(Error::io("stat", &self.at.join(&path)))? {
                    // Removed below and made again here, in the other order.
                    Some(stat) if root::is_directory(&stat) => self.opaque(&dir, &name, &path),
                    Some(_) => Ok(()),
                    None => sys::mknodat(
                        &dir,
                        &name,
                        FileType::CharacterDevice,
                        Mode::empty(),
                        sys::makedev(0, 0),
                    )
                    .map_err(self.failed("make whiteout", &path)),
                }
            }
            (Whiteout::Opaque, Style::Overlay) => {
                let dir = self.parent(entry, parent)?;
                sys::fsetxattr(&dir, OPAQUE_XATTR, b"y", XattrFlags::empty())
                    .map_err(self.failed("make opaque", parent))
            }
        }
    }

    fn opaque(&self, dir: &OwnedFd, name: &OsStr, path: &Path) -> Result<()> {
        let dir = root::open_directory(dir, name).map_err(Error::io("open", &self.at.join(path)))?;
        sys::fsetxattr(&dir, OPAQUE_XATTR, b"y", XattrFlags::empty())
            .map_err(self.failed("make opaque", path))
    }

    /// Removes `path` as far as it is not this layer's own.
    fn remove_below(&mut self, path: &Path) -> Result<()> {
        let Some((parent, name)) = split(path) else { return Ok(()) };
        let Ok(dir) = self.root.directory(parent) else { return Ok(()) };
        if !self.brought.contains(path) {
            return root::remove(&dir, name).map_err(Error::io("remove", &self.at.join(path)));
        }
        let Ok(inside) = root::open_directory(&dir, name) else { return Ok(()) };
        let names = root::names(&inside).map_err(Error::io("list", &self.at.join(path)))?;
        names.iter().try_for_each(|name| self.remove_below(&path.join(name)))
    }

    fn failed<E: Into<std::io::Error>>(
        &self,
        action: &'static str,
        path: &Path,
    ) -> impl Fn(E) -> Error + use<E> {
        let path = self.at.join(path);
        move |e| Error::Io { action, path: path.clone(), cause: e.into() }
    }
}
