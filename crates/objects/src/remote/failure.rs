//! What the server says when it does not do something, as our [`Error`].

use resources::{Kind, kinds};
use serde::Deserialize;

use crate::{Cause, Error};

/// Why a request came to nothing.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The server said no.
    Status(Box<Status>),
    /// The server was not reached, or not understood.
    NoAnswer(String),
}

/// A `metav1.Status`, as far as it matters.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Status {
    message: String,
    reason: String,
    code: u16,
    details: Option<Details>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Details {
    name: String,
    group: String,
    kind: String,
    uid: String,
    causes: Option<Vec<Why>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Why {
    field: String,
    reason: String,
    message: String,
}

impl Refusal {
    /// Names the request in what its sender will read.
    pub(super) fn of_request(self, what: &str) -> Self {
        match self {
            Self::NoAnswer(why) => Self::NoAnswer(format!("{what}: {why}")),
            status => status,
        }
    }

    /// As the error of a call about the object of this name; empty for all objects of the kind.
    pub(super) fn into_error(self, kind: &'static Kind, name: &str) -> Error {
        match self {
            Self::Status(status) => status.into_error(kind, name),
            Self::NoAnswer(why) => {
                Error::Unavailable(format!("the API server cannot be reached or understood: {why}"))
            }
        }
    }
}

impl Status {
    /// Reads the body of an answer; what is no `Status` comes from a proxy on the way, and is its message.
    pub(super) fn read(code: u16, body: &[u8]) -> Self {
        match serde_json::from_slice::<Self>(body) {
            Ok(status) if status.code != 0 => status,
            Ok(status) => Self { code, ..status },
            Err(_) => {
                Self { code, message: String::from_utf8_lossy(body).trim().to_owned(), ..Self::default() }
            }
        }
    }

    /// The uid of the object that a successful delete was about.
    pub(super) fn uid(&self) -> Option<&str> {
        self.details.as_ref().map(|details| details.uid.as_str()).filter(|uid| !uid.is_empty())
    }

    pub(super) fn into_error(self, kind: &'static Kind, name: &str) -> Error {
        let details = self.details.unwrap_or_default();
        let name = if details.name.is_empty() { name.to_owned() } else { details.name.clone() };
        let message =
            if self.message.is_empty() { format!("HTTP status {}", self.code) } else { self.message };
        match (self.reason.as_str(), self.code) {
            ("NotFound", _) | (_, 404) if details.name.is_empty() => not_served(kind),
            ("NotFound", _) | (_, 404) => Error::NotFound { kind: details.kind().unwrap_or(kind), name },
            ("AlreadyExists", _) => Error::AlreadyExists { kind, name },
            ("Conflict", _) | (_, 409) => {
                let prefix = format!("Operation cannot be fulfilled on {} {name:?}: ", kind.resource());
                let message = message.strip_prefix(&prefix).unwrap_or(&message).to_owned();
                Error::Conflict { kind, name, message }
            }
            ("Invalid", _) | (_, 422) => {
                Error::Invalid { kind, name, causes: causes(details.causes, message) }
            }
            ("Expired" | "Gone", _) | (_, 410) => Error::Expired(message),
            ("RequestEntityTooLarge", _) | (_, 413) => Error::TooLarge(message),
            (_, 401) => {
                let message = format!("{message}: the API server does not accept these credentials");
                Error::Forbidden { object: None, message, cause: None }
            }
            (_, 403) => {
                let object = (!details.name.is_empty()).then_some((kind, name));
                Error::Forbidden { object, message, cause: None }
            }
            ("ServerTimeout", _) | (_, 408 | 429 | 502..=504) => Error::Unavailable(message),
            (_, 400..=499 | 501) => Error::BadRequest(message),
            _ => Error::Internal(
                message.strip_prefix("Internal error occurred: ").unwrap_or(&message).to_owned(),
            ),
        }
    }
}

impl Details {
    /// The kind that is meant; servers name it by its kind or by its plural.
    fn kind(&self) -> Option<&'static Kind> {
        let named =
            |kind: &&&Kind| kind.group == self.group && (kind.plural == self.kind || kind.kind == self.kind);
        kinds::all().iter().find(named).copied()
    }
}

/// The path itself leads nowhere, which is the cluster's state and not the object's.
fn not_served(kind: &'static Kind) -> Error {
    let (resource, version) = (kind.resource(), kind.api_version());
    // Kubernetes' own groups have no dot or end like this; the others come from CustomResourceDefinitions.
    let built_in = !kind.group.contains('.') || kind.group.ends_with(".k8s.io");
    Error::Unavailable(if built_in {
        format!("{version} {} is not served by this cluster", kind.kind)
    } else {
        format!("{version} {} is not served: install the CustomResourceDefinition {resource}", kind.kind)
    })
}

fn causes(causes: Option<Vec<Why>>, message: String) -> Vec<Cause> {
    let causes = causes.unwrap_or_default();
    if causes.is_empty() {
        return vec![Cause { field: String::new(), reason: "FieldValueInvalid".into(), message }];
    }
    causes.into_iter().map(|Why { field, reason, message }| Cause { field, reason, message }).collect()
}

#[cfg(test)]
mod tests;
