//! Pod, and the pod in a template.

use std::collections::BTreeSet;

use super::{check_not_negative, check_one_of, container, pod_defaults, probe, volume};
use crate::{
    admission::{
        FieldError, Rejection,
        dispatch::{Context, Rules},
        labels,
        metadata::{self, NameRule},
        path::Path,
        rejection::invalid,
        same,
    },
    builtin::{Container, Pod, PodSpec, PodStatus, PodTemplateSpec},
    names::dns,
};

impl Rules for Pod {
    fn set_defaults(&mut self, context: &Context<'_, Self>) {
        let spec = self.spec.get_or_insert_default();
        pod_defaults::set(spec);
        pod_defaults::set_pod(spec);
        if context.old.is_none() {
            pod_defaults::set_new(spec);
            let status = self.status.get_or_insert_with(PodStatus::default);
            status.phase.get_or_insert_with(|| "Pending".to_owned());
            status.qos_class.get_or_insert_with(|| qos_class(spec).to_owned());
        }
    }

    fn validate(&self, context: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = metadata::validate(&self.metadata, NameRule::Subdomain, true);
        let none = PodSpec::default();
        let path = Path::root("spec");
        let spec = self.spec.as_ref().unwrap_or(&none);
        validate_spec(spec, &path, &mut errors);
        let init = spec.init_containers.as_deref().unwrap_or_default();
        for (field, containers) in [("containers", spec.containers.as_slice()), ("initContainers", init)] {
            container::check_images(containers, &path.child(field), &mut errors);
        }
        if let Some(old) = context.old {
            check_update(spec, old.spec.as_ref().unwrap_or(&none), context.request.binds, &path, &mut errors);
        }
        invalid(errors)
    }
}

/// Says what is wrong with the template of a Deployment, ReplicaSet or StatefulSet.
pub(super) fn validate_template(template: &PodTemplateSpec, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    if let Some(metadata) = &template.metadata {
        metadata::validate_common(metadata, &path.child("metadata"), errors);
    }
    let none = PodSpec::default();
    let spec = template.spec.as_ref().unwrap_or(&none);
    let path = path.child("spec");
    validate_spec(spec, &path, errors);
    let always = spec.restart_policy.as_deref().filter(|policy| matches!(*policy, "OnFailure" | "Never"));
    check_one_of(always, &["Always"], &path.child("restartPolicy"), errors);
    if spec.active_deadline_seconds.is_some() {
        let why = "activeDeadlineSeconds in a template that is always restarted is not supported";
        errors.push(FieldError::forbidden(&path.child("activeDeadlineSeconds"), why));
    }
}

fn validate_spec(spec: &PodSpec, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let volumes = volume::validate_all(spec, &path.child("volumes"), errors);
    validate_containers(spec, &volumes, path, errors);
    check_one_of(
        spec.restart_policy.as_deref(),
        &["Always", "OnFailure", "Never"],
        &path.child("restartPolicy"),
        errors,
    );
    check_one_of(
        spec.dns_policy.as_deref(),
        &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"],
        &path.child("dnsPolicy"),
        errors,
    );
    if let Some(selector) = &spec.node_selector {
        labels::validate(selector, &path.child("nodeSelector"), errors);
    }
    check_not_negative(
        spec.termination_grace_period_seconds,
        &path.child("terminationGracePeriodSeconds"),
        errors,
    );
    if let Some(seconds) = spec.active_deadline_seconds
        && !(1..=i64::from(i32::MAX)).contains(&seconds)
    {
        let why = "must be between 1 and 2147483647, inclusive";
        errors.push(FieldError::invalid(&path.child("activeDeadlineSeconds"), seconds, why));
    }
    for (field, name) in [("serviceAccountName", &spec.service_account_name), ("nodeName", &spec.node_name)] {
        if let Some(name) = name.as_deref().filter(|name| !name.is_empty()) {
            super::invalid_each(dns::subdomain(name), name, &path.child(field), errors);
        }
    }
    for (field, name) in [("hostname", &spec.hostname), ("subdomain", &spec.subdomain)] {
        if let Some(name) = name.as_deref().filter(|name| !name.is_empty()) {
            super::invalid_each(dns::label(name), name, &path.child(field), errors);
        }
    }
}

fn validate_containers(
    spec: &PodSpec,
    volumes: &BTreeSet<&str>,
    path: &Path<'_>,
    errors: &mut Vec<FieldError>,
) {
    let mut names = BTreeSet::new();
    let init = spec.init_containers.as_deref().unwrap_or_default();
    if spec.containers.is_empty() {
        errors.push(FieldError::required(&path.child("containers"), ""));
    }
    for (field, containers) in [("containers", spec.containers.as_slice()), ("initContainers", init)] {
        let path = path.child(field);
        for (index, container) in containers.iter().enumerate() {
            let at = path.index(index);
            container::validate(container, volumes, &at, errors);
            if !names.insert(&container.name) {
                errors.push(FieldError::duplicate(&at.child("name"), &container.name));
            }
            probe::validate_all(container, field == "initContainers", &at, errors);
        }
    }
}

/// A pod is what it is: only its images, deadline and tolerations may change, and whoever binds pods may give it a node
/// once.
fn check_update(spec: &PodSpec, old: &PodSpec, binds: bool, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    const WHY: &str = "pod updates may not change fields other than `spec.containers[*].image`,\
        `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing \
        tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
    let mut masked = spec.clone();
    masked.active_deadline_seconds = old.active_deadline_seconds;
    let kept =
        old.tolerations.iter().flatten().all(|old| spec.tolerations.iter().flatten().any(|new| new == old));
    if kept {
        masked.tolerations.clone_from(&old.tolerations);
    }
    if binds && old.node_name.as_deref().unwrap_or_default().is_empty() {
        masked.node_name.clone_from(&old.node_name);
    }
    let keep_images = |containers: &mut [Container], old: &[Container]| {
        for (container, old) in containers.iter_mut().zip(old) {
            container.image.clone_from(&old.image);
        }
    };
    keep_images(&mut masked.containers, &old.containers);
    keep_images(
        masked.init_containers.as_deref_mut().unwrap_or_default(),
        old.init_containers.as_deref().unwrap_or_default(),
    );
    let changes = same::diff(old, &masked);
    if !changes.is_empty() {
        errors.push(FieldError::forbidden(path, format!("{WHY}\n{changes}")));
    }
}

/// How much of what a pod may use it has for sure.
fn qos_class(spec: &PodSpec) -> &'static str {
    let containers = || spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let amount = |container: &Container, limits: bool, resource: &str| {
        let resources = container.resources.as_ref()?;
        let map = if limits { &resources.limits } else { &resources.requests };
        crate::quantity::nanos(&map.as_ref()?.get(resource)?.0).filter(|amount| *amount > 0)
    };
    let each = ["cpu", "memory"];
    let guaranteed = containers().all(|container| {
        each.iter().all(|resource| {
            let limit = amount(container, true, resource);
            limit.is_some() && limit == amount(container, false, resource)
        })
    });
    let any = containers().any(|container| {
        each.iter().any(|resource| {
            amount(container, true, resource).or(amount(container, false, resource)).is_some()
        })
    });
    match (guaranteed, any) {
        (true, _) if any => "Guaranteed",
        (_, true) => "Burstable",
        _ => "BestEffort",
    }
}
