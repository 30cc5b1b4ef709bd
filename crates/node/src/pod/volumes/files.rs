//! What the files of volumes that show values have in them: ConfigMaps, Secrets, the pod itself, tokens.

use std::{
    collections::BTreeMap,
    path::{Component, PathBuf},
};

use resources::builtin::{DownwardAPIVolumeFile, KeyToPath, Pod, Volume};

use super::unsupported;
use crate::pod::{
    env::{self, Surroundings},
    values::{Missing, Values},
};

/// Files by path within a volume, with their modes.
pub(super) type Files = BTreeMap<PathBuf, (Vec<u8>, u32)>;

/// What a volume shows.
pub(super) fn of(
    volume: &Volume,
    pod: &Pod,
    values: &Values,
    surroundings: &Surroundings<'_>,
) -> Result<Files, Missing> {
    const MODE: i32 = 0o644;
    /// A token that a group is given is for nobody else (upstream: kubernetes, projected volumes).
    const GROUP_TOKEN_MODE: i32 = 0o600;
    let context = pod.spec.as_ref().and_then(|spec| spec.security_context.as_ref());
    let has_group = context.is_some_and(|context| context.fs_group.is_some());
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
        downward(&mut files, source.items.as_deref(), mode, pod, surroundings)?;
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
                downward(&mut files, source.items.as_deref(), mode, pod, surroundings)?;
            } else if let Some(source) = &source.service_account_token {
                let token = values.token(source)?.as_bytes().to_vec();
                insert(&mut files, &source.path, token, if has_group { GROUP_TOKEN_MODE } else { mode })?;
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

/// Fields of the pod, and shares of the machine that its containers have.
fn downward(
    files: &mut Files,
    items: Option<&[DownwardAPIVolumeFile]>,
    mode: i32,
    pod: &Pod,
    surroundings: &Surroundings<'_>,
) -> Result<(), Missing> {
    for item in items.into_iter().flatten() {
        let text = match (&item.field_ref, &item.resource_field_ref) {
            (Some(reference), _) => env::field(pod, &reference.field_path, surroundings.address)?,
            (_, Some(reference)) => env::resource_of(pod, reference, surroundings)?,
            (None, None) => return Err(Missing(format!("{}: neither a field nor a resource", item.path))),
        };
        insert(files, &item.path, text.into_bytes(), item.mode.unwrap_or(mode))?;
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
