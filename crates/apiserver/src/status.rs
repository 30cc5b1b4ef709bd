//! What goes wrong, as a `metav1.Status`: the one place that knows status codes and reasons.

mod of_error;
mod of_options;

use http::StatusCode;
use resources::Kind;
use serde_json::{Value, json};

pub(crate) use self::of_error::from_rejection;

use crate::{
    audit::Outcome,
    authorization::{Asked, Attributes},
};

/// A request that failed, as the client is told.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) code: StatusCode,
    reason: &'static str,
    message: String,
    details: Option<Value>,
    /// Seconds after which trying again makes sense.
    pub(crate) retry_after: Option<u32>,
    /// Where a list that has expired may go on.
    go_on: Option<Box<str>>,
    /// What is said instead of a Status.
    pub(crate) plain: Option<&'static str>,
    /// Whether the request was refused before it was looked at what is at its path.
    pub(crate) before_routing: bool,
}

impl Failure {
    fn new(code: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: None,
            retry_after: None,
            go_on: None,
            plain: None,
            before_routing: false,
        }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized")
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Forbidden", message)
    }

    /// What a user may not do to an object, and why.
    pub(crate) fn denied(group: &str, resource: &str, name: &str, why: &str) -> Self {
        let of = if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
        let message = match (resource, name) {
            ("", _) => format!("forbidden: {why}"),
            (_, "") => format!("{of} is forbidden: {why}"),
            _ => format!("{of} {name:?} is forbidden: {why}"),
        };
        let fields = [("name", name), ("group", group), ("kind", resource)];
        let there = fields.into_iter().filter(|(_, value)| !value.is_empty());
        let details = there.map(|(field, value)| (field.to_owned(), value.into())).collect();
        Self { details: Some(Value::Object(details)), ..Self::forbidden(message) }
    }

    /// What a user may not do at all. `reason`: what kept its rights from being found; mostly empty.
    pub(crate) fn not_authorized(user: &str, attributes: &Attributes, reason: &str) -> Self {
        let mut why = attributes.refusal(user);
        if !reason.is_empty() {
            why = format!("{why}: {reason}");
        }
        let denied = match &attributes.asked {
            Asked::Resource { group, resource, name, .. } => Self::denied(group, resource, name, &why),
            Asked::Path(_) => Self::denied("", "", "", &why),
        };
        Self { before_routing: true, ..denied }
    }

    /// As [`Failure::not_authorized`], of what a request turned out to ask for when it was looked at.
    pub(crate) fn may_not_create(user: &str, attributes: &Attributes, reason: &str) -> Self {
        Self { before_routing: false, ..Self::not_authorized(user, attributes, reason) }
    }

    /// A resource that there is not.
    pub(crate) fn no_such_path() -> Self {
        let message = "the server could not find the requested resource";
        Self::new(StatusCode::NOT_FOUND, "NotFound", message).without_details()
    }

    /// A path that leads nowhere: not into the API, or into a group that there is not.
    pub(crate) fn nowhere() -> Self {
        Self { plain: Some("404 page not found\n"), ..Self::no_such_path() }
    }

    /// Upstream says `details: {}` where nothing is known of the object, and nothing where the request was not understood.
    fn without_details(self) -> Self {
        Self { details: Some(json!({})), ..self }
    }

    /// For what Kubernetes or Knative has and Ebb has not yet: the failure says so, and what to do. Otherwise it is as any
    /// other, so that clients go on as they would; only people learn more.
    pub(crate) fn for_lack_of(mut self, what: &str, hint: &str) -> Self {
        self.message.push_str(&format!(": this version of Ebb has no {what}; {hint}"));
        self
    }

    pub(crate) fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message).without_details()
    }

    /// Nothing new of a kind whose definition is on its way out (upstream: apiextensions-apiserver).
    pub(crate) fn create_not_allowed(kind: &Kind) -> Self {
        let message = "create not allowed while custom resource definition is terminating";
        Self {
            details: Some(details(kind, kind.plural, "")),
            ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message)
        }
    }

    pub(crate) fn unsupported_media_type(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", message)
    }

    pub(crate) fn not_acceptable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", message)
    }

    /// An `Accept` that names nothing this server has.
    pub(crate) fn nothing_acceptable(with_yaml: bool) -> Self {
        let yaml = if with_yaml { ", application/yaml" } else { "" };
        Self::not_acceptable(format!(
            "406: Not Acceptable\n\nAvailable representations: application/json{yaml}"
        ))
        .without_details()
    }

    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", message)
    }

    /// More of something than there may be at once; there may be room again in a second.
    pub(crate) fn too_many_requests(message: impl Into<String>) -> Self {
        Self {
            details: Some(json!({"retryAfterSeconds": 1})),
            retry_after: Some(1),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", message)
        }
    }

    pub(crate) fn timeout(message: impl Into<String>) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "Timeout", message)
    }

    /// What upstream takes for an error of its own, and gives no reason for.
    pub(crate) fn untyped(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "", message)
    }

    /// Something that Kubernetes can do and Ebb cannot yet.
    pub(crate) fn not_implemented(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", message)
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", message)
    }

    /// An object of another kind than its path is of.
    pub(crate) fn wrong_kind(kind: &Kind, given: &str, name: &str) -> Self {
        let why = format!("Invalid value: {given:?}: must be {}", kind.kind);
        let mut details = details(kind, given, name);
        details["causes"] = json!([{"reason": "FieldValueInvalid", "message": why, "field": "kind"}]);
        Self {
            details: Some(details),
            ..Self::unprocessable(format!("{given}.{} \"{name}\" is invalid: kind: {why}", kind.group))
        }
    }

    /// An update that does not say of what.
    pub(crate) fn version_missing(kind: &Kind, name: &str) -> Self {
        let (field, why) = ("metadata.resourceVersion", "Invalid value: 0: must be specified for an update");
        let mut details = details(kind, kind.plural, name);
        details["causes"] = json!([{"reason": "FieldValueInvalid", "message": why, "field": field}]);
        Self {
            details: Some(details),
            ..Self::unprocessable(format!("{} \"{name}\" is invalid: {field}: {why}", kind.resource()))
        }
    }

    /// A patch that does not fit the object it is for.
    pub(crate) fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message).without_details()
    }

    /// The same, with what was being done before the message.
    pub(crate) fn within(self, what: &str) -> Self {
        Self { message: format!("{what}: {}", self.message), ..self }
    }

    /// A part of an object that somebody else was faster with.
    pub(crate) fn conflict(resource: &str, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {resource} {name:?}: {why}");
        Self {
            details: Some(json!({"kind": resource, "name": name})),
            ..Self::new(StatusCode::CONFLICT, "Conflict", message)
        }
    }

    /// Others manage fields that a configuration wants otherwise. `causes`: a field and who manages it.
    pub(crate) fn apply_conflict(message: impl Into<String>, causes: Vec<(String, String)>) -> Self {
        let cause = |(field, message): (String, String)| json!({"reason": "FieldManagerConflict", "message": message, "field": field});
        Self {
            details: Some(json!({"causes": causes.into_iter().map(cause).collect::<Vec<_>>()})),
            ..Self::new(StatusCode::CONFLICT, "Conflict", message)
        }
    }

    /// A list whose next page can no longer show what the ones before it have shown. `token`: for the rest of what there
    /// is by now (upstream: apiserver, `handleCompactedErrorForPaging`).
    pub(crate) fn list_expired(token: &str) -> Self {
        let message = "The provided continue parameter is too old to display a consistent list result. You can start a new \
                       list without the continue parameter, or use the continue token in this response to retrieve the \
                       remainder of the results. Continuing with the provided token results in an inconsistent list - \
                       objects that were created, modified, or deleted between the time the first chunk was returned \
                       and now may show up in the list.";
        Self { go_on: Some(token.into()), ..Self::new(StatusCode::GONE, "Expired", message) }
    }

    /// A list of the future.
    pub(crate) fn too_large_version(version: u64, current: u64) -> Self {
        let message = format!("Too large resource version: {version}, current: {current}");
        let cause = json!({"reason": "ResourceVersionTooLarge", "message": "Too large resource version"});
        Self {
            details: Some(json!({"causes": [cause], "retryAfterSeconds": 1})),
            retry_after: Some(1),
            ..Self::new(StatusCode::GATEWAY_TIMEOUT, "Timeout", format!("Timeout: {message}"))
        }
    }

    /// What the audit log has of it: not the message, which may quote what was sent.
    pub(crate) fn outcome(&self) -> Outcome {
        let reason = Some(self.reason).filter(|reason| !reason.is_empty()).map(str::to_owned);
        Outcome { code: self.code, reason }
    }

    /// The failure as a `metav1.Status`.
    pub(crate) fn to_status(&self) -> Value {
        let mut status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "code": self.code.as_u16(),
        });
        if let Some(token) = &self.go_on {
            status["metadata"]["continue"] = Value::from(&**token);
        }
        if !self.reason.is_empty() {
            status["reason"] = self.reason.into();
        }
        if let Some(details) = &self.details {
            status["details"] = details.clone();
        }
        status
    }
}

/// The answer to what was done and has nothing to show.
pub(crate) fn done() -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})
}

/// The answer to a delete that left nothing behind.
pub(crate) fn deleted(kind: &Kind, name: &str, uid: &str) -> Value {
    let mut details = details(kind, kind.plural, name);
    details["uid"] = uid.into();
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}

fn details(kind: &Kind, word: &str, name: &str) -> Value {
    let mut details = json!({"kind": word});
    if !name.is_empty() {
        details["name"] = name.into();
    }
    if !kind.group.is_empty() {
        details["group"] = kind.group.into();
    }
    details
}
