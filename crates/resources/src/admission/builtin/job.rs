//! Job (upstream: `pkg/apis/batch/v1/defaults.go` and `validation`).

use super::{check_not_negative, check_one_of, pod_defaults};
use crate::{
    admission::{
        Rejection,
        dispatch::{Context, Rules},
        metadata::{self, NameRule},
        path::Path,
        rejection::invalid,
    },
    builtin::Job,
};

impl Rules for Job {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {
        let spec = self.spec.get_or_insert_default();
        if spec.completions.is_none() && spec.parallelism.is_none() {
            spec.completions = Some(1);
        }
        spec.parallelism.get_or_insert(1);
        spec.backoff_limit.get_or_insert(6);
        spec.completion_mode.get_or_insert_with(|| "NonIndexed".into());
        spec.suspend.get_or_insert(false);
        let replacement = if spec.pod_failure_policy.is_some() { "Failed" } else { "TerminatingOrFailed" };
        spec.pod_replacement_policy.get_or_insert_with(|| replacement.into());
        pod_defaults::set(spec.template.spec.get_or_insert_default());
    }

    fn validate(&self, _: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = metadata::validate(&self.metadata, NameRule::Subdomain, true);
        let Some(spec) = &self.spec else { return invalid(errors) };
        let path = Path::root("spec");
        let counts = [
            ("parallelism", spec.parallelism.map(i64::from)),
            ("completions", spec.completions.map(i64::from)),
            ("activeDeadlineSeconds", spec.active_deadline_seconds),
            ("backoffLimit", spec.backoff_limit.map(i64::from)),
            ("ttlSecondsAfterFinished", spec.ttl_seconds_after_finished.map(i64::from)),
        ];
        for (field, count) in counts {
            check_not_negative(count, &path.child(field), &mut errors);
        }
        let policy = spec.template.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref());
        let (template, below) = (path.child("template"), "spec");
        let at = template.child(below);
        check_one_of(policy, &["OnFailure", "Never"], &at.child("restartPolicy"), &mut errors);
        invalid(errors)
    }
}
