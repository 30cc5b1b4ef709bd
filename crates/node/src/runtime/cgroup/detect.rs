//! Which control groups this machine has.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Cgroups, hybrid::Hybrid, unified::Unified};
use crate::runtime::RuntimeError;

/// The version 1 controllers that a container's group needs. The freezer is joined although nothing freezes yet,
/// since a process cannot be moved cheaply later.
const VERSION_1: [&str; 5] = ["cpu", "cpuacct", "memory", "pids", "freezer"];
/// The version 2 controllers that limits need.
const VERSION_2: [&str; 3] = ["cpu", "memory", "pids"];

/// What is mounted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Version 2 alone, with all controllers.
    Unified(PathBuf),
    /// Version 1 controllers (each with its mount point), beside a version 2 hierarchy.
    Hybrid(Vec<(&'static str, PathBuf)>),
}

/// Finds the machine's control groups; ours will be below `root` in every hierarchy.
pub(in crate::runtime) fn detect(root: &str) -> Result<Box<dyn Cgroups>, RuntimeError> {
    let mounts = fs::read_to_string("/proc/self/mountinfo")
        .map_err(|error| RuntimeError::io("reading /proc/self/mountinfo", error))?;
    let controllers = |mount: &Path| fs::read_to_string(mount.join("cgroup.controllers")).unwrap_or_default();
    let unsupported = |why: String| RuntimeError::Unsupported(format!("{why}; or use --runtime process"));
    match layout(&mounts, controllers).map_err(unsupported)? {
        Layout::Unified(mount) => Ok(Box::new(Unified::new(mount, root, &VERSION_2))),
        Layout::Hybrid(mounts) => Ok(Box::new(Hybrid::new(mounts, root))),
    }
}

fn layout(mountinfo: &str, controllers: impl Fn(&Path) -> String) -> Result<Layout, String> {
    let mut version_1: Vec<(&'static str, PathBuf)> = Vec::new();
    let mut version_2 = None;
    for (mount, kind, options) in mountinfo.lines().filter_map(parse) {
        match kind {
            "cgroup2" if version_2.is_none() => version_2 = Some(mount),
            "cgroup" => {
                for controller in VERSION_1 {
                    let known = version_1.iter().any(|(name, _)| *name == controller);
                    if !known && options.split(',').any(|option| option == controller) {
                        version_1.push((controller, mount.clone()));
                    }
                }
            }
            _ => {}
        }
    }
    let lacking = |needed: &[&str], has: &dyn Fn(&str) -> bool| {
        let lacking: Vec<_> = needed.iter().copied().filter(|name| !has(name)).collect();
        lacking.join(", ")
    };
    let Some(mount) = version_2 else {
        return Err(if version_1.is_empty() {
            "no cgroup file system is mounted; mount cgroup2 on /sys/fs/cgroup".to_owned()
        } else {
            "its control groups are version 1 alone; boot with systemd.unified_cgroup_hierarchy=1".to_owned()
        });
    };
    let available = controllers(&mount);
    let in_2 = lacking(&VERSION_2, &|name| available.split_whitespace().any(|available| available == name));
    if in_2.is_empty() {
        return Ok(Layout::Unified(mount));
    }
    let in_1 = lacking(&VERSION_1, &|name| version_1.iter().any(|(known, _)| *known == name));
    if in_1.is_empty() {
        return Ok(Layout::Hybrid(version_1));
    }
    if version_1.is_empty() {
        return Err(format!("the controllers {in_2} are not available in {}", mount.display()));
    }
    Err(format!("the controllers {in_2} are not in {}, nor {in_1} in version 1", mount.display()))
}

/// Mount point, type and super block options of a line of mountinfo.
fn parse(line: &str) -> Option<(PathBuf, &str, &str)> {
    let (before, after) = line.split_once(" - ")?;
    let mut after = after.split(' ');
    let (kind, _source, options) = (after.next()?, after.next()?, after.next()?);
    Some((before.split(' ').nth(4)?.into(), kind, options))
}

#[cfg(test)]
mod tests;
