//! What the errors of the registry and of admission are as failures.

use http::StatusCode;
use objects::{Cause, Error};
use resources::{Kind, admission::Rejection};
use serde_json::{Value, json};

use super::{Failure, details};

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let named = |code, reason, kind: &Kind, name: &str| Self {
            details: Some(details(kind, kind.plural, name)),
            ..Self::new(code, reason, message.clone())
        };
        match &error {
            Error::NotFound { kind, name } => named(StatusCode::NOT_FOUND, "NotFound", kind, name),
            Error::AlreadyExists { kind, name } => named(StatusCode::CONFLICT, "AlreadyExists", kind, name),
            Error::Conflict { kind, name, .. } => named(StatusCode::CONFLICT, "Conflict", kind, name),
            Error::Precondition { kind, name, .. } => Self {
                details: Some(details(kind.original(), kind.kind, name)),
                ..Self::new(StatusCode::CONFLICT, "Conflict", message)
            },
            Error::Invalid { kind, name, causes } => {
                let mut details = details(kind.original(), kind.kind, name);
                details["causes"] = causes.iter().map(cause).collect();
                Self {
                    details: Some(details),
                    ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message)
                }
            }
            Error::BadRequest(_) => Self::bad_request(message),
            Error::Forbidden { object: Some((kind, name)), cause: why, .. } => {
                let mut failure = named(StatusCode::FORBIDDEN, "Forbidden", kind, name);
                if let (Some(why), Some(details)) = (why, &mut failure.details) {
                    details["causes"] = json!([cause(why)]);
                }
                failure
            }
            Error::Forbidden { object: None, .. } => Self::forbidden(message),
            Error::TooLarge(_) => Self::too_large(message),
            Error::Expired(_) => Self::new(StatusCode::GONE, "Expired", message),
            Error::Unavailable(_) => Self { retry_after: Some(1), ..Self::unavailable(message) },
            Error::Internal(_) => {
                let message = format!("Internal error occurred: {message}");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message)
            }
            Error::State(_) => {
                tracing::error!(error = message, "the state cannot be read or written");
                let told =
                    "Internal error occurred: the state could not be read or written; see the log of ebb";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", told)
            }
        }
    }
}

/// What admission turned down, as the error of a write.
pub(crate) fn from_rejection(kind: &'static Kind, name: String, rejection: Rejection) -> Error {
    match rejection {
        Rejection::Denied(message) => Error::BadRequest(message),
        Rejection::Invalid(errors) => {
            let cause = |error: &resources::admission::FieldError| Cause {
                field: error.field.clone(),
                reason: error.kind.reason().into(),
                message: error.body(),
            };
            Error::Invalid { kind, name, causes: errors.iter().map(cause).collect() }
        }
    }
}

fn cause(cause: &Cause) -> Value {
    json!({"reason": cause.reason, "message": cause.message, "field": cause.field})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_do_not_learn_where_the_state_lies() {
        let failure = Failure::from(Error::State("cannot write /var/lib/ebb/api/state/0000.log".into()));
        assert_eq!(failure.code, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(
            failure.message,
            "Internal error occurred: the state could not be read or written; see the log of ebb"
        );
    }
}
