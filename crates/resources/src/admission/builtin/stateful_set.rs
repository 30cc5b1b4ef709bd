//! StatefulSet.

use std::borrow::Cow;

use super::{
    check_not_negative, check_one_of, invalid_each, pod_defaults,
    workload::{self, Workload},
};
use crate::{
    admission::{
        FieldError, Rejection,
        dispatch::{Context, Rules},
        metadata::{self, NameRule},
        path::Path,
        rejection::invalid,
    },
    builtin::{
        PersistentVolumeClaim, PersistentVolumeClaimVolumeSource, PodTemplateSpec, StatefulSet,
        StatefulSetSpec, StatefulSetUpdateStrategy, Volume,
    },
    names::dns,
};

const ROLLING_UPDATE: &str = "RollingUpdate";
const POD_MANAGEMENT: [&str; 2] = ["OrderedReady", "Parallel"];
const RETENTION: [&str; 2] = ["Retain", "Delete"];

impl Rules for StatefulSet {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {
        let spec = self.spec.get_or_insert_default();
        spec.replicas.get_or_insert(1);
        spec.revision_history_limit.get_or_insert(10);
        spec.pod_management_policy.get_or_insert_with(|| POD_MANAGEMENT[0].to_owned());
        let strategy = spec.update_strategy.get_or_insert_default();
        if strategy.type_.is_none() {
            strategy.type_ = Some(ROLLING_UPDATE.to_owned());
            strategy.rolling_update.get_or_insert_default();
        }
        if is_rolling(strategy)
            && let Some(update) = &mut strategy.rolling_update
        {
            update.partition.get_or_insert(0);
        }
        let retention = spec.persistent_volume_claim_retention_policy.get_or_insert_default();
        for policy in [&mut retention.when_deleted, &mut retention.when_scaled] {
            policy.get_or_insert_with(|| RETENTION[0].to_owned());
        }
        for claim in spec.volume_claim_templates.iter_mut().flatten() {
            let mode = &mut claim.spec.get_or_insert_default().volume_mode;
            mode.get_or_insert_with(|| "Filesystem".to_owned());
            let phase = &mut claim.status.get_or_insert_default().phase;
            phase.get_or_insert_with(|| "Pending".to_owned());
        }
        pod_defaults::set(spec.template.spec.get_or_insert_default());
    }

    fn validate(&self, context: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = metadata::validate(&self.metadata, NameRule::Label, true);
        let none = StatefulSetSpec::default();
        let spec = self.spec.as_ref().unwrap_or(&none);
        let path = Path::root("spec");
        check_policies(spec, &path, &mut errors);
        let start = spec.ordinals.as_ref().and_then(|ordinals| ordinals.start);
        check_not_negative(start.map(i64::from), &path.child("ordinals").child("start"), &mut errors);
        if let Some(name) = spec.service_name.as_deref().filter(|name| !name.is_empty()) {
            invalid_each(dns::label(name), name, &path.child("serviceName"), &mut errors);
        }
        let template = with_claims(spec);
        let workload = Workload {
            kind: "statefulset",
            replicas: spec.replicas,
            min_ready_seconds: spec.min_ready_seconds,
            selector: &spec.selector,
            template: &template,
        };
        workload.validate(None, &path, &mut errors);
        if context.old.and_then(|old| old.spec.as_ref()).is_some_and(|old| lasting(old) != lasting(spec)) {
            let why = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
                       'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and \
                       'minReadySeconds' are forbidden";
            errors.push(FieldError::forbidden(&path, why));
        }
        invalid(errors)
    }

    fn validate_status(&self, _: &Self) -> Vec<FieldError> {
        let Some(status) = &self.status else { return Vec::new() };
        let counts = [
            ("replicas", status.replicas),
            ("readyReplicas", status.ready_replicas.unwrap_or_default()),
            ("currentReplicas", status.current_replicas.unwrap_or_default()),
            ("updatedReplicas", status.updated_replicas.unwrap_or_default()),
            ("availableReplicas", status.available_replicas.unwrap_or_default()),
        ];
        workload::check_counts(&counts, ("availableReplicas", "readyReplicas"))
    }
}

fn is_rolling(strategy: &StatefulSetUpdateStrategy) -> bool {
    strategy.type_.as_deref() == Some(ROLLING_UPDATE)
}

fn check_policies(spec: &StatefulSetSpec, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    if let Some(policy) = spec.pod_management_policy.as_deref().filter(|it| !POD_MANAGEMENT.contains(it)) {
        let why = "must be 'OrderedReady' or 'Parallel'";
        errors.push(FieldError::invalid(&path.child("podManagementPolicy"), policy, why));
    }
    if let Some(strategy) = &spec.update_strategy {
        check_strategy(strategy, &path.child("updateStrategy"), errors);
    }
    if let Some(retention) = &spec.persistent_volume_claim_retention_policy {
        let path = path.child("persistentVolumeClaimRetentionPolicy");
        for (field, policy) in
            [("whenDeleted", &retention.when_deleted), ("whenScaled", &retention.when_scaled)]
        {
            check_one_of(policy.as_deref(), &RETENTION, &path.child(field), errors);
        }
    }
}

fn check_strategy(strategy: &StatefulSetUpdateStrategy, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let at = path.child("rollingUpdate");
    match (strategy.type_.as_deref(), &strategy.rolling_update) {
        (Some("OnDelete"), Some(update)) => {
            let why = "only allowed for updateStrategy 'RollingUpdate'";
            errors.push(FieldError::invalid(&at, update, why));
        }
        (Some(ROLLING_UPDATE), Some(update)) => {
            check_not_negative(update.partition.map(i64::from), &at.child("partition"), errors);
        }
        (Some("OnDelete" | ROLLING_UPDATE), None) => {}
        (kind, _) => {
            let why = "must be 'RollingUpdate' or 'OnDelete'";
            errors.push(FieldError::invalid(&path.child("type"), kind, why));
        }
    }
}

/// What of a spec never changes.
fn lasting(spec: &StatefulSetSpec) -> impl PartialEq {
    let StatefulSetSpec { selector, service_name, pod_management_policy, volume_claim_templates, .. } = spec;
    (selector, service_name, pod_management_policy, volume_claim_templates)
}

/// The template with the volumes that the claims bring, which its containers may mount as others.
fn with_claims(spec: &StatefulSetSpec) -> Cow<'_, PodTemplateSpec> {
    let claims = spec.volume_claim_templates.as_deref().unwrap_or_default();
    if claims.is_empty() {
        return Cow::Borrowed(&spec.template);
    }
    let name = |claim: &PersistentVolumeClaim| claim.metadata.name.clone().unwrap_or_default();
    let brought = claims.iter().map(|claim| Volume {
        name: name(claim),
        persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
            claim_name: name(claim),
            read_only: None,
        }),
        ..Volume::default()
    });
    let mut volumes: Vec<Volume> = brought.collect();
    let mut template = spec.template.clone();
    let pod = template.spec.get_or_insert_default();
    let own = pod.volumes.take().unwrap_or_default();
    volumes.extend(own.into_iter().filter(|own| !claims.iter().any(|claim| name(claim) == own.name)));
    pod.volumes = Some(volumes);
    Cow::Owned(template)
}
