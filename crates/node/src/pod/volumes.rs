//! Lays a pod's volumes out, for its containers to see.

mod empty_dir;
mod files;

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
};

use resources::builtin::{Pod, Volume};

pub(super) use self::empty_dir::{Limited, clear as clear_memory};
use super::{
    env::Surroundings,
    values::{Missing, Values},
};

/// A volume as it stands on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Laid {
    pub(super) path: PathBuf,
    /// It is a file system of its own, which other processes' mount namespaces need not have at this path.
    pub(super) is_mount: bool,
}

/// The pod's volumes by name.
pub(super) type Volumes = HashMap<String, Laid>;

/// Where a pod's volumes are.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// What is small and made anew with every run of the node: values, and mount points of memory.
    pub(super) run: PathBuf,
    /// What containers write, which lasts as long as the pod.
    pub(super) disk: PathBuf,
}

/// What kind of volume a pod asks for that this node does not have.
fn unsupported(volume: &Volume) -> Missing {
    Missing(format!(
        "volume {:?} is of a kind that this node does not support; it has configMap, secret, projected, downwardAPI and emptyDir",
        volume.name
    ))
}

/// Makes a pod's volumes. Blocks. Made again after a crash, they are the same; an emptyDir on disk keeps its content.
pub(super) fn make(
    places: &Places,
    pod: &Pod,
    values: &Values,
    surroundings: &Surroundings<'_>,
) -> Result<Volumes, Missing> {
    let mut volumes = Volumes::new();
    let Some(spec) = &pod.spec else { return Ok(volumes) };
    let group = spec.security_context.as_ref().and_then(|context| context.fs_group);
    let group = group.and_then(|group| u32::try_from(group).ok());
    for volume in spec.volumes.iter().flatten() {
        let failed = |error: io::Error| Missing(format!("volume {:?}: {error}", volume.name));
        let laid = if let Some(source) = &volume.empty_dir {
            empty_dir::make(places, &volume.name, source, group).map_err(failed)?
        } else {
            let path = places.run.join(&volume.name);
            let files = files::of(volume, pod, values, surroundings)?;
            files::write(&path, files, group).map_err(failed)?;
            Laid { path, is_mount: false }
        };
        volumes.insert(volume.name.clone(), laid);
    }
    Ok(volumes)
}

/// The volumes of a pod that runs, where [`make`] has laid them out. Makes nothing.
pub(super) fn kept(places: &Places, pod: &Pod) -> Volumes {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    let laid = volumes.map(|volume| {
        let laid = match &volume.empty_dir {
            Some(source) => empty_dir::kept(places, &volume.name, source),
            None => Laid { path: places.run.join(&volume.name), is_mount: false },
        };
        (volume.name.clone(), laid)
    });
    laid.collect()
}

/// The volumes of a pod that are to be looked at for their size.
pub(super) fn limited(places: &Places, pod: &Pod) -> Vec<Limited> {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    volumes.filter_map(|volume| Limited::of(&places.disk, volume)).collect()
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
