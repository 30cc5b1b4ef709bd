//! A disk in memory that does what a real one may do, at its worst.
//!
//! Until synced, appended bytes may be kept in part, or some of their sectors come back as zeros, and each change of a name,
//! also of a directory's, may or may not have happened. An operation can be made to cut the power (it may have happened,
//! and nothing works after it) or to fail (what a failed sync did not write, no later sync writes, though it can be read
//! until the power goes). Reads can be made to fail as well, and bytes to change.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

use storage::fs::{File, FileSystem, LockGuard};

/// A small deterministic generator (SplitMix64).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
}

/// What is to go wrong at the operation with a given number. The first is 1.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    PowerCut,
    /// This operation fails once.
    Error(io::ErrorKind),
    /// This one and all later appends and creates fail.
    Full,
}

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

#[derive(Clone, Default)]
pub(crate) struct SimulatedDisk(Arc<Mutex<World>>);

#[derive(Default)]
struct World {
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    /// Changes of names since the last sync of their directories.
    name_changes: Vec<(PathBuf, Option<usize>)>,
    dirs: BTreeSet<PathBuf>,
    durable_dirs: BTreeSet<PathBuf>,
    locks: BTreeSet<PathBuf>,
    operations: u64,
    fault: Option<(u64, Fault)>,
    reads: u64,
    failing_read: Option<u64>,
    has_failed: bool,
    dead: bool,
    full: bool,
    syncs: u64,
}

#[derive(Clone, Default)]
struct Inode {
    bytes: Vec<u8>,
    /// So many of them are on disk.
    durable: usize,
    /// But not these: their sync failed and no later one tries again. They read well until the power goes.
    forgotten: Vec<(usize, usize)>,
}

enum Go {
    Normally,
    /// The power goes during this operation.
    LastTime,
}

impl World {
    fn operation(&mut self, grows: bool) -> io::Result<Go> {
        if self.dead {
            return Err(io::Error::other("the power is off"));
        }
        self.operations += 1;
        match self.fault {
            Some((at, Fault::PowerCut)) if at == self.operations => {
                (self.dead, self.has_failed) = (true, true);
                Ok(Go::LastTime)
            }
            Some((at, Fault::Error(kind))) if at == self.operations => {
                self.has_failed = true;
                Err(kind.into())
            }
            Some((at, Fault::Full)) if at <= self.operations && grows => {
                (self.full, self.has_failed) = (true, true);
                Err(io::ErrorKind::StorageFull.into())
            }
            _ => Ok(Go::Normally),
        }
    }

    fn read(&mut self) -> io::Result<()> {
        self.reads += 1;
        if self.failing_read == Some(self.reads) {
            self.has_failed = true;
            return Err(io::Error::other("bad sector"));
        }
        Ok(())
    }

    /// The disk with these bytes and names, when the next process comes.
    fn next(inodes: Vec<Inode>, names: BTreeMap<PathBuf, usize>, dirs: BTreeSet<PathBuf>) -> Self {
        let (durable_names, durable_dirs) = (names.clone(), dirs.clone());
        Self { inodes, names, durable_names, dirs, durable_dirs, ..Self::default() }
    }

    /// Runs a change of names; it may have happened when the power went.
    fn rename_all(&mut self, changes: &[(&Path, Option<usize>)]) -> io::Result<()> {
        let go = self.operation(false)?;
        for (path, inode) in changes {
            match inode {
                Some(inode) => self.names.insert((*path).to_owned(), *inode),
                None => self.names.remove(*path),
            };
            self.name_changes.push(((*path).to_owned(), *inode));
        }
        go.result()
    }
}

impl Go {
    fn result(self) -> io::Result<()> {
        match self {
            Self::Normally => Ok(()),
            Self::LastTime => Err(io::Error::other("the power went off")),
        }
    }
}

impl SimulatedDisk {
    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    pub(crate) fn arm(&self, at: u64, fault: Fault) {
        let mut world = self.world();
        world.fault = Some((world.operations + at, fault));
    }

