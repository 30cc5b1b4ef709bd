//! The one error of this crate, by what its receiver can do about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The result of what this crate does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong. Its message has its cause in it, so that the cause is no `source` and nothing is told twice.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum Error {
    /// The name is wrong: correct it.
    #[error("couldn't parse image reference {reference:?}: {reason}")]
    InvalidReference { reference: String, reason: &'static str },

    /// Load or pull it first.
    #[error("image {0} is not in the store")]
    NotInStore(String),

    /// The registry did not give what was asked; `cause` says why, and so whether trying again can help.
    #[error("{action} {reference}: registry {registry}: {cause}")]
    Registry { action: &'static str, reference: String, registry: String, cause: RegistryCause },

    /// The archive is malformed or names nothing: make it again.
    #[error("image archive: {entry}: {reason}")]
    Archive { entry: String, reason: String },

    /// The image's own content is malformed: build it again.
    #[error("image content: {what}: {reason}")]
    Content { what: String, reason: String },

    /// A layer's entry cannot be unpacked: build the image again.
    #[error("layer {layer}: entry {entry:?}: {reason}")]
    Layer { layer: String, entry: String, reason: String },

    /// The image is for other machines.
    #[error("image is for {found}, this machine is {wanted}")]
    Platform { found: String, wanted: String },

    /// Raise the named limit if the image is trusted.
    #[error("{what} is larger than {limit_name} = {limit}")]
    TooLarge { what: String, limit_name: &'static str, limit: u64 },

    /// A `config.json` of Docker credentials that cannot be read.
    #[error("registry credentials: {0}")]
    Credentials(String),

    /// Another process owns the directory: stop it, or ask it.
    #[error("image store {} is in use by another process", .0.display())]
    StoreInUse(PathBuf),

    /// Written by a newer version: use that one.
    #[error("image store {} has format version {found}, this program knows {known}", dir.display())]
    StoreVersion { dir: PathBuf, found: u64, known: u64 },

    /// The disk or its permissions; `cause` says which.
    #[error("cannot {action} {}: {cause}", path.display())]
    Io { action: &'static str, path: PathBuf, cause: io::Error },
}

impl Error {
    /// For `map_err`: what was tried on which path.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_owned();
        move |cause| Error::Io { action, path, cause }
    }
}

/// Why a registry did not answer as hoped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistryCause {
    /// The registry answered: no such repository, tag or blob.
    NotFound(String),
    /// Credentials are missing or wrong. Public registries answer so for unknown repositories too.
    Unauthorized(String),
    /// No address for the name, or nothing listens there.
    Unreachable(String),
    /// No answer in time.
    Timeout(Duration),
    /// The registry answered with an error of its own.
    Unavailable(String),
    /// What it sent is not what it said it would be, or not OCI.
    Invalid(String),
}

impl fmt::Display for RegistryCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RegistryCause::NotFound(detail) => write!(f, "not found: {detail}"),
            RegistryCause::Unauthorized(detail) => write!(f, "unauthorized: {detail}"),
            RegistryCause::Unreachable(detail) => write!(f, "unreachable: {detail}"),
            RegistryCause::Timeout(after) => write!(f, "no answer within {after:?}"),
            RegistryCause::Unavailable(detail) => write!(f, "failed: {detail}"),
            RegistryCause::Invalid(detail) => write!(f, "invalid answer: {detail}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once_and_to_everybody() {
        let error = Error::io("read", Path::new("/x"))(io::Error::other("disk full"));
        assert_eq!(error.to_string(), "cannot read /x: disk full");
        assert!(std::error::Error::source(&error).is_none());
    }
}
