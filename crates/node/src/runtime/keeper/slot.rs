//! Slots: a cgroup, a directory and a shell, made before it is known which container they are for.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use crate::private_dir;
use crate::runtime::cgroup::{self, Cgroups};
use crate::runtime::protocol::Root;
use crate::runtime::shell::{Shell, Stage};
use crate::runtime::sys::ChildProcess;
use crate::runtime::{Capabilities, Resources, RuntimeError, seccomp, sys, wire};

/// Where slots have their directories, below the run directory.
pub(in crate::runtime) const DIRECTORY: &str = "containers";

/// The name of a slot's cgroup and directory.
pub(in crate::runtime) fn name(number: u64) -> String {
    format!("container-{number}")
}

/// Makes slots.
pub(super) struct Slots {
    directory: PathBuf,
    stage: Stage,
    cgroups: Box<dyn Cgroups>,
    filter: Vec<libc::sock_filter>,
    next: u64,
    /// Those that could not be removed yet.
    left: Vec<u64>,
    /// Held as long as this keeper lives.
    _lock: File,
}

/// A shell's init as the keeper holds it, with its sockets to init and app.
pub(super) struct NewShell {
    pub(super) number: u64,
    pub(super) init: ChildProcess,
    pub(super) control: OwnedFd,
    pub(super) report: OwnedFd,
}

impl Slots {
    pub(super) fn new(run_dir: &Path, cgroup_root: &str, lock: File) -> Result<Self, RuntimeError> {
        let cgroups = cgroup::detect(cgroup_root)?;
        cgroups.prepare().map_err(|error| RuntimeError::io("making the root cgroup", error))?;
        let directory = run_dir.join(DIRECTORY);
        let stage = Stage::new(run_dir);
        let make = |error| RuntimeError::io(format!("preparing {}", run_dir.display()), error);
        // A container's root may put programs below it that run as root for whoever executes them (setuid), and no
        // user of the host shall.
        private_dir::make(&directory).map_err(make)?;
        stage.create().map_err(make)?;
        let filter = seccomp::default_profile(Capabilities::default());
        Ok(Self { directory, stage, cgroups, filter, next: 0, left: Vec::new(), _lock: lock })
    }

    pub(super) fn stage(&self) -> &Stage {
        &self.stage
    }

    pub(super) fn cgroups(&self) -> &dyn Cgroups {
        &*self.cgroups
    }

    /// The system call filter for default capabilities.
    pub(super) fn filter(&self) -> &[libc::sock_filter] {
        &self.filter
    }

    /// Whether there is what could not be removed yet.
    pub(super) fn has_left(&self) -> bool {
        !self.left.is_empty()
    }

    /// Makes a slot. What of it was made before a failure is removed, sooner or later.
    /// Its shell mounts `root` beforehand, if that is known.
    pub(super) fn create(&mut self, root: Option<&Root>) -> io::Result<NewShell> {
        let number = self.next;
        self.next += 1;
        let shell = self.make(number, root);
        match shell {
            Ok(_) => self.remove_left(),
            // The first of two errors is the one to be told.
            Err(_) => drop(self.remove(number)),
        }
        shell
    }

    /// Tries again to remove what could not be removed: that takes descriptors, and what failed for want of them is what
    /// is removed here most.
    pub(super) fn remove_left(&mut self) {
        for number in std::mem::take(&mut self.left) {
            let _ = self.remove(number);
        }
    }

    #[allow(unsafe_code)]
    fn make(&self, number: u64, root: Option<&Root>) -> io::Result<NewShell> {
        let name = name(number);
        let directory = self.directory.join(&name);
        self.cgroups.create(&name)?;
        let target = self.cgroups.clone_target(&name)?;
        let (control, init_control) = wire::pair_with_child()?;
        let (report, init_report) = wire::pair_with_child()?;
        let shell = Shell {
            stage: &self.stage,
            directory: &directory,
            cgroups: &*self.cgroups,
            cgroup: &name,
            filter: &self.filter,
            root,
            control: init_control,
            report: init_report,
        };
        let namespaces = (libc::CLONE_NEWPID | libc::CLONE_NEWNS) as u64;
        // SAFETY: the keeper has one thread, which it made sure of when it started.
        let init = unsafe { sys::fork(namespaces, target.as_ref().map(AsFd::as_fd), move || shell.run()) }?;
        Ok(NewShell { number, init, control, report })
    }

    /// Sets a slot's limits.
    pub(super) fn limit(&self, number: u64, resources: &Resources) -> io::Result<()> {
        self.cgroups.limit(&name(number), resources)
    }

    /// Whether the kernel has killed a process of the slot for want of memory.
    pub(super) fn oom_killed(&self, number: u64) -> bool {
        self.cgroups.oom_kills(&name(number)).is_ok_and(|kills| kills > 0)
    }

    /// Removes a slot whose processes have ended; what cannot be removed now is later.
    pub(super) fn remove(&mut self, number: u64) -> io::Result<()> {
        let name = name(number);
        let removed = cgroup::kill_and_remove(&*self.cgroups, &name)
            .and_then(|()| remove_directory(&self.directory.join(name)));
        if removed.is_err() {
            self.left.push(number);
        }
        removed
    }

    /// Removes what is left of all slots.
    pub(super) fn remove_all(&self) -> io::Result<()> {
        for name in self.cgroups.names()? {
            cgroup::kill_and_remove(&*self.cgroups, &name)?;
        }
        self.cgroups.remove_root()?;
        remove_directory(&self.directory)
    }
}

/// Removes a directory with all that is in it. Somebody else having done so, or doing so, is no error.
pub(in crate::runtime) fn remove_directory(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
