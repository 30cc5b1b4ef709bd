//! What the API server needs of the node: the logs of containers, and commands in them.

use std::{fmt, io, sync::Arc};

use bytes::Bytes;
use futures::{future::BoxFuture, stream::BoxStream};
use jiff::Timestamp;
use resources::builtin::Pod;
use tokio::io::{AsyncRead, AsyncWrite};

/// The node's side of `pods/log` and `pods/exec`.
pub trait Kubelet: Send + Sync + 'static {
    /// The log of a container. The stream ends with the log, or, when following, with the container.
    ///
    /// # Errors
    /// `BadRequest` when the container has no log yet, in the words of a kubelet: `container "x" in pod "y" is waiting
    /// to start: ContainerCreating`.
    fn logs(
        &self,
        pod: Arc<Pod>,
        container: &str,
        options: LogOptions,
    ) -> BoxFuture<'_, objects::Result<BoxStream<'static, io::Result<Bytes>>>>;

    /// Runs a command in a container, and returns once it runs.
    ///
    /// # Errors
    /// `Internal` when it cannot run, in the words of a kubelet: `unable to upgrade connection: container not found
    /// ("x")`.
    fn exec(
        &self,
        pod: Arc<Pod>,
        container: &str,
        options: ExecOptions,
    ) -> BoxFuture<'_, objects::Result<Execution>>;
}

/// Which part of a log is wanted, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Go on with what the container writes from now on.
    pub follow: bool,
    /// The log of the container's last run but one.
    pub previous: bool,
    /// Only so many of the newest lines.
    pub tail_lines: Option<u64>,
    /// Only lines written at this time or later.
    pub since: Option<Timestamp>,
    /// Begin every line with the time it was written, RFC 3339 with nanoseconds.
    pub timestamps: bool,
    /// End after so many bytes.
    pub limit_bytes: Option<u64>,
}

/// A command, and which of its streams are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecOptions {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Whether there is something for it to read.
    pub stdin: bool,
    /// Whether its output is read.
    pub stdout: bool,
    /// Whether its standard error is; never with a terminal, where both are one.
    pub stderr: bool,
    /// Whether it gets a terminal.
    pub tty: bool,
}

/// A command that runs in a container. Whatever of it runs still is ended when this is dropped.
pub struct Execution {
    /// What it reads; the end of that is when this is dropped.
    pub stdin: Option<Box<dyn AsyncWrite + Send + Unpin>>,
    /// What it writes.
    pub stdout: Option<Box<dyn AsyncRead + Send + Unpin>>,
    /// What it writes as errors.
    pub stderr: Option<Box<dyn AsyncRead + Send + Unpin>>,
    /// Tells it the size of its terminal, if it has one.
    pub resize: Option<Box<dyn Fn(TerminalSize) + Send>>,
    /// Its exit code. What it wrote before may still be on its way.
    pub exit: BoxFuture<'static, objects::Result<i32>>,
}

impl fmt::Debug for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execution").finish_non_exhaustive()
    }
}

/// The size of a terminal, in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TerminalSize {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}
