//! What can go wrong with an API call, by what the caller can do about it.

use resources::Kind;

/// The result of an API call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An API call that failed. The API server turns it into a `metav1.Status`; a remote client makes it from one.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// There is no such object. Nothing to retry.
    #[error("{} \"{name}\" not found", kind.resource())]
    NotFound {
        /// The kind that was asked for.
        kind: &'static Kind,
        /// The name that was asked for.
        name: String,
    },
    /// The name is taken.
    #[error("{} \"{name}\" already exists", kind.resource())]
    AlreadyExists {
        /// The kind.
        kind: &'static Kind,
        /// The name.
        name: String,
    },
    /// Somebody else has changed the object since it was read: read it again.
    #[error("Operation cannot be fulfilled on {} \"{name}\": {message}", kind.resource())]
    Conflict {
        /// The kind.
        kind: &'static Kind,
        /// The name.
        name: String,
        /// What does not match.
        message: String,
    },
    /// The object is not the one that was to be deleted.
    #[error("Operation cannot be fulfilled on {} \"{name}\": {message}", kind_and_group(kind))]
    Precondition {
        /// The kind.
        kind: &'static Kind,
        /// The name.
        name: String,
        /// What does not match.
        message: String,
    },
    /// The object breaks its kind's rules; sending it again will not help.
    #[error("{} \"{name}\" is invalid: {}", kind_and_group(kind), sentences(causes))]
    Invalid {
        /// The kind.
        kind: &'static Kind,
        /// The name.
        name: String,
        /// Each broken rule.
        causes: Vec<Cause>,
    },
    /// The request makes no sense, or an admission rule turned it down.
    #[error("{0}")]
    BadRequest(String),
    /// The object is, or would become, too large.
    #[error("{0}")]
    TooLarge(String),
    /// The caller may not do this.
    #[error("{message}")]
    Forbidden {
        /// What it was to be done to, where that is one object.
        object: Option<(&'static Kind, String)>,
        /// The whole sentence.
        message: String,
        /// What stands in the way, where clients tell it from other reasons.
        cause: Option<Box<Cause>>,
    },
    /// The version is too old (or lost in a crash): list again.
    #[error("{0}")]
    Expired(String),
    /// The server cannot take this now: try again later.
    #[error("{0}")]
    Unavailable(String),
    /// Anything else: a fault of the server or of the way there.
    #[error("{0}")]
    Internal(String),
    /// The state cannot be read or written. Says where and why, which is for the log: remote clients are not told which
    /// files a machine has.
    #[error("{0}")]
    State(String),
}

/// One broken rule of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Where, `spec.ports[0].port`.
    pub field: String,
    /// Kubernetes' word for it, `FieldValueRequired`.
    pub reason: String,
    /// The sentence.
    pub message: String,
}

impl Error {
    /// What may not be done to an object, and why.
    pub fn forbidden(kind: &'static Kind, name: &str, why: impl std::fmt::Display) -> Self {
        let message = format!("{} \"{name}\" is forbidden: {why}", kind.resource());
        Self::Forbidden { object: Some((kind, name.to_owned())), message, cause: None }
    }

    /// Whether the object is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Whether the name is taken.
    pub fn is_already_exists(&self) -> bool {
        matches!(self, Self::AlreadyExists { .. })
    }

    /// Whether reading again and trying again is the cure.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. } | Self::Precondition { .. })
    }
}

/// Of what is stored, whose rules an object did not meet (upstream: a registry has one strategy for all forms).
fn kind_and_group(kind: &Kind) -> String {
    let kind = kind.original();
    if kind.group.is_empty() { kind.kind.to_owned() } else { format!("{}.{}", kind.kind, kind.group) }
}

fn sentences(causes: &[Cause]) -> String {
    let sentences: Vec<_> =
        causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
    match sentences.as_slice() {
        [only] => only.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}
