//! Deployment.

use serde::Serialize;

use super::{
    check_not_negative, pod_defaults,
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
    builtin::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment},
    meta::IntOrString,
};

impl Rules for Deployment {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {
        let spec = self.spec.get_or_insert_default();
        spec.replicas.get_or_insert(1);
        spec.revision_history_limit.get_or_insert(10);
        spec.progress_deadline_seconds.get_or_insert(600);
        let strategy = spec.strategy.get_or_insert_with(DeploymentStrategy::default);
        let kind = strategy.type_.get_or_insert_with(|| "RollingUpdate".to_owned());
        if kind == "RollingUpdate" {
            let quarter = || IntOrString::String("25%".to_owned());
            let update = strategy.rolling_update.get_or_insert_with(RollingUpdateDeployment::default);
            update.max_unavailable.get_or_insert_with(quarter);
            update.max_surge.get_or_insert_with(quarter);
        }
        pod_defaults::set(spec.template.spec.get_or_insert_default());
    }

    fn validate(&self, context: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = metadata::validate(&self.metadata, NameRule::Subdomain, true);
        let none = DeploymentSpec::default();
        let spec = self.spec.as_ref().unwrap_or(&none);
        let path = Path::root("spec");
        let workload = Workload {
            kind: "deployment",
            replicas: spec.replicas,
            min_ready_seconds: None,
            selector: &spec.selector,
            template: &spec.template,
        };
        let old = context.old.and_then(|old| old.spec.as_ref());
        workload.validate(old.map(|old| &old.selector), &path, &mut errors);
        if let Some(strategy) = &spec.strategy {
            check_strategy(strategy, &path.child("strategy"), &mut errors);
        }
        let counts = [
            ("minReadySeconds", spec.min_ready_seconds),
            ("revisionHistoryLimit", spec.revision_history_limit),
        ];
        for (field, count) in counts {
            check_not_negative(count.map(i64::from), &path.child(field), &mut errors);
        }
        check_deadline(spec, &path, &mut errors);
        invalid(errors)
    }

    fn validate_status(&self, _: &Self) -> Vec<FieldError> {
        let Some(status) = &self.status else { return Vec::new() };
        let counts = [
            ("replicas", status.replicas),
            ("updatedReplicas", status.updated_replicas),
            ("readyReplicas", status.ready_replicas),
            ("availableReplicas", status.available_replicas),
        ];
        let counts = counts.map(|(field, count)| (field, count.unwrap_or_default()));
        workload::check_counts(&counts, ("availableReplicas", "readyReplicas"))
    }
}

fn check_deadline(spec: &DeploymentSpec, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let Some(deadline) = spec.progress_deadline_seconds else { return };
    let at = path.child("progressDeadlineSeconds");
    check_not_negative(Some(deadline.into()), &at, errors);
    if deadline <= spec.min_ready_seconds.unwrap_or(0) {
        errors.push(FieldError::invalid(&at, deadline, "must be greater than minReadySeconds"));
    }
}

/// A strategy as upstream shows it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown<'a> {
    r#type: &'a Option<String>,
    rolling_update: &'a Option<RollingUpdateDeployment>,
}

fn check_strategy(strategy: &DeploymentStrategy, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let kinds = ["Recreate", "RollingUpdate"];
    if strategy.type_.as_deref().is_some_and(|kind| !kinds.contains(&kind)) {
        let shown = Shown { r#type: &strategy.type_, rolling_update: &strategy.rolling_update };
        errors.push(FieldError::not_supported(path, shown, &kinds));
        return;
    }
    let path = path.child("rollingUpdate");
    let Some(update) = &strategy.rolling_update else { return };
    if strategy.type_.as_deref() == Some("Recreate") {
        let why = "may not be specified when strategy `type` is 'Recreate'";
        errors.push(FieldError::forbidden(&path, why));
        return;
    }
    let unavailable = check_share(update.max_unavailable.as_ref(), &path.child("maxUnavailable"), errors);
    let surge = check_share(update.max_surge.as_ref(), &path.child("maxSurge"), errors);
    if unavailable == Some(0) && surge == Some(0) {
        let why = "may not be 0 when `maxSurge` is 0";
        errors.push(FieldError::invalid(&path.child("maxUnavailable"), &update.max_unavailable, why));
    }
    if unavailable.is_some_and(|share| share > 100)
        && matches!(update.max_unavailable, Some(IntOrString::String(_)))
    {
        let at = path.child("maxUnavailable");
        errors.push(FieldError::invalid(&at, &update.max_unavailable, "must not be greater than 100%"));
    }
}

/// A count or a percentage; its number.
fn check_share(share: Option<&IntOrString>, path: &Path<'_>, errors: &mut Vec<FieldError>) -> Option<i64> {
    match share? {
        IntOrString::Int(count) => {
            check_not_negative(Some((*count).into()), path, errors);
            Some((*count).into())
        }
        IntOrString::String(text) => {
            let percent = text.strip_suffix('%').and_then(|digits| digits.parse::<u32>().ok());
            if percent.is_none() {
                let why = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or \
                           '93%', regex used for validation is '[0-9]+%')";
                errors.push(FieldError::invalid(path, text, why));
            }
            percent.map(i64::from)
        }
    }
}
