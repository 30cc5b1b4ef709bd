//! ReplicaSet.

use super::{FIELD_IMMUTABLE, check_not_negative, deployment::check_selector, pod, pod_defaults};
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
        check_not_negative(spec.replicas.map(i64::from), &path.child("replicas"), &mut errors);
        check_not_negative(
            spec.min_ready_seconds.map(i64::from),
            &path.child("minReadySeconds"),
            &mut errors,
        );
        let none = PodTemplateSpec::default();
        let template = spec.template.as_ref().unwrap_or(&none);
        check_selector(&spec.selector, template, "replicaset", &path, &mut errors);
        pod::validate_template(template, &path.child("template"), &mut errors);
        let old = context.old.and_then(|old| old.spec.as_ref());
        if old.is_some_and(|old| old.selector != spec.selector) {
            errors.push(FieldError::invalid(&path.child("selector"), &spec.selector, FIELD_IMMUTABLE));
        }
        invalid(errors)
    }
}
