//! Lays a pod's volumes out, for its containers to see.

mod empty_dir;
mod files;
mod published;
mod turns;

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

use resources::builtin::{Pod, Volume};

use self::files::Files;
pub(super) use self::{
    empty_dir::{Limited, clear as clear_memory},
    turns::Turns,
};
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
    /// Its files are values, which are [published](published) all at once.
    pub(super) is_values: bool,
}

impl Laid {
    /// Where a subPath begins.
    pub(super) fn base(&self) -> PathBuf {
        if self.is_values { self.path.join(published::CURRENT) } else { self.path.clone() }
    }
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
    for volume in spec.volumes.iter().flatten() {
        let laid = if let Some(source) = &volume.empty_dir {
            empty_dir::make(places, &volume.name, source, group(pod))
                .map_err(|error| failed(volume, error))?
        } else {
            let files = files::of(volume, pod, values, surroundings)?;
            let path = places.run.join(&volume.name);
            fs::create_dir_all(&path).map_err(|error| failed(volume, error))?;
            publish(&path, volume, pod, files)?;
            Laid { path, is_mount: false, is_values: true }
        };
        volumes.insert(volume.name.clone(), laid);
    }
    Ok(volumes)
}

/// Shows the values of now in the volumes of a pod that runs. Blocks. What is missing keeps its volume as it was, but no
/// other.
pub(super) fn renew(
    places: &Places,
    pod: &Pod,
    values: &Values,
    surroundings: &Surroundings<'_>,
) -> Result<(), Missing> {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    let renewed = volumes.filter(|volume| volume.empty_dir.is_none()).map(|volume| {
        let files = files::of(volume, pod, values, surroundings)?;
        publish(&places.run.join(&volume.name), volume, pod, files)
    });
    renewed.fold(Ok(()), Result::and)
}

fn publish(path: &Path, volume: &Volume, pod: &Pod, files: Files) -> Result<(), Missing> {
    published::publish(path, files, group(pod)).map_err(|error| failed(volume, error))
}

fn failed(volume: &Volume, error: io::Error) -> Missing {
    Missing(format!("volume {:?}: {error}", volume.name))
}

/// Whose group may use all volumes.
fn group(pod: &Pod) -> Option<u32> {
    let context = pod.spec.as_ref().and_then(|spec| spec.security_context.as_ref());
    context.and_then(|context| context.fs_group).and_then(|group| u32::try_from(group).ok())
}

/// The volumes of a pod that runs, where [`make`] has laid them out. Makes nothing.
pub(super) fn kept(places: &Places, pod: &Pod) -> Volumes {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    let laid = volumes.map(|volume| {
        let laid = match &volume.empty_dir {
            Some(source) => empty_dir::kept(places, &volume.name, source),
            None => Laid { path: places.run.join(&volume.name), is_mount: false, is_values: true },
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
