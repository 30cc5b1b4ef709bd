//! A Revision's status from its Deployment, its pods and its PodAutoscaler (upstream: serving,
//! `revision_lifecycle.go`).

use resources::{
    Object,
    autoscaling::{PodAutoscaler, SCALE_TARGET_INITIALIZED},
    builtin::{Deployment, DeploymentCondition},
    condition::{self, Condition, READY},
    config::Configs,
    meta::Time,
    serving::{
        ACTIVE, CONTAINER_HEALTHY, RESOURCES_AVAILABLE, REVISION_CONDITIONS, Revision, RevisionStatus,
    },
};

use super::{
    digests::Outcome,
    pods::{Trouble, is_mendable},
};
use crate::serving::{
    child::Child,
    verdict::{Verdict, mark},
};

/// That everything in the spec is honoured; shown only when it is not, and then for information.
const SPEC_HONORED: &str = "SpecHonored";
const RESOLVING_DIGESTS: &str = "ResolvingDigests";
const DEPLOYING: &str = "Deploying";
const CONTAINER_MISSING: &str = "ContainerMissing";
const DEADLINE_EXCEEDED: &str = "ProgressDeadlineExceeded";

/// What became of a Revision's images and children.
pub(super) struct Observed {
    pub(super) digests: Outcome,
    pub(super) deployment: Option<Child<Deployment>>,
    pub(super) pod_autoscaler: Option<Child<PodAutoscaler>>,
    pub(super) trouble: Trouble,
}

impl Observed {
    /// Whether a child's name is somebody else's.
    pub(super) fn has_foreign(&self) -> bool {
        self.deployment.as_ref().is_some_and(Child::is_foreign)
            || self.pod_autoscaler.as_ref().is_some_and(Child::is_foreign)
    }
}

/// The status of a Revision.
pub(super) fn revision_status(
    revision: &Revision,
    observed: &Observed,
    configs: &Configs,
    now: &Time,
) -> RevisionStatus {
    let mut status = revision.status.clone();
    status.observed_generation = Some(revision.generation());
    status.log_url = log_url(revision, &configs.observability.revision_url_template);
    if let Outcome::Resolved(digests) = &observed.digests {
        let (containers, init) = digests.split_at(revision.spec.containers.len().min(digests.len()));
        status.container_statuses = containers.to_vec();
        status.init_container_statuses = init.to_vec();
    }
    let resources = resources_available(&revision.status, observed);
    let autoscaler = observed.pod_autoscaler.as_ref().and_then(Child::own);
    if let Some(autoscaler) = autoscaler {
        let scale = |scale: Option<i32>| scale.filter(|scale| *scale >= 0);
        status.actual_replicas = scale(autoscaler.status.actual_scale);
        status.desired_replicas = scale(autoscaler.status.desired_scale);
    }
    let mut verdicts = vec![
        (CONTAINER_HEALTHY, container_healthy(&revision.status, observed, &resources)),
        (RESOURCES_AVAILABLE, resources),
        (ACTIVE, active(autoscaler)),
    ];
    verdicts.extend(observed.trouble.not_honored.clone().map(|verdict| (SPEC_HONORED, verdict)));
    mark(&REVISION_CONDITIONS, &mut status.conditions, verdicts, now);
    status
}

/// Whether a Revision's instances cannot come up as they are, so that none shall be kept. What can be mended from
/// outside does not count, nor do containers that end after they have worked once: the node tries on, and needs the
/// instance for it. Of a deadline counts what the Deployment says now, of the instances that it shall have now: one that is
/// tried after it was missed is left to come up.
pub(super) fn is_stuck(
    revision: &Revision,
    deployment: Option<&Deployment>,
    autoscaler: Option<&PodAutoscaler>,
) -> bool {
    let failed = |name: &str| {
        condition::get(&revision.status.conditions, name)
            .is_some_and(|condition| condition.is_false() && !is_mendable(&condition.reason))
    };
    let Some(deployment) = deployment.filter(|deployment| wanted(deployment) > 0 && ready(deployment) == 0)
    else {
        return false;
    };
    let missed_before = condition::get(&revision.status.conditions, RESOURCES_AVAILABLE)
        .is_some_and(|condition| condition.reason == DEADLINE_EXCEEDED)
        && !(has_timed_out(deployment) && is_observed(deployment));
    (failed(RESOURCES_AVAILABLE) && !missed_before)
        || (failed(CONTAINER_HEALTHY) && !autoscaler.is_some_and(is_initialized))
}