    /// Has the read with this number fail, counted from now on.
    pub(crate) fn arm_read(&self, at: u64) {
        let mut world = self.world();
        world.failing_read = Some(world.reads + at);
    }

    pub(crate) fn reads(&self) -> u64 {
        self.world().reads
    }

    /// Nothing goes wrong any more.
    pub(crate) fn repair(&self) {
        let mut world = self.world();
        (world.fault, world.failing_read, world.full) = (None, None, false);
    }

    /// Changes a byte under whoever has the file open.
    pub(crate) fn flip(&self, path: &Path, at: usize, bits: u8) {
        let mut world = self.world();
        let inode = world.names[path];
        world.inodes[inode].bytes[at] ^= bits;
    }

    /// Whether something that was armed has happened.
    pub(crate) fn has_failed(&self) -> bool {
        self.world().has_failed
    }

    pub(crate) fn has_file(&self, path: &Path) -> bool {
        self.world().names.contains_key(path)
    }

    pub(crate) fn operations(&self) -> u64 {
        self.world().operations
    }

    pub(crate) fn syncs(&self) -> u64 {
        self.world().syncs
    }

    /// The disk as a power cut now leaves it.
    pub(crate) fn after_power_cut(&self, chance: &mut Chance) -> Self {
        let world = self.world();
        let inodes = world.inodes.iter().map(|inode| inode.after_power_cut(chance)).collect();
        let mut dirs = world.durable_dirs.clone();
        dirs.extend(world.dirs.iter().filter(|_| chance.coin()).cloned());
        let mut names = world.durable_names.clone();
        for (path, inode) in &world.name_changes {
            if chance.coin() {
                match inode {
                    Some(inode) => names.insert(path.clone(), *inode),
                    None => names.remove(path),
                };
            }
        }
        // What is in a directory that is gone is gone.
        let there = |path: &Path| path.ancestors().skip(1).all(|dir| is_root(dir) || dirs.contains(dir));
        names.retain(|path, _| there(path));
        let dirs = dirs.iter().filter(|dir| there(dir)).cloned().collect();
        Self(Arc::new(Mutex::new(World::next(inodes, names, dirs))))
    }

    /// The disk as the next process finds it after this one was killed: what is not durable is still in memory.
    pub(crate) fn after_kill(&self) -> Self {
        let world = self.world();
        let world = World {
            inodes: world.inodes.clone(),
            names: world.names.clone(),
            durable_names: world.durable_names.clone(),
            name_changes: world.name_changes.clone(),
            dirs: world.dirs.clone(),
            durable_dirs: world.durable_dirs.clone(),
            ..World::default()
        };
        Self(Arc::new(Mutex::new(world)))
    }

    pub(crate) fn after_either(&self, chance: &mut Chance) -> Self {
        if chance.coin() { self.after_kill() } else { self.after_power_cut(chance) }
    }

    pub(crate) fn files(&self, extension: &str) -> Vec<PathBuf> {
        let names = &self.world().names;
        names.keys().filter(|path| path.extension().is_some_and(|e| e == extension)).cloned().collect()
    }

    pub(crate) fn bytes(&self, path: &Path) -> Vec<u8> {
        let world = self.world();
        world.inodes[world.names[path]].bytes.clone()
    }

    /// A disk of its own, with one file changed.
    pub(crate) fn with_file(&self, path: &Path, bytes: Vec<u8>) -> Self {
        let world = self.world();
        let mut inodes = world.inodes.clone();
        inodes[world.names[path]] = Inode { durable: bytes.len(), bytes, forgotten: Vec::new() };
        let world = World::next(inodes, world.names.clone(), world.dirs.clone());
        Self(Arc::new(Mutex::new(world)))
    }
}

fn is_root(dir: &Path) -> bool {
    dir.parent().is_none_or(|parent| parent.as_os_str().is_empty())
}

