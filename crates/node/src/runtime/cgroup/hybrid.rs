//! Version 1 controllers beside a version 2 hierarchy without them.

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use super::{
    Cgroups, make_directory, read_keyed, read_members, read_number, remove_directory, subdirectories, values,
    write,
};
use crate::runtime::{Resources, Stats};

/// Groups in several version 1 hierarchies, of the same name in each.
pub(super) struct Hybrid {
    /// Controller and our root in its hierarchy.
    roots: Vec<(&'static str, PathBuf)>,
    /// The roots without those that appear twice, because controllers share a hierarchy.
    distinct: Vec<PathBuf>,
}

impl Hybrid {
    pub(super) fn new(mounts: Vec<(&'static str, PathBuf)>, root: &str) -> Self {
        let roots: Vec<_> = mounts.into_iter().map(|(name, mount)| (name, mount.join(root))).collect();
        let mut distinct: Vec<_> = roots.iter().map(|(_, path)| path.clone()).collect();
        distinct.dedup();
        Self { roots, distinct }
    }

    fn file(&self, controller: &str, group: &str, file: &str) -> PathBuf {
        let root = self.roots.iter().find(|(name, _)| *name == controller);
        let (_, root) = root.expect("detection found every controller");
        root.join(group).join(file)
    }
}

impl Cgroups for Hybrid {
    fn prepare(&self) -> io::Result<()> {
        self.distinct.iter().try_for_each(|root| make_directory(root))
    }

    fn create(&self, name: &str) -> io::Result<()> {
        self.distinct.iter().try_for_each(|root| make_directory(&root.join(name)))
    }

    fn clone_target(&self, _name: &str) -> io::Result<Option<OwnedFd>> {
        Ok(None)
    }

    fn join(&self, name: &str) -> io::Result<()> {
        // "0" is the writer itself.
        self.distinct.iter().try_for_each(|root| write(&root.join(name).join("tasks"), "0"))
    }

    fn limit(&self, name: &str, resources: &Resources) -> io::Result<()> {
        let settings = values::version_1(resources);
        settings
            .iter()
            .try_for_each(|(controller, (file, value))| write(&self.file(controller, name, file), value))
    }

    fn oom_kills(&self, name: &str) -> io::Result<u64> {
        read_keyed(&self.file("memory", name, "memory.oom_control"), "oom_kill")
    }

    fn stats(&self, name: &str) -> io::Result<Stats> {
        let cpu = Duration::from_nanos(read_number(&self.file("cpuacct", name, "cpuacct.usage"))?);
        let memory = read_number(&self.file("memory", name, "memory.usage_in_bytes"))?;
        let inactive = read_keyed(&self.file("memory", name, "memory.stat"), "total_inactive_file")?;
        Ok(Stats { cpu, memory, working_set: memory.saturating_sub(inactive) })
    }

    fn members(&self, name: &str) -> io::Result<Vec<i32>> {
        // A process that was killed while joining is in some hierarchies only.
        let mut members = Vec::new();
        for root in &self.distinct {
            members.extend(read_members(&root.join(name).join("tasks"))?);
        }
        members.sort_unstable();
        members.dedup();
        Ok(members)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.distinct.iter().try_for_each(|root| remove_directory(&root.join(name)))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for root in &self.distinct {
            names.extend(subdirectories(root)?);
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    fn remove_root(&self) -> io::Result<()> {
        self.distinct.iter().try_for_each(|root| remove_directory(root))
    }

    fn single_hierarchy(&self) -> bool {
        false
    }
}
