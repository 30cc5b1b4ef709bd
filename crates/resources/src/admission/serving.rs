//! Knative Serving's kinds. Upstream: serving, `pkg/apis/serving/v1/*_{defaults,validation}.go`.

mod configuration;
mod container;
mod env;
mod image_reference;
mod metadata;
mod pod_security;
mod pod_spec;
mod probe;
mod revision;
mod route;
mod service;
mod template;
mod template_defaults;
mod traffic;
mod unserved;
mod user;
mod volume;
mod volume_mount;

use super::{KnativeErrors, Rejection};

fn denied(errors: &KnativeErrors) -> Result<(), Rejection> {
    if errors.is_empty() { Ok(()) } else { Err(Rejection::denied(errors)) }
}
