//! What a caller asks for: sandboxes and containers, as plain data.

use std::fmt;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Capabilities;

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<T: Into<Arc<str>>> From<T> for $name {
            fn from(text: T) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

identifier! {
    /// Names a pod's sandbox. The caller's choice; unique while the sandbox exists.
    SandboxId
}
identifier! {
    /// Names one run of a container: a restarted container has a new one.
    ContainerId
}

/// What the containers of one pod share.
#[derive(Clone, Debug)]
pub struct SandboxSpec {
    /// Its name.
    pub id: SandboxId,
    /// The pod's hostname, at most 64 bytes.
    pub hostname: String,
    /// The pod's addresses, put on its loopback device beside 127.0.0.1 and ::1.
    pub addresses: Vec<IpAddr>,
    /// The only address that each of the pods to come will have, as far as that can be guessed: sandboxes that are made
    /// beforehand get them, since the kernel may be long about an address just when somebody waits for it.
    pub next: Vec<IpAddr>,
}

/// One container to start.
#[derive(Debug)]
pub struct ContainerSpec {
    /// Its name.
    pub id: ContainerId,
    /// The sandbox it runs in.
    pub sandbox: SandboxId,
    /// The unpacked layers of its image, the top one last. They are never written to.
    pub rootfs: Vec<PathBuf>,
    /// Whether the root file system is read-only (volumes stay as they say).
    pub readonly_rootfs: bool,
    /// The program and its arguments. A name without a slash is looked up in `PATH` inside the root file system.
    pub argv: Vec<String>,
    /// The environment. `PATH` and `HOME` are added where absent.
    pub env: Vec<(String, String)>,
    /// The working directory, made where absent; empty means `/`.
    pub cwd: String,
    /// Who it runs as.
    pub user: User,
    /// Host files and directories seen inside, in this order.
    pub mounts: Vec<BindMount>,
    /// Descriptors that `mounts` name as sources. They are open until the start is over, for the keeper too, also when
    /// its caller has given up: their numbers are nobody else's as long as somebody may look them up.
    pub taken: Vec<OwnedFd>,
    /// Memory file systems seen inside; made before `mounts`.
    pub tmpfs: Vec<TmpfsMount>,
    /// Small files of its own, which it may change; made before `tmpfs` and `mounts`.
    pub files: Vec<OwnFile>,
    /// Where it may leave a message: an absolute path, made where absent. See
    /// [`Runtime::message`](super::Runtime::message).
    pub message_path: Option<PathBuf>,
    /// Its share of the machine.
    pub resources: Resources,
    /// What root may do inside.
    pub capabilities: Capabilities,
    /// Whether no program in it can gain privileges (Kubernetes: `allowPrivilegeEscalation: false`).
    pub no_new_privileges: bool,
    /// Which system calls it may make.
    pub seccomp: Seccomp,
    /// How readily the kernel kills it when memory runs out, -1000 to 1000. Clamped to what the daemon may set.
    pub oom_score_adj: i32,
    /// Where its standard output goes.
    pub stdout: OwnedFd,
    /// Where its standard error goes.
    pub stderr: OwnedFd,
    /// The other ends of both, where they are pipes: kept while the container is there, for whoever
    /// [takes it over](super::Runtime::take_over).
    pub readers: Option<[OwnedFd; 2]>,
    /// What its root file system is, in its caller's words, for whoever takes it over.
    pub content: String,
}

/// Who a container runs as.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The image's user: empty (root), `uid`, `name`, `uid:gid`, `name:group`. Names are looked up in the
    /// container's own `/etc/passwd` and `/etc/group`.
    pub image: String,
    /// Replaces the image's user (Kubernetes: `runAsUser`).
    pub uid: Option<u32>,
    /// Replaces the image's group (Kubernetes: `runAsGroup`).
    pub gid: Option<u32>,
    /// Groups beside those of `/etc/group` (Kubernetes: `supplementalGroups`, `fsGroup`).
    pub groups: Vec<u32>,
}

/// A host file or directory seen inside a container. Mounts made below it later, on either side, stay private.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BindMount {
    /// The file or directory on the host. Trusted: symbolic links in it are followed.
    pub source: PathBuf,
    /// What of it is shown (Kubernetes: `subPath`), relative; empty means all. Made as a directory where absent. A
    /// symbolic link in it fails the start, since a container may have made it; so does what leads out of `source`.
    pub sub_path: PathBuf,
    /// Where it appears, an absolute path inside the container; made where absent.
    pub target: PathBuf,
    /// Whether it can only be read.
    pub read_only: bool,
}

/// The most bytes that a container's own small files may hold together with its message, whoever writes them.
pub const OWN_FILES_BYTES_MAX: u64 = 4 << 20;

/// A small file of a container's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnFile {
    /// Where it appears, an absolute path inside the container; made where absent.
    pub target: PathBuf,
    /// What is in it at first.
    pub content: String,
}

/// A memory file system inside a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TmpfsMount {
    /// Where it appears; made where absent.
    pub target: PathBuf,
    /// The most bytes it may hold; `None` is the kernel's default of half the machine's memory.
    pub size: Option<u64>,
}

/// A container's share of the machine. `None` means no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// The processor share it is given when there is not enough, in thousandths of a processor.
    pub cpu_request_millis: Option<u64>,
    /// The most processor time it may take, in thousandths of a processor.
    pub cpu_limit_millis: Option<u64>,
    /// The most memory it may use, in bytes.
    pub memory_limit: Option<u64>,
    /// The most processes and threads it may have.
    pub pids_limit: Option<u64>,
}

/// Which system calls a container may make.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Seccomp {
    /// The runtime's default profile (Kubernetes: `RuntimeDefault`).
    #[default]
    RuntimeDefault,
    /// All of them.
    Unconfined,
}