impl Inode {
    fn after_power_cut(&self, chance: &mut Chance) -> Self {
        // Some of what was appended; sectors may be missing in the midst of it.
        let durable = self.durable;
        let kept = chance.below(self.bytes.len() - durable + 1);
        let mut bytes = self.bytes[..durable + kept].to_vec();
        for (from, to) in &self.forgotten {
            let end = bytes.len();
            bytes[(*from).min(end)..(*to).min(end)].fill(0);
        }
        if kept > 0 && chance.coin() {
            let sector = (durable + chance.below(kept)) / SECTOR;
            let sectors = 1 + chance.below(3);
            let (from, to) = ((sector * SECTOR).max(durable), ((sector + sectors) * SECTOR).min(bytes.len()));
            bytes[from..to].fill(0);
        }
        Self { durable: bytes.len(), bytes, forgotten: Vec::new() }
    }
}

struct Handle {
    disk: SimulatedDisk,
    inode: usize,
}

struct Lock(SimulatedDisk, PathBuf);

impl Drop for Lock {
    fn drop(&mut self) {
        self.0.world().locks.remove(&self.1);
    }
}

impl FileSystem for SimulatedDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        let all: Vec<_> = dir.ancestors().filter(|dir| !is_root(dir)).map(Path::to_owned).collect();
        self.world().dirs.extend(all.iter().cloned());
        all.iter().rev().try_for_each(|dir| self.sync_dir(dir.parent().unwrap()))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut world = self.world();
        world.read()?;
        let names = world.names.keys().filter_map(|path| path.strip_prefix(dir).ok());
        Ok(names.map(|name| name.to_str().unwrap().to_owned()).collect())
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut world = self.world();
        if world.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if world.full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if !world.dirs.contains(path.parent().unwrap()) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let inode = world.inodes.len();
        world.inodes.push(Inode::default());
        world.rename_all(&[(path, Some(inode))])?;
        Ok(Arc::new(Handle { disk: self.clone(), inode }))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut world = self.world();
        world.read()?;
        let inode = *world.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(Handle { disk: self.clone(), inode }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut world = self.world();
        let inode = *world.names.get(from).ok_or(io::ErrorKind::NotFound)?;
        world.rename_all(&[(to, Some(inode)), (from, None)])
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut world = self.world();
        world.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        world.rename_all(&[(path, None)])
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut world = self.world();
        world.operation(false)?.result()?;
        let World { names, durable_names, name_changes, dirs, durable_dirs, .. } = &mut *world;
        let is_in = |path: &Path| path.parent() == Some(dir);
        durable_names.retain(|path, _| !is_in(path));
        let present = names.iter().filter(|(path, _)| is_in(path));
        durable_names.extend(present.map(|(path, inode)| (path.clone(), *inode)));
        name_changes.retain(|(path, _)| !is_in(path));
        durable_dirs.extend(dirs.iter().filter(|dir| is_in(dir)).cloned());
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Option<LockGuard>> {
        let is_free = self.world().locks.insert(path.to_owned());
        Ok(is_free.then(|| Box::new(Lock(self.clone(), path.to_owned())) as LockGuard))
    }
}

impl File for Handle {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let mut world = self.disk.world();
        let go = world.operation(true);
        // A part of it may be there even after an error.
        let written = if go.is_ok() { bytes } else { &bytes[..bytes.len() / 2] };
        if !world.dead || go.is_ok() {
            world.inodes[self.inode].bytes.extend_from_slice(written);
        }
        go?.result()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let mut world = self.disk.world();
        world.read()?;
        let from = offset as usize;
        let bytes = world.inodes[self.inode].bytes.get(from..from + buffer.len());
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        let mut world = self.disk.world();
        world.read()?;
        Ok(world.inodes[self.inode].bytes.len() as u64)
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut world = self.disk.world();
        world.syncs += 1;
        let go = world.operation(false);
        let failed = go.is_err() && !world.dead;
        let inode = &mut world.inodes[self.inode];
        if failed {
            inode.forgotten.push((inode.durable, inode.bytes.len()));
            inode.durable = inode.bytes.len();
        }
        go?.result()?;
        inode.durable = inode.bytes.len();
        Ok(())
    }
}
