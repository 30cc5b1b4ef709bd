//! What can go wrong, by what the user can do about it.

use std::{fmt, io, path::PathBuf};

use kube::core::Status;

/// Why a command failed. Its message says what was tried and what failed; [`Error::advice`] what to try next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line does not make sense; nothing was tried.
    #[error("{message}")]
    Usage {
        /// What does not fit.
        message: String,
        /// The command to ask for help, `service create`.
        command: &'static str,
    },
    /// No kubeconfig says where the API is.
    #[error("found no kubeconfig: looked at {}", Paths(looked_at))]
    NoKubeconfig {
        /// The files that do not exist, in the order in which they were tried.
        looked_at: Vec<PathBuf>,
        /// How a command is told where it is.
        named_by: NamedBy,
    },
    /// A kubeconfig cannot be used.
    #[error("cannot use the kubeconfig {}: {reason}", path.display())]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody answers, or not as an API does.
    #[error("no Ebb answers at {url}: {reason}")]
    Unreachable {
        /// The address in the kubeconfig.
        url: String,
        /// The deepest cause that is known.
        reason: String,
    },
    /// Nobody says anything, and nobody refuses.
    #[error(
        "no Ebb answers at {url}: a connection was tried for {seconds} s and not refused, but nothing was said there"
    )]
    Silent {
        /// The address in the kubeconfig.
        url: String,
        /// How long it was tried.
        seconds: u64,
    },
    /// The server's certificate is not signed by the kubeconfig's CA.
    #[error("the certificate of {url} is not signed by the CA in the kubeconfig: {reason}")]
    Untrusted {
        /// The address in the kubeconfig.
        url: String,
        /// What TLS said.
        reason: String,
    },
    /// The API refused.
    #[error("{}", api_message(.0))]
    Api(Box<Status>),
    /// The API's response is not what this command expects.
    #[error("{tried}: cannot parse the API's response: {reason}")]
    Answer {
        /// What was asked for.
        tried: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// Kn's rules refuse; the API was not asked to change anything.
    #[error("{0}")]
    Refused(String),
    /// A service became not ready and stayed so.
    #[error("{reason}: {message}")]
    NotReady {
        /// The service.
        name: String,
        /// The reason of its Ready condition.
        reason: String,
        /// The message of its Ready condition.
        message: String,
    },
    /// What was waited for did not happen in time.
    #[error("timeout: {kind} '{name}' not {what} after {seconds} seconds")]
    Timeout {
        /// `service`, `revision` or `configuration`.
        kind: &'static str,
        /// The object.
        name: String,
        /// `ready`, `deleted` or `made`.
        what: &'static str,
        /// How long was waited.
        seconds: u64,
    },
    /// A file cannot be read or written.
    #[error("cannot {what} {}: {cause}", path.display())]
    File {
        /// `read` or `write`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A file's content is not what it should be.
    #[error("{} is not {expected}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
        /// What it is not.
        reason: String,
    },
    /// Several parts of one command failed, each for itself.
    #[error("{}", Lines(.0))]
    Several(Vec<Error>),
    /// The output cannot be written.
    #[error("cannot write the output: {0}")]
    Output(io::Error),
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// The option with which a command is told which Ebb is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedBy {
    /// `--kubeconfig`
    File,
    /// `--data-dir`
    Directory,
}

