//! Volumes of a Revision.

use std::collections::BTreeSet;

use crate::{
    admission::{KnativeErrors, Path},
    builtin::{KeyToPath, Volume, VolumeProjection},
    config::Features,
    names::dns,
    quantity,
    serving::RevisionSpec,
};

/// Says what is wrong with a Revision's volumes.
pub(super) fn validate_all(
    spec: &RevisionSpec,
    path: Path<'_>,
    features: &Features,
    errors: &mut KnativeErrors,
) {
    let containers = spec.containers.iter().chain(&spec.init_containers);
    let mounted: BTreeSet<_> = containers
        .flat_map(|container| container.volume_mounts.iter().flatten())
        .map(|mount| mount.name.as_str())
        .collect();
    let mut names = BTreeSet::new();
    for (index, volume) in spec.volumes.iter().enumerate() {
        let at = path.index(index);
        let name = volume.name.as_str();
        if !names.insert(name) {
            errors.add(format!("duplicate volume name {name:?}"), &[at.child("name")], "");
        }
        if !mounted.contains(name) {
            errors.add(format!("volume with name {name:?} not mounted"), &[at.child("name")], "");
        }
        if name.is_empty() {
            errors.missing(at.child("name"));
        } else if !dns::label(name).is_empty() {
            errors.invalid(name, at.child("name"));
        }
        validate_source(volume, at, features, errors);
        check_persistent(volume, at, features, errors);
    }
}

fn validate_source(volume: &Volume, path: Path<'_>, features: &Features, errors: &mut KnativeErrors) {
    // Field, what it is called in messages, whether it is set, whether it may be.
    let sources = [
        ("secret", "", volume.secret.is_some(), true),
        ("configMap", "", volume.config_map.is_some(), true),
        ("projected", "", volume.projected.is_some(), true),
        ("emptyDir", "EmptyDir", volume.empty_dir.is_some(), features.volumes_empty_dir.is_enabled()),
        (
            "persistentVolumeClaim",
            "",
            volume.persistent_volume_claim.is_some(),
            features.persistent_volume_claim.is_enabled(),
        ),
        ("hostPath", "HostPath", volume.host_path.is_some(), features.volumes_host_path.is_enabled()),
        ("csi", "CSI", volume.csi.is_some(), features.volumes_csi.is_enabled()),
        ("ephemeral", "Ephemeral", volume.ephemeral.is_some(), features.volumes_ephemeral.is_enabled()),
        ("image", "Image", volume.image.is_some(), features.volumes_image.is_enabled()),
    ];
    for (_, what, set, allowed) in sources {
        if set && !allowed && !what.is_empty() {
            let message =
                format!("{what} volume support is disabled, but found {what} volume {}", volume.name);
            errors.add(message, &[path], "");
        }
    }
    let specified: Vec<_> =
        sources.iter().filter(|(_, _, set, _)| *set).map(|(field, ..)| path.child(field)).collect();
    match specified.len() {
        0 => {
            let allowed: Vec<_> = sources
                .iter()
                .filter(|(.., allowed)| *allowed)
                .map(|(field, ..)| path.child(field))
                .collect();
            errors.missing_one_of(&allowed);
        }
        1 => {}
        _ => errors.multiple_one_of(&specified),
    }
    check_details(volume, path, errors);
}

