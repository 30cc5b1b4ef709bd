//! Why an object is not taken.

use super::field_error::{FieldError, aggregate, told};
use crate::Complaints;

/// Why an object is not taken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// 400 BadRequest with this message, as a webhook of Knative's would have it.
    #[error("{0}")]
    Denied(String),
    /// 422 Invalid with a cause for each field, as the API server has it.
    #[error("{}", aggregate(.0))]
    Invalid(Vec<FieldError>),
}

/// The webhook that speaks for Knative's kinds.
const VALIDATION: &str = "validation.webhook.serving.knative.dev";
/// The webhook that speaks for Knative's ConfigMaps.
const CONFIG: &str = "config.webhook.serving.knative.dev";

impl Rejection {
    pub(super) fn denied(errors: impl std::fmt::Display) -> Self {
        Self::by(VALIDATION, errors)
    }

    pub(super) fn config(error: impl std::fmt::Display) -> Self {
        Self::by(CONFIG, error)
    }

    fn by(webhook: &str, why: impl std::fmt::Display) -> Self {
        Self::Denied(format!("admission webhook \"{webhook}\" denied the request: validation failed: {why}"))
    }
}

/// `Ok` when nothing is wrong.
pub(super) fn invalid(errors: Vec<FieldError>) -> Result<(), Rejection> {
    if errors.is_empty() {
        return Ok(());
    }
    let mut first = Complaints::default();
    first.extend(errors);
    Err(Rejection::Invalid(told(first)))
}
