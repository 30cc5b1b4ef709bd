//! Knative's internal kinds: autoscaling, networking, caching. Only controllers write them, so that what is wrong here
//! is a controller's mistake; it is refused in Knative's words all the same.

mod autoscaling;
mod ingress;
mod networking;

use super::{
    KnativeErrors, Rejection,
    metadata::{NameRule, validate},
    rejection::invalid,
};
use crate::meta::ObjectMeta;

fn finish(metadata: &ObjectMeta, namespaced: bool, errors: &KnativeErrors) -> Result<(), Rejection> {
    invalid(validate(metadata, NameRule::Subdomain, namespaced))?;
    if errors.is_empty() { Ok(()) } else { Err(Rejection::denied(errors)) }
}
