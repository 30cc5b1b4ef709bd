//! Admission: what the API server does to an object before it stores it. First defaults, then validation.
//!
//! ```text
//!   object ── by kind ──► defaults ──► validation ──► object to store
//!                                          └────────► Rejection: Denied (Knative's words) or Invalid (Kubernetes')
//! ```
//!
//! Pure: the same functions answer in the embedded API server and, in tests, before a kube-apiserver. Upstream: Knative's
//! webhooks `webhook.serving.knative.dev`, `validation.webhook.serving.knative.dev` and
//! `config.webhook.serving.knative.dev`; Kubernetes' `pkg/apis/*/v1/defaults.go` and `pkg/apis/*/validation`.

mod builtin;
mod dispatch;
mod field_error;
mod internal;
mod knative_errors;
mod labels;
pub(crate) mod metadata;
mod rejection;
mod request;
mod same;
mod serving;
#[cfg(test)]
mod tests;

pub use self::{
    dispatch::{admit, check_status, warnings},
    field_error::{FieldError, FieldErrorKind, aggregate},
    labels::matches,
    metadata::ANNOTATIONS_BYTES_MAX,
    rejection::Rejection,
    request::{Operation, Request},
};

pub(crate) use self::{
    field_error::{NO_FIELD, presented, told},
    knative_errors::KnativeErrors,
    metadata::NameRule,
};
use crate::path;
pub(crate) use crate::path::Path;
