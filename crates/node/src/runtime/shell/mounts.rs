//! The kernel's own file systems inside a container, and the paths of theirs that it must not see or change.
//!
//! `/proc` and `/dev` are made when the shell is, in the stage, and moved into the root file system later; `/sys` and
//! `/dev/mqueue` belong to the pod's network and ipc namespaces, so they are made once those are joined. All of it
//! happens before any code of the container runs, so nothing can swap a path under a mount.

use std::os::fd::BorrowedFd;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, makedev, mkdirat, mknodat, symlinkat};
use rustix::io::Errno;
use rustix::mount::{MountFlags, MoveMountFlags, mount, mount_bind, mount_remount, move_mount};

use super::{Outcome, Stage, StartFailure, Step, files, through};

pub(super) const SAFE: MountFlags = MountFlags::NOSUID.union(MountFlags::NODEV).union(MountFlags::NOEXEC);

/// Upstream: the OCI engines' default masked and read-only paths.
const PROC_MASKED: &[&str] = &[
    "acpi",
    "asound",
    "interrupts",
    "kcore",
    "keys",
    "latency_stats",
    "sched_debug",
    "scsi",
    "timer_list",
    "timer_stats",
];
const PROC_READ_ONLY: &[&str] = &["bus", "fs", "irq", "sys", "sysrq-trigger"];
const SYS_MASKED: &[&str] = &["firmware", "devices/virtual/powercap"];

/// Name, and major and minor number.
const DEVICES: &[(&str, (u32, u32))] = &[
    ("null", (1, 3)),
    ("zero", (1, 5)),
    ("full", (1, 7)),
    ("random", (1, 8)),
    ("urandom", (1, 9)),
    ("tty", (5, 0)),
];
const LINKS: &[(&str, &str)] = &[
    ("ptmx", "pts/ptmx"),
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
];

/// Mounts `/proc` and `/dev` in the stage, and what hides directories.
pub(super) fn prepare(stage: &Stage) -> Outcome<()> {
    make("tmpfs", &stage.empty, MountFlags::RDONLY | SAFE, "size=0")?;
    // Its `null` hides files.
    prepare_dev(&stage.dev)?;
    make("proc", &stage.proc, SAFE, "")?;
    for name in PROC_MASKED {
        mask(stage, &stage.proc.join(name))?;
    }
    for name in PROC_READ_ONLY {
        make_read_only(&stage.proc.join(name))?;
    }
    Ok(())
}

fn prepare_dev(dev: &Path) -> Outcome<()> {
    make("tmpfs", dev, MountFlags::NOSUID | MountFlags::STRICTATIME, "mode=755,size=65536k")?;
    let at = |name: &str| dev.join(name);
    for (name, (major, minor)) in DEVICES {
        let (mode, number) = (Mode::from_raw_mode(0o666), makedev(*major, *minor));
        named(&at(name), mknodat(CWD, at(name), FileType::CharacterDevice, mode, number))?;
    }
    for (name, target) in LINKS {
        named(&at(name), symlinkat(*target, CWD, at(name)))?;
    }
    for name in ["pts", "shm", "mqueue"] {
        named(&at(name), mkdirat(CWD, at(name), Mode::from_raw_mode(0o755)))?;
    }
    let no_exec = MountFlags::NOSUID | MountFlags::NOEXEC;
    make("devpts", &at("pts"), no_exec, "newinstance,ptmxmode=0666,mode=0620,gid=5")?;
    make("tmpfs", &at("shm"), SAFE, "mode=1777,size=65536k")
}

/// Moves the stage's mounts into the root file system.
pub(super) fn place(stage: &Stage, root: BorrowedFd<'_>) -> Outcome<()> {
    for (from, target) in [(&stage.proc, "/proc"), (&stage.dev, "/dev")] {
        let target = files::directory(root, Path::new(target))?;
        let moved = move_mount(CWD, from, &target, "", MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH);
        named(from, moved)?;
    }
    Ok(())
}

/// Adds the mounts of the pod's namespaces to a root file system that has the stage's.
pub(super) fn finish(stage: &Stage, root: BorrowedFd<'_>, single_hierarchy: bool) -> Outcome<()> {
    let queues = files::directory(root, Path::new("/dev/mqueue"))?;
    make("mqueue", through(&queues).as_ref(), SAFE, "")?;
    let sys = files::directory(root, Path::new("/sys"))?;
    make("sysfs", through(&sys).as_ref(), SAFE | MountFlags::RDONLY, "")?;
    for name in SYS_MASKED {
        if let Some(path) = files::existing(root, &Path::new("/sys").join(name))? {
            mask(stage, through(&path).as_ref())?;
        }
    }
    if single_hierarchy && let Some(path) = files::existing(root, Path::new("/sys/fs/cgroup"))? {
        make("cgroup2", through(&path).as_ref(), SAFE | MountFlags::RDONLY, "")?;
    }
    Ok(())
}

/// Mounts a memory file system.
pub(super) fn tmpfs(root: BorrowedFd<'_>, target: &Path, size: Option<u64>) -> Outcome<()> {
    let directory = files::directory(root, target)?;
    let options = size.map_or("mode=1777".to_owned(), |size| format!("mode=1777,size={size}"));
    make("tmpfs", through(&directory).as_ref(), MountFlags::NOSUID | MountFlags::NODEV, &options)
        .map_err(|failure| StartFailure { subject: target.display().to_string(), ..failure })
}

/// Hides a path, if it exists: a directory behind an empty read-only one, a file behind the container's own `/dev/null`,
/// before that is moved. The machine's would be the container's to close to everybody.
fn mask(stage: &Stage, path: &Path) -> Outcome<()> {
    let hidden = match rustix::fs::stat(path) {
        Err(Errno::NOENT) => return Ok(()),
        Err(errno) => Err(errno),
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory => {
            mount_bind(&stage.empty, path)
        }
        Ok(_) => mount_bind(stage.dev.join("null"), path),
    };
    named(path, hidden)
}

fn make_read_only(path: &Path) -> Outcome<()> {
    match mount_bind(path, path) {
        Err(Errno::NOENT) => return Ok(()),
        bound => named(path, bound)?,
    }
    named(path, mount_remount(path, MountFlags::BIND | MountFlags::RDONLY | SAFE, c""))
}

pub(super) fn make(kind: &str, target: &Path, flags: MountFlags, options: &str) -> Outcome<()> {
    let options = std::ffi::CString::new(options).expect("mount options have no null byte");
    named(target, mount(kind, target, kind, flags, options.as_c_str()))
}

pub(super) fn named<T>(path: &Path, result: Result<T, Errno>) -> Outcome<T> {
    result.map_err(|errno| StartFailure::new(Step::Mount, path.display().to_string(), errno))
}
