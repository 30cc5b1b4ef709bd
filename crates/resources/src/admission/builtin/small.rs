//! Kinds with few rules: Event, Lease, Node, ServiceAccount.

use crate::{
    admission::{
        FieldError, Rejection,
        dispatch::{Context, Rules},
        metadata::{self, NameRule},
        path::Path,
        rejection::invalid,
    },
    builtin::{Event, Lease, Node, ServiceAccount},
};

impl Rules for Event {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {}

    fn validate(&self, _: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = metadata::validate(&self.metadata, NameRule::Subdomain, true);
        let namespace = self.metadata.namespace.as_deref().unwrap_or_default();
        let involved = self.involved_object.namespace.as_deref().unwrap_or_default();
        // What is not in a namespace is spoken of in the default one.
        if involved != namespace && !(involved.is_empty() && namespace == "default") {
            let path = Path::root("involvedObject");
            let why = "does not match event.namespace";
            errors.push(FieldError::invalid(&path.child("namespace"), involved, why));
        }
        invalid(errors)
    }
}

impl Rules for Lease {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {}

    fn validate(&self, _: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = metadata::validate(&self.metadata, NameRule::Subdomain, true);
        let path = Path::root("spec");
        if let Some(spec) = &self.spec {
            if let Some(seconds @ ..=0) = spec.lease_duration_seconds {
                let at = path.child("leaseDurationSeconds");
                errors.push(FieldError::invalid(&at, seconds, "must be greater than 0"));
            }
            if let Some(transitions @ ..0) = spec.lease_transitions {
                let at = path.child("leaseTransitions");
                errors.push(FieldError::invalid(&at, transitions, "must be greater than or equal to 0"));
            }
        }
        invalid(errors)
    }
}

impl Rules for Node {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {}

    fn validate(&self, _: &Context<'_, Self>) -> Result<(), Rejection> {
        invalid(metadata::validate(&self.metadata, NameRule::Subdomain, false))
    }
}

impl Rules for ServiceAccount {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {}

    fn validate(&self, _: &Context<'_, Self>) -> Result<(), Rejection> {
        invalid(metadata::validate(&self.metadata, NameRule::Subdomain, true))
    }
}
