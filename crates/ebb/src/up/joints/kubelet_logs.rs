//! The API server's `pods/log` on the node's log files.

use std::{io, sync::Arc};

use apiserver::{Kubelet, LogOptions};
use futures::{StreamExt, future::BoxFuture, stream::BoxStream};
use node::{LogId, Logs};
use objects::Error;
use resources::{
    Object,
    builtin::{ContainerStatus, Pod},
};

/// Logs of the containers on this node.
pub(in crate::up) struct KubeletLogs(pub(in crate::up) Logs);

type LogStream = BoxStream<'static, io::Result<bytes::Bytes>>;

impl Kubelet for KubeletLogs {
    fn logs(
        &self,
        pod: Arc<Pod>,
        container: &str,
        options: LogOptions,
    ) -> BoxFuture<'_, objects::Result<LogStream>> {
        let run = run(&pod, container, options.previous);
        let id = run.map(|run| LogId { pod: pod.uid().to_owned(), container: container.to_owned(), run });
        let options = node::LogOptions {
            follow: options.follow,
            tail_lines: options.tail_lines.map(|lines| usize::try_from(lines).unwrap_or(usize::MAX)),
            since: options.since,
            timestamps: options.timestamps,
            limit_bytes: options.limit_bytes,
        };
        Box::pin(async move { Ok(self.0.read(&id?, options).boxed()) })
    }
}

/// Which run of the container is meant, or why there is none.
fn run(pod: &Pod, container: &str, previous: bool) -> objects::Result<u32> {
    let status = pod.status.as_ref();
    let mut statuses = status
        .into_iter()
        .flat_map(|status| status.container_statuses.iter().chain(&status.init_container_statuses).flatten());
    let found = statuses.find(|status| status.name == container);
    let waiting = |reason: &str| {
        let name = pod.name();
        Error::BadRequest(format!("container {container:?} in pod {name:?} is waiting to start: {reason}"))
    };
    let Some(status) = found else { return Err(waiting("ContainerCreating")) };
    let current = u32::try_from(status.restart_count).unwrap_or(0);
    if previous {
        return current.checked_sub(1).ok_or_else(|| {
            let name = pod.name();
            Error::BadRequest(format!(
                "previous terminated container {container:?} in pod {name:?} not found"
            ))
        });
    }
    match waiting_for(status) {
        // Between two runs the last one's log is what there is.
        Some(_) if current > 0 => Ok(current - 1),
        Some(reason) => Err(waiting(&reason)),
        None => Ok(current),
    }
}

fn waiting_for(status: &ContainerStatus) -> Option<String> {
    status.state.as_ref()?.waiting.as_ref()?.reason.clone()
}