/// The instances that a Deployment shall have.
pub(super) fn wanted(deployment: &Deployment) -> i32 {
    deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1)
}

/// The instances that are ready.
pub(super) fn ready(deployment: &Deployment) -> i32 {
    deployment.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0)
}

/// The instances that are available.
pub(super) fn available(deployment: &Deployment) -> i32 {
    deployment.status.as_ref().and_then(|status| status.available_replicas).unwrap_or(0)
}

fn conditions(deployment: &Deployment) -> impl Iterator<Item = &DeploymentCondition> {
    deployment.status.iter().flat_map(|status| status.conditions.iter().flatten())
}

/// Whether what a Deployment says is of its spec as it is.
fn is_observed(deployment: &Deployment) -> bool {
    let observed = deployment.status.as_ref().and_then(|status| status.observed_generation);
    observed >= deployment.metadata.generation
}

/// Whether a Deployment did not get on within its deadline.
pub(super) fn has_timed_out(deployment: &Deployment) -> bool {
    conditions(deployment).any(|condition| {
        condition.type_ == "Progressing"
            && condition.status == "False"
            && condition.reason.as_deref() == Some(DEADLINE_EXCEEDED)
    })
}

fn resources_available(before: &RevisionStatus, observed: &Observed) -> Verdict {
    let deployment = match &observed.deployment {
        None => return Verdict::unknown(RESOLVING_DIGESTS, ""),
        Some(Child::Foreign) => return not_owned("Deployment"),
        Some(Child::Own(deployment)) => deployment,
    };
    let autoscaler = match &observed.pod_autoscaler {
        Some(Child::Foreign) => return not_owned("PodAutoscaler"),
        autoscaler => autoscaler.as_ref().and_then(Child::own),
    };
    let of_deployment = observed.trouble.resources.clone().unwrap_or_else(|| of_deployment(deployment));
    let last = condition::get(&before.conditions, RESOURCES_AVAILABLE).filter(|last| last.is_false());
    // While the node tries again, a pod does not say why the last try failed. That holds until the pods or the Deployment
    // say something else, or an instance works; that it takes long is nothing else.
    let is_news = (of_deployment.is_false() && of_deployment.reason != DEADLINE_EXCEEDED)
        || observed.trouble.containers.is_some()
        || observed.trouble.unready.is_some();
    let is_wanted = wanted(deployment) > 0 || !autoscaler.is_some_and(is_initialized);
    if !is_news
        && is_wanted
        && available(deployment) == 0
        && last.is_some_and(|last| is_mendable(&last.reason))
    {
        return Verdict::of(last);
    }
    let Some(autoscaler) = autoscaler.filter(|_| !of_deployment.is_false()) else { return of_deployment };
    if is_initialized(autoscaler) {
        // It had as many instances as it should, so there is all it needs; how many it has now is no failure.
        return Verdict::yes();
    }
    let given_up = condition::get(&autoscaler.status.conditions, READY).is_some_and(Condition::is_false);
    if given_up && !autoscaler.status.service_name.is_empty() {
        return Verdict::no(DEADLINE_EXCEEDED, "Initial scale was never achieved");
    }
    // A least scale brings it back from zero. To its Deployment that is no rollout and has no deadline, so what it says of
    // it is no news: the Revision has failed until it works.
    if last.is_some_and(|last| last.reason == DEADLINE_EXCEEDED) && !is_available(deployment) {
        return Verdict::of(last);
    }
    of_deployment
}

