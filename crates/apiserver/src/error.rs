//! Why the API server cannot start or go on, by what the operator can do.

use std::path::PathBuf;

/// The result of running the API server.
pub type Result<T> = std::result::Result<T, Error>;

/// Errors of this crate. Requests that fail are answered with a `metav1.Status` and are none of these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The data directory cannot be opened or closed.
    #[error("cannot open or close the data directory")]
    Storage(#[source] storage::Error),
    /// What is stored cannot be read, or the first objects cannot be made.
    #[error("the state cannot be used")]
    State(#[source] objects::Error),
    /// A file of the certificate authority cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// What Secrets are encrypted with cannot be had. Nothing has changed.
    #[error("{} cannot be used as the key of Secrets: {reason}", path.display())]
    SecretsKey {
        /// The file of the keys.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// A state cannot be made of a backup where there is one.
    #[error("there is a state already in {}; restore into another data directory", dir.display())]
    StateExists {
        /// Where it is.
        dir: PathBuf,
    },
    /// What should be a backup is none, or not a whole one. Nothing has changed.
    #[error("line {line} of the backup: {reason}")]
    Backup {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A key or certificate cannot be used.
    #[error("cannot {action}: {reason}; remove the directory {} to get new ones", dir.display())]
    Certificate {
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        reason: String,
        /// Where keys and certificates lie.
        dir: PathBuf,
    },
}
