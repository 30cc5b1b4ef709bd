//! Version 2: one hierarchy with all controllers.

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};

use super::{
    Cgroups, make_directory, read_keyed, read_members, read_number, remove_directory, subdirectories, values,
    write,
};
use crate::runtime::{Resources, Stats};

/// Groups in the version 2 hierarchy.
pub(super) struct Unified {
    mount: PathBuf,
    root: PathBuf,
    controllers: Vec<&'static str>,
}

impl Unified {
    /// `controllers` are those whose limits are set; detection makes sure that they exist.
    pub(super) fn new(mount: PathBuf, root: &str, controllers: &[&'static str]) -> Self {
        let root = mount.join(root);
        Self { mount, root, controllers: controllers.to_vec() }
    }

    fn file(&self, group: &str, file: &str) -> PathBuf {
        self.root.join(group).join(file)
    }
}

impl Cgroups for Unified {
    fn prepare(&self) -> io::Result<()> {
        make_directory(&self.root)?;
        if self.controllers.is_empty() {
            return Ok(());
        }
        let enable: Vec<_> = self.controllers.iter().map(|name| format!("+{name}")).collect();
        for directory in [&self.mount, &self.root] {
            let enabled = write(&directory.join("cgroup.subtree_control"), &enable.join(" "));
            enabled.map_err(|error| match error.kind() {
                // Only in a container: a machine's own root group may have both processes and children.
                io::ErrorKind::ResourceBusy => io::Error::new(
                    error.kind(),
                    format!(
                        "{error}; move the processes of {} to a group below it first",
                        directory.display()
                    ),
                ),
                _ => error,
            })?;
        }
        Ok(())
    }

    fn create(&self, name: &str) -> io::Result<()> {
        make_directory(&self.root.join(name))
    }

    fn clone_target(&self, name: &str) -> io::Result<Option<OwnedFd>> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Some(rustix::fs::open(self.root.join(name), flags, Mode::empty())?))
    }

    fn join(&self, _name: &str) -> io::Result<()> {
        Ok(())
    }

    fn limit(&self, name: &str, resources: &Resources) -> io::Result<()> {
        for (controller, (file, value)) in values::version_2(resources) {
            if self.controllers.contains(&controller) {
                write(&self.file(name, file), &value)?;
            }
        }
        Ok(())
    }

    fn oom_kills(&self, name: &str) -> io::Result<u64> {
        if !self.controllers.contains(&"memory") {
            return Ok(0);
        }
        read_keyed(&self.file(name, "memory.events"), "oom_kill")
    }

    fn stats(&self, name: &str) -> io::Result<Stats> {
        let cpu = Duration::from_micros(read_keyed(&self.file(name, "cpu.stat"), "usage_usec")?);
        if !self.controllers.contains(&"memory") {
            return Ok(Stats { cpu, ..Stats::default() });
        }
        let memory = read_number(&self.file(name, "memory.current"))?;
        let inactive = read_keyed(&self.file(name, "memory.stat"), "inactive_file")?;
        Ok(Stats { cpu, memory, working_set: memory.saturating_sub(inactive) })
    }

    fn members(&self, name: &str) -> io::Result<Vec<i32>> {
        read_members(&self.file(name, "cgroup.procs"))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        remove_directory(&self.root.join(name))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        subdirectories(&self.root)
    }

    fn remove_root(&self) -> io::Result<()> {
        remove_directory(&self.root)
    }

    fn single_hierarchy(&self) -> bool {
        true
    }
}
