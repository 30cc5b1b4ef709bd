//! What the API server needs of the node: the logs of containers.

use std::{io, sync::Arc};

use bytes::Bytes;
use futures::{future::BoxFuture, stream::BoxStream};
use jiff::Timestamp;
use resources::builtin::Pod;

/// The node's side of `pods/log`.
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