impl Error {
    /// What the user can try next, if that is known.
    pub fn advice(&self) -> Option<String> {
        Some(match self {
            Self::Usage { command, .. } => format!("Run 'ebb {command} --help' for usage"),
            Self::NoKubeconfig { named_by: NamedBy::File, .. } => {
                "start Ebb with `ebb up`; one that has its own --data-dir DIR is meant by --kubeconfig DIR/kubeconfig".into()
            }
            Self::NoKubeconfig { named_by: NamedBy::Directory, .. } => {
                "start Ebb with `ebb up`, or say with --data-dir which directory it has".into()
            }
            Self::Kubeconfig { .. } => "correct it, or name another file with --kubeconfig".into(),
            Self::Unreachable { .. } => {
                "start it with `ebb up`, or name another API with --kubeconfig".into()
            }
            Self::Silent { .. } => {
                "is `ebb up` running? Once killed, it leaves its sockets open for up to 30 s, where clients wait for the next \
                 one: start it again and it takes over, or name another API with --kubeconfig"
                    .into()
            }
            Self::Untrusted { .. } => {
                "if that is your Ebb with a new data directory, `ebb kubeconfig --merge` fetches its credentials".into()
            }
            Self::Api(status) => return api_advice(status),
            Self::NotReady { name, .. } => format!("see `ebb service describe {name}` for the cause"),
            Self::Timeout { kind: "service", name, what: "ready", .. } => {
                format!("see `ebb service describe {name}` for what it waits for")
            }
            Self::Timeout { name, what: "deleted", .. } => {
                format!("it is still being deleted; see `kubectl get -o yaml` of '{name}' for finalizers")
            }
            Self::File { path, .. } if self.is_forbidden_file() && path.ends_with("ebb/kubeconfig") => {
                "that is another user's Ebb: run this as that user, or merge its context into your own file: `sudo ebb \
                 kubeconfig --merge --kubeconfig ~/.kube/config`"
                    .into()
            }
            Self::File { what: "write", cause, .. } if is_of_the_place(cause.kind()) => {
                "name a file that you may write, in a directory that exists".into()
            }
            Self::Several(errors) => return errors.iter().find_map(Self::advice),
            _ => return None,
        })
    }

    /// Whether the API says that the object, or the path, does not exist.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Api(status) if status.code == 404)
    }

    /// Whether a file is there and may not be read.
    pub(crate) fn is_forbidden_file(&self) -> bool {
        matches!(self, Self::File { cause, .. } if cause.kind() == io::ErrorKind::PermissionDenied)
    }

    /// Whether a file that was to be read is not there.
    pub(crate) fn is_missing_file(&self) -> bool {
        matches!(self, Self::File { cause, .. } if cause.kind() == io::ErrorKind::NotFound)
    }

    /// Whether the API says that somebody else was faster.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Api(status) if status.code == 409)
    }
}

/// Whether it is the file's place that is wrong, and another one would do.
fn is_of_the_place(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
    )
}

fn api_message(status: &Status) -> String {
    match status.message.trim() {
        "" => format!("the API answered {} {}", status.code, status.reason).trim_end().to_owned(),
        message => message.to_owned(),
    }
}

fn api_advice(status: &Status) -> Option<String> {
    Some(match status.code {
        401 => "the API does not know these credentials: `ebb kubeconfig --merge` fetches the current ones"
            .into(),
        // A missing object has details; a missing path has none, as on a cluster without Knative.
        404 if status.details.as_ref().is_none_or(|details| details.name.is_empty()) => {
            "this API does not serve that; is Knative (or Ebb) installed where the kubeconfig leads?".into()
        }
        _ => return None,
    })
}

struct Paths<'a>(&'a [PathBuf]);

impl fmt::Display for Paths<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, path) in self.0.iter().enumerate() {
            write!(f, "{}{}", if index == 0 { "" } else { ", " }, path.display())?;
        }
        Ok(())
    }
}

struct Lines<'a>(&'a [Error]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            write!(f, "{}{error}", if index == 0 { "" } else { "\nError: " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_took_too_long_is_advised_on_by_what_it_is() {
        for (kind, what, expect) in [
            ("service", "ready", Some("see `ebb service describe a` for what it waits for")),
            (
                "service",
                "deleted",
                Some("it is still being deleted; see `kubectl get -o yaml` of 'a' for finalizers"),
            ),
            ("configuration", "made", None),
        ] {
            let error = Error::Timeout { kind, name: "a".to_owned(), what, seconds: 2 };
            assert_eq!(error.advice().as_deref(), expect, "{error}");
        }
    }
}
