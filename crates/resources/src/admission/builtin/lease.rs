//! Lease.

use crate::{
    admission::{
        FieldError, Rejection,
        dispatch::{Context, Rules},
        metadata::{self, NameRule},
        path::Path,
        rejection::invalid,
    },
    builtin::Lease,
};

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
