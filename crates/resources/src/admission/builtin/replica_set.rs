//! ReplicaSet.

use super::{
    pod_defaults,
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
    builtin::{PodTemplateSpec, ReplicaSet, ReplicaSetSpec},
};

impl Rules for ReplicaSet {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {
        let spec = self.spec.get_or_insert_default();
        spec.replicas.get_or_insert(1);
        let template = spec.template.get_or_insert_with(PodTemplateSpec::default);
        pod_defaults::set(template.spec.get_or_insert_default());
    }

    fn validate(&self, context: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = metadata::validate(&self.metadata, NameRule::Subdomain, true);
        let none = ReplicaSetSpec::default();
        let spec = self.spec.as_ref().unwrap_or(&none);
        let path = Path::root("spec");
        let no_template = PodTemplateSpec::default();
        let workload = Workload {
            kind: "replicaset",
            replicas: spec.replicas,
            min_ready_seconds: spec.min_ready_seconds,
            selector: &spec.selector,
            template: spec.template.as_ref().unwrap_or(&no_template),
        };
        let old = context.old.and_then(|old| old.spec.as_ref());
        workload.validate(old.map(|old| &old.selector), &path, &mut errors);
        invalid(errors)
    }

    fn validate_status(&self, _: &Self) -> Vec<FieldError> {
        let Some(status) = &self.status else { return Vec::new() };
        let counts = [
            ("replicas", status.replicas),
            ("fullyLabeledReplicas", status.fully_labeled_replicas.unwrap_or_default()),
            ("readyReplicas", status.ready_replicas.unwrap_or_default()),
            ("availableReplicas", status.available_replicas.unwrap_or_default()),
        ];
        workload::check_counts(&counts, ("availableReplicas", "readyReplicas"))
    }
}
