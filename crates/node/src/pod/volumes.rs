//! Lays a pod's volumes out on disk, for its containers to see.

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    os::unix::fs::{PermissionsExt, chown},
    path::{Component, Path, PathBuf},
};

use resources::builtin::{KeyToPath, Pod, Volume};

use super::{
    env,
    values::{Missing, Values},
};

/// The pod's volumes by name, as directories on the host.
pub(super) type Volumes = HashMap<String, PathBuf>;

/// Files by path within a volume, with their modes.
type Files = BTreeMap<PathBuf, (Vec<u8>, u32)>;

/// What kind of volume a pod asks for that this node does not have.
fn unsupported(volume: &Volume) -> Missing {
    Missing(format!(
        "volume {:?} is of a kind that this node does not support; it has configMap, secret, projected, downwardAPI and emptyDir",
        volume.name
    ))
}

/// Makes the volumes below `dir`. Blocks. Made again after a crash, they are the same; an emptyDir keeps its content.
pub(super) fn make(dir: &Path, pod: &Pod, values: &Values, address: &str) -> Result<Volumes, Missing> {
    let mut volumes = Volumes::new();
    let Some(spec) = &pod.spec else { return Ok(volumes) };
    let group = spec.security_context.as_ref().and_then(|context| context.fs_group);
    for volume in spec.volumes.iter().flatten() {
        let path = dir.join(&volume.name);
        let failed = |error: io::Error| Missing(format!("volume {:?}: {error}", volume.name));
        if volume.empty_dir.is_some() {
            fs::create_dir_all(&path).map_err(failed)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).map_err(failed)?;
        } else {
            let files = files(volume, pod, values, address)?;
            write(&path, files, group).map_err(failed)?;
        }
        volumes.insert(volume.name.clone(), path);
    }
    Ok(volumes)
}

fn files(volume: &Volume, pod: &Pod, values: &Values, address: &str) -> Result<Files, Missing> {
    const MODE: i32 = 0o644;
    let mut files = Files::new();
    if let Some(source) = &volume.config_map {
        let data = optional(values.config_map(&source.name), source.optional)?;
        let mode = source.default_mode.unwrap_or(MODE);
        select(&mut files, data, source.items.as_deref(), mode, source.optional, &source.name)?;
    } else if let Some(source) = &volume.secret {
        let name = source.secret_name.clone().unwrap_or_default();
        let data = optional(values.secret(&name), source.optional)?;
        let mode = source.default_mode.unwrap_or(MODE);
        select(&mut files, data, source.items.as_deref(), mode, source.optional, &name)?;
    } else if let Some(source) = &volume.downward_api {
        let mode = source.default_mode.unwrap_or(MODE);
        for item in source.items.iter().flatten() {
            let Some(reference) = &item.field_ref else { return Err(unsupported(volume)) };
            let text = env::field(pod, &reference.field_path, address)?;
            insert(&mut files, &item.path, text.into_bytes(), item.mode.unwrap_or(mode))?;
        }
    } else if let Some(projected) = &volume.projected {
        let mode = projected.default_mode.unwrap_or(MODE);
        for source in projected.sources.iter().flatten() {
            if let Some(source) = &source.config_map {
                let data = optional(values.config_map(&source.name), source.optional)?;
                select(&mut files, data, source.items.as_deref(), mode, source.optional, &source.name)?;
            } else if let Some(source) = &source.secret {
                let data = optional(values.secret(&source.name), source.optional)?;
                select(&mut files, data, source.items.as_deref(), mode, source.optional, &source.name)?;
            } else if let Some(source) = &source.downward_api {
                for item in source.items.iter().flatten() {
                    let Some(reference) = &item.field_ref else { return Err(unsupported(volume)) };
                    let text = env::field(pod, &reference.field_path, address)?;
                    insert(&mut files, &item.path, text.into_bytes(), item.mode.unwrap_or(mode))?;
                }
            } else {
                return Err(unsupported(volume));
            }
        }
    } else {
        return Err(unsupported(volume));
    }
    Ok(files)
}

fn optional<T>(found: Result<T, Missing>, optional: Option<bool>) -> Result<Option<T>, Missing> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(_) if optional == Some(true) => Ok(None),
        Err(missing) => Err(missing),
    }
}

/// All keys as files, or the chosen ones under their paths.
fn select(
    files: &mut Files,
    data: Option<&BTreeMap<String, Vec<u8>>>,
    items: Option<&[KeyToPath]>,
    mode: i32,
    is_optional: Option<bool>,
    name: &str,
) -> Result<(), Missing> {
    let Some(data) = data else { return Ok(()) };
    let Some(items) = items else {
        return data.iter().try_for_each(|(key, value)| insert(files, key, value.clone(), mode));
    };
    for item in items {
        match data.get(&item.key) {
            Some(value) => insert(files, &item.path, value.clone(), item.mode.unwrap_or(mode))?,
            None if is_optional == Some(true) => {}
            None => return Err(Missing(format!("references non-existent key {} in {name}", item.key))),
        }
    }
    Ok(())
}

fn insert(files: &mut Files, path: &str, content: Vec<u8>, mode: i32) -> Result<(), Missing> {
    let path = PathBuf::from(path);
    let inside = path.components().all(|part| matches!(part, Component::Normal(_)));
    if !inside {
        return Err(Missing(format!("path {} leads out of the volume", path.display())));
    }
    files.insert(path, (content, u32::try_from(mode).unwrap_or(0o644)));
    Ok(())
}

fn write(dir: &Path, files: Files, group: Option<i64>) -> io::Result<()> {
    // A volume made before belongs to an earlier run of the same pod.
    if dir.exists() {
        fs::remove_dir_all(dir)?;
    }
    fs::create_dir_all(dir)?;
    let group = group.and_then(|group| u32::try_from(group).ok());
    for (path, (content, mode)) in files {
        let path = dir.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, content)?;
        let mode = if group.is_some() { mode | 0o440 } else { mode };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        if group.is_some() {
            chown(&path, None, group)?;
        }
    }
    Ok(())
}
