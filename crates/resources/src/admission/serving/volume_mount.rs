//! Where a Revision's containers mount volumes.

use std::collections::BTreeSet;

use super::pod_spec::Pod;
use crate::{
    admission::{KnativeErrors, Path},
    builtin::{Container, VolumeMount},
    reserved,
};

/// Says what is wrong with a container's mounts.
pub(super) fn validate(container: &Container, pod: &Pod<'_>, path: Path<'_>, errors: &mut KnativeErrors) {
    let mut seen = BTreeSet::new();
    for (index, mount) in container.volume_mounts.iter().flatten().enumerate() {
        let at = path.index(index);
        check_allowed(mount, pod, at, errors);
        check_path(mount, &mut seen, at, errors);
        let Some(volume) = pod.volumes.get(mount.name.as_str()) else {
            errors.add("volumeMount has no matching volume", &[at.child("name")], "");
            continue;
        };
        let read_only = mount.read_only == Some(true);
        let claim = volume.persistent_volume_claim.as_ref();
        if !read_only && volume.empty_dir.is_none() && claim.is_none() && volume.ephemeral.is_none() {
            let message = "volume mount should be readOnly for this type of volume";
            errors.add(message, &[at.child("readOnly")], "");
        }
        if !read_only && claim.is_some_and(|claim| claim.read_only == Some(true)) {
            errors.add("volume is readOnly but volume mount is not", &[at.child("readOnly")], "");
        }
    }
}

fn check_allowed(mount: &VolumeMount, pod: &Pod<'_>, path: Path<'_>, errors: &mut KnativeErrors) {
    for (field, set) in [
        ("subPathExpr", mount.sub_path_expr.as_ref().is_some_and(|expr| !expr.is_empty())),
        ("recursiveReadOnly", mount.recursive_read_only.is_some()),
    ] {
        if set {
            errors.disallowed(path.child(field));
        }
    }
    let Some(propagation) = &mount.mount_propagation else { return };
    if !pod.features.volumes_mount_propagation.is_enabled() {
        let message = format!(
            "Volume Mount Propagation support is disabled, but found volume mount {} with mount propagation",
            mount.name
        );
        errors.add(message, &[path], "");
    }
    if !matches!(propagation.as_str(), "None" | "HostToContainer") {
        let message = "mount propagation should be set to None or HostToContainer";
        errors.add(message, &[path.child("mountPropagation")], "");
    }
}

fn check_path(mount: &VolumeMount, seen: &mut BTreeSet<String>, path: Path<'_>, errors: &mut KnativeErrors) {
    let path = path.child("mountPath");
    if mount.mount_path.is_empty() {
        errors.missing(path);
        return;
    }
    let clean = clean(&mount.mount_path);
    if reserved::MOUNT_PATHS.contains(&clean.as_str()) {
        errors.add(format!("mountPath {clean:?} is a reserved path"), &[path], "");
    } else if !mount.mount_path.starts_with('/') {
        errors.invalid(&mount.mount_path, path);
    } else if !seen.insert(clean) {
        errors.invalid(format!("{:?} must be unique", mount.mount_path), path);
    }
}

/// The shortest path that means the same, by its text alone.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}
