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
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn errors_are_told_in_the_words_of_the_spec() {
        let mount = |source: &str, target: &str| BindMount {
            source: source.into(),
            sub_path: PathBuf::new(),
            target: target.into(),
            read_only: false,
        };
        let shown = Shown::of(
            &["/data/images/l1".into()],
            &[OwnFile { target: "/etc/hosts".into(), content: String::new() }],
            &[mount("/run/ebb/1/pods/UID/volumes/v", "/in"), mount("/data/volumes/UID/w", "/out")],
        );
        let start = |step, subject: &str, errno| RuntimeError::Start {
            container: "UID-main-0".to_owned(),
            failure: StartFailure { step, subject: subject.to_owned(), errno },
        };
        for (error, expect) in [
            (start(Step::Exec, "/none", libc::ENOENT), "exec /none: no such file or directory"),
            (
                start(Step::Exec, "/data/images/l1/bin/x", libc::EACCES),
                "exec /bin/x: Permission denied (os error 13)",
            ),
            (
                start(Step::Mount, "/run/ebb/1/pods/UID/volumes/v/sub", libc::ELOOP),
                "mounting /in/sub: Too many levels of symbolic links (os error 40)",
            ),
            (start(Step::Mount, "/out", libc::ENOTDIR), "mounting /out: Not a directory (os error 20)"),
            (
                start(Step::Mount, "/etc/hosts", libc::ENOTDIR),
                "mounting /etc/hosts: Not a directory (os error 20)",
            ),
            (
                start(Step::Mount, "/data/containers/7/proc", libc::EPERM),
                "mounting: Operation not permitted (os error 1)",
            ),
            (start(Step::Sandbox, "UID", libc::ENOENT), "joining the sandbox: no such file or directory"),
            (start(Step::User, "nobody", libc::ENOENT), "user nobody: no such user or group in the image"),
            (
                RuntimeError::Invalid { container: "UID-main-0".to_owned(), reason: "no command".to_owned() },
                "no command",
            ),
            (
                RuntimeError::Io {
                    what: "copying the image of container UID-main-0".to_owned(),
                    cause: io::Error::other("disk full"),
                },
                "disk full",
            ),
            (
                RuntimeError::NotFound { kind: "sandbox", id: "UID".to_owned() },
                "its sandbox is not there any more",
            ),
        ] {
            let told = of_container(&error, "main", &shown);
            assert_eq!(told, format!("failed to start container \"main\": {expect}"));
        }
    }
}
