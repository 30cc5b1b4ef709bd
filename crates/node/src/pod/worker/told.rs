//! What a pod's owner is told of a runtime's error: in the words of their spec. The node's own names and paths, which
//! say nothing to them and may be another's to know, stay in its log.

use std::path::{Path, PathBuf};

use crate::runtime::{BindMount, OwnFile, RuntimeError, StartFailure, Step};

/// Where the host's directories are in a container.
#[derive(Debug)]
pub(super) struct Shown(Vec<(PathBuf, PathBuf)>);

impl Shown {
    /// Those of a container with these layers, files and mounts.
    pub(super) fn of(layers: &[PathBuf], files: &[OwnFile], mounts: &[BindMount]) -> Self {
        let files = files.iter().map(|file| (file.target.clone(), file.target.clone()));
        let mounts = mounts.iter().map(|mount| (mount.source.clone(), mount.target.clone()));
        let layers = layers.iter().map(|layer| (layer.clone(), PathBuf::from("/")));
        Self(files.chain(mounts).chain(layers).collect())
    }

    /// The path in the container, if the host's is shown there.
    fn inside(&self, path: &Path) -> Option<PathBuf> {
        let below = |(from, to): &(PathBuf, PathBuf)| {
            let rest = path.strip_prefix(from).ok()?;
            Some(if rest.as_os_str().is_empty() { to.clone() } else { to.join(rest) })
        };
        self.0.iter().find_map(below)
    }

    /// Whether the path is one of the container's own.
    fn has(&self, path: &Path) -> bool {
        self.0.iter().any(|(_, target)| target == path)
    }
}

/// Why a container was not started.
pub(super) fn of_container(error: &RuntimeError, name: &str, shown: &Shown) -> String {
    let why = match error {
        RuntimeError::Start { failure, .. } => of_failure(failure, shown).to_string(),
        other => of_error(other),
    };
    format!("failed to start container {name:?}: {why}")
}

/// Why a pod's sandbox was not made.
pub(super) fn of_sandbox(error: &RuntimeError, pod: &str) -> String {
    format!("Failed to create pod sandbox of {pod:?}: {}", of_error(error))
}

fn of_failure(failure: &StartFailure, shown: &Shown) -> StartFailure {
    let path = Path::new(&failure.subject);
    let subject = match (shown.inside(path), failure.step) {
        (Some(inside), _) => inside.display().to_string(),
        // These are about what the node has made for itself, if not about the container's own paths.
        (None, Step::Shell | Step::Sandbox | Step::Rootfs | Step::Mount) if !shown.has(path) => String::new(),
        (None, _) => failure.subject.clone(),
    };
    StartFailure { subject, ..failure.clone() }
}

fn of_error(error: &RuntimeError) -> String {
    match error {
        RuntimeError::Start { failure, .. } | RuntimeError::Exec { failure } => {
            of_failure(failure, &Shown(Vec::new())).to_string()
        }
        RuntimeError::Invalid { reason, .. } => reason.clone(),
        RuntimeError::NotFound { kind, .. } => format!("its {kind} is not there any more"),
        RuntimeError::Exists { kind, .. } => format!("an earlier {kind} of it is still there"),
        RuntimeError::Io { cause, .. } => cause.to_string(),
        RuntimeError::Unsupported(_) | RuntimeError::KeeperGone | RuntimeError::KeeperSilent { .. } => {
            error.to_string()
        }
    }
}

#[cfg(test)]
mod tests;