/// Whether a Deployment has instances, and all that it shall have.
fn is_available(deployment: &Deployment) -> bool {
    available(deployment) >= wanted(deployment).max(1)
}

/// What a Deployment's conditions come to; one that says nothing yet is on its way.
fn of_deployment(deployment: &Deployment) -> Verdict {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let said = |condition: &DeploymentCondition| (text(&condition.reason), text(&condition.message));
    let mut progress = None;
    for condition in conditions(deployment) {
        let (reason, message) = said(condition);
        match (condition.type_.as_str(), condition.status.as_str()) {
            ("ReplicaFailure", "True") => return Verdict::no(reason, message),
            ("Progressing", "False") => return Verdict::no(reason, message),
            ("Progressing", "True") => progress = Some(Verdict::yes()),
            ("Progressing" | "ReplicaFailure", "Unknown") => {
                progress = Some(Verdict::unknown(reason, message))
            }
            _ => {}
        }
    }
    progress.unwrap_or_else(|| Verdict::unknown(DEPLOYING, ""))
}

fn container_healthy(before: &RevisionStatus, observed: &Observed, resources: &Verdict) -> Verdict {
    let last = condition::get(&before.conditions, CONTAINER_HEALTHY);
    match &observed.digests {
        // After a start, or by other settings, an image is looked for as if for the first time. Until something else is
        // known it is as missing as it was, so that nothing of it is told anew.
        Outcome::Pending if last.is_some_and(|last| last.reason == CONTAINER_MISSING) => {
            return Verdict::of(last);
        }
        Outcome::Pending => return Verdict::unknown(RESOLVING_DIGESTS, ""),
        Outcome::Failed(why) => return Verdict::no(CONTAINER_MISSING, why),
        Outcome::Resolved(_) => {}
    }
    let deployment = observed.deployment.as_ref().and_then(Child::own);
    if deployment.is_some_and(|deployment| ready(deployment) > 0) {
        return Verdict::yes();
    }
    let has_failed = last.is_some_and(|last| !last.is_true() && last.reason.starts_with("ExitCode"));
    let initialized = observed.pod_autoscaler.as_ref().and_then(Child::own).is_some_and(is_initialized);
    // Known only while instances are wanted and none is available: it worked once, perhaps, and does not now. Of one that
    // has worked and runs again it is told between the restarts of a crash loop, and no more when that is long over.
    if let Some(ended) = &observed.trouble.containers
        && (!observed.trouble.runs_again || !initialized || has_failed)
    {
        return ended.clone();
    }
    if initialized && !resources.is_false() {
        return Verdict::yes();
    }
    // Nothing new is known: a container that failed has not been seen to work since.
    match last {
        Some(last) if last.is_true() || last.reason.starts_with("ExitCode") => Verdict::of(Some(last)),
        _ => Verdict::unknown(DEPLOYING, observed.trouble.unready.as_deref().unwrap_or_default()),
    }
}

fn active(autoscaler: Option<&PodAutoscaler>) -> Verdict {
    match autoscaler.and_then(|autoscaler| condition::get(&autoscaler.status.conditions, READY)) {
        None => Verdict::unknown(DEPLOYING, ""),
        ready => Verdict::of(ready),
    }
}

fn is_initialized(autoscaler: &PodAutoscaler) -> bool {
    condition::get(&autoscaler.status.conditions, SCALE_TARGET_INITIALIZED).is_some_and(Condition::is_true)
}

fn not_owned(kind: &str) -> Verdict {
    Verdict::no("NotOwned", format!("There is an existing {kind} of the name that we do not own."))
}

fn log_url(revision: &Revision, template: &str) -> Option<String> {
    (!template.is_empty()).then(|| template.replace("${REVISION_UID}", revision.uid()))
}

#[cfg(test)]
mod tests;
