//! Volumes of a pod.

use std::collections::BTreeSet;

use super::invalid_each;
use crate::{
    admission::{FieldError, path::Path},
    builtin::{KeyToPath, PodSpec, Volume},
    names::dns,
    quantity,
};

const MODE_MAX: i32 = 0o777;
/// The order in which a volume is looked at for sources, of which the first counts (upstream: `validateVolumeSource`); the
/// others come behind these.
const ORDER: [&str; 8] = [
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
];

/// Says what is wrong with a pod's volumes and returns their names.
pub(super) fn validate_all<'a>(
    spec: &'a PodSpec,
    path: &Path<'_>,
    errors: &mut Vec<FieldError>,
) -> BTreeSet<&'a str> {
    let mut names = BTreeSet::new();
    for (index, volume) in spec.volumes.iter().flatten().enumerate() {
        let path = path.index(index);
        let at = path.child("name");
        let wrong = dns::label(&volume.name);
        if volume.name.is_empty() {
            errors.push(FieldError::required(&at, ""));
        } else if wrong.is_empty() && !names.insert(volume.name.as_str()) {
            errors.push(FieldError::duplicate(&at, &volume.name));
        } else {
            invalid_each(wrong, &volume.name, &at, errors);
        }
        validate(volume, &path, errors);
    }
    names
}

fn validate(volume: &Volume, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let fields = serde_json::to_value(volume).unwrap_or_default();
    let sources = fields.as_object().into_iter().flat_map(|fields| fields.keys());
    let mut sources: Vec<&String> = sources.filter(|field| *field != "name").collect();
    sources.sort_by_key(|field| ORDER.iter().position(|known| known == field).unwrap_or(ORDER.len()));
    for extra in sources.into_iter().skip(1) {
        errors.push(FieldError::forbidden(&path.child(extra), "may not specify more than 1 volume type"));
    }
    if let Some(secret) = &volume.secret {
        let path = path.child("secret");
        check_required(secret.secret_name.as_deref(), &path.child("secretName"), errors);
        check_mode(secret.default_mode, &path.child("defaultMode"), errors);
        check_items(secret.items.as_deref(), &path, errors);
    }
    if let Some(map) = &volume.config_map {
        let path = path.child("configMap");
        check_required(Some(&map.name), &path.child("name"), errors);
        check_mode(map.default_mode, &path.child("defaultMode"), errors);
        check_items(map.items.as_deref(), &path, errors);
    }
    if let Some(limit) = volume.empty_dir.as_ref().and_then(|empty_dir| empty_dir.size_limit.as_ref())
        && quantity::nanos(&limit.0).is_none_or(|nanos| nanos < 0)
    {
        let empty_dir = path.child("emptyDir");
        let why = "SizeLimit field must be a valid resource quantity";
        errors.push(FieldError::forbidden(&empty_dir.child("sizeLimit"), why));
    }
    if let Some(host_path) = &volume.host_path {
        let at = path.child("hostPath");
        check_required(Some(&host_path.path), &at.child("path"), errors);
    }
    if let Some(projected) = &volume.projected {
        let path = path.child("projected");
        check_mode(projected.default_mode, &path.child("defaultMode"), errors);
    }
}

fn check_required(value: Option<&str>, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    if value.unwrap_or_default().is_empty() {
        errors.push(FieldError::required(path, ""));
    }
}

fn check_mode(mode: Option<i32>, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    if let Some(mode) = mode.filter(|mode| !(0..=MODE_MAX).contains(mode)) {
        let why = "must be a number between 0 and 0777 (octal), both inclusive";
        errors.push(FieldError::invalid(path, mode, why));
    }
}

fn check_items(items: Option<&[KeyToPath]>, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let path = path.child("items");
    for (index, item) in items.unwrap_or_default().iter().enumerate() {
        let path = path.index(index);
        check_required(Some(&item.key), &path.child("key"), errors);
        let at = path.child("path");
        check_required(Some(&item.path), &at, errors);
        if item.path.starts_with('/') {
            errors.push(FieldError::invalid(&at, &item.path, "must be a relative path"));
        } else if item.path.split('/').any(|part| part == "..") {
            errors.push(FieldError::invalid(&at, &item.path, "must not contain '..'"));
        }
        check_mode(item.mode, &path.child("mode"), errors);
    }
}