fn check_details(volume: &Volume, path: Path<'_>, errors: &mut KnativeErrors) {
    let secret = volume.secret.as_ref().and_then(|secret| secret.items.as_deref());
    check_items(secret, path.child("secret"), errors);
    let config_map = volume.config_map.as_ref().and_then(|map| map.items.as_deref());
    check_items(config_map, path.child("configMap"), errors);
    if let Some(projected) = &volume.projected {
        let at = path.child("projected");
        let at = at.child("sources");
        for (index, source) in projected.sources.iter().flatten().enumerate() {
            check_projection(source, at.index(index), errors);
        }
    }
    if let Some(empty_dir) = &volume.empty_dir {
        let at = path.child("emptyDir");
        match empty_dir.medium.as_deref().unwrap_or_default() {
            "" | "Memory" => {}
            other => errors.invalid(other, at.child("medium")),
        }
        if let Some(limit) = &empty_dir.size_limit
            && quantity::nanos(&limit.0).is_none_or(|nanos| nanos < 0)
        {
            errors.invalid(&limit.0, at.child("sizeLimit"));
        }
    }
    if let Some(image) = &volume.image {
        let at = path.child("image");
        if image.reference.as_deref().unwrap_or_default().is_empty() {
            errors.missing(at.child("reference"));
        }
        match image.pull_policy.as_deref().unwrap_or_default() {
            "" | "Always" | "Never" | "IfNotPresent" => {}
            other => errors.invalid(other, at.child("pullPolicy")),
        }
    }
}

fn check_persistent(volume: &Volume, path: Path<'_>, features: &Features, errors: &mut KnativeErrors) {
    let Some(claim) = &volume.persistent_volume_claim else { return };
    let name = &claim.claim_name;
    if !features.persistent_volume_claim.is_enabled() {
        let message =
            format!("Persistent volume claim support is disabled, but found persistent volume claim {name}");
        errors.add(message, &[path], "");
    }
    if claim.read_only != Some(true) && !features.persistent_volume_write.is_enabled() {
        let message = format!(
            "Persistent volume write support is disabled, but found persistent volume claim {name} that is not read-only"
        );
        errors.add(message, &[path], "");
    }
}

fn check_projection(source: &VolumeProjection, path: Path<'_>, errors: &mut KnativeErrors) {
    const FIELDS: [&str; 4] = ["secret", "configMap", "serviceAccountToken", "downwardAPI"];
    let set = [
        source.secret.is_some(),
        source.config_map.is_some(),
        source.service_account_token.is_some(),
        source.downward_api.is_some(),
    ];
    if source.cluster_trust_bundle.is_some() {
        errors.disallowed(path.child("clusterTrustBundle"));
    }
    let specified: Vec<_> =
        FIELDS.iter().zip(set).filter(|(_, set)| *set).map(|(field, _)| path.child(field)).collect();
    match specified.len() {
        0 => errors.missing_one_of(&FIELDS.map(|field| path.child(field))),
        1 => {}
        _ => errors.multiple_one_of(&specified),
    }
    if let Some(secret) = &source.secret {
        let at = path.child("secret");
        check_named(&secret.name, at, errors);
        check_items(secret.items.as_deref(), at, errors);
    }
    if let Some(map) = &source.config_map {
        let at = path.child("configMap");
        check_named(&map.name, at, errors);
        check_items(map.items.as_deref(), at, errors);
    }
    if let Some(token) = &source.service_account_token
        && token.path.is_empty()
    {
        let at = path.child("serviceAccountToken");
        errors.missing(at.child("path"));
    }
    let at = path.child("downwardAPI");
    let at = at.child("items");
    for (index, file) in source.downward_api.iter().flat_map(|api| api.items.iter().flatten()).enumerate() {
        let at = at.index(index);
        let [field, resource] = ["fieldRef", "resourceFieldRef"].map(|field| at.child(field));
        match (&file.field_ref, &file.resource_field_ref) {
            (None, None) => errors.missing_one_of(&[field, resource]),
            (Some(_), Some(_)) => errors.add("Within a single item, cannot set both", &[resource, field], ""),
            _ => {}
        }
        if file.path.is_empty() {
            errors.missing(at.child("path"));
        }
    }
}

fn check_named(name: &str, path: Path<'_>, errors: &mut KnativeErrors) {
    if name.is_empty() {
        errors.missing(path.child("name"));
    }
}

fn check_items(items: Option<&[KeyToPath]>, path: Path<'_>, errors: &mut KnativeErrors) {
    let at = path.child("items");
    for (index, item) in items.unwrap_or_default().iter().enumerate() {
        let at = at.index(index);
        if item.key.is_empty() {
            errors.missing(at.child("key"));
        }
        if item.path.is_empty() {
            errors.missing(at.child("path"));
        }
    }
}
