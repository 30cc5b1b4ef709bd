//! The API server's `pods/log` and `pods/exec` on the node's log files and containers.

use std::{io, sync::Arc};

use apiserver::{ExecOptions, Execution, Kubelet, LogOptions, TerminalSize};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::BoxStream};
use node::{
    ExecCommand, LogId, Logs,
    runtime::{RuntimeError, SharedRuntime},
};
use objects::Error;
use resources::{
    Object,
    builtin::{ContainerStatus, Pod},
};

/// The containers on this node.
pub(in crate::up) struct NodeKubelet {
    pub(in crate::up) logs: Logs,
    pub(in crate::up) runtime: SharedRuntime,
}

type LogStream = BoxStream<'static, io::Result<bytes::Bytes>>;

impl Kubelet for NodeKubelet {
    fn logs(
        &self,
        pod: Arc<Pod>,
        container: &str,
        options: LogOptions,
    ) -> BoxFuture<'_, objects::Result<LogStream>> {
        let run = run_of_log(&pod, container, options.previous);
        let id = run.map(|run| LogId { pod: pod.uid().to_owned(), container: container.to_owned(), run });
        let options = node::LogOptions {
            follow: options.follow,
            tail_lines: options.tail_lines.map(|lines| usize::try_from(lines).unwrap_or(usize::MAX)),
            since: options.since,
            timestamps: options.timestamps,
            limit_bytes: options.limit_bytes,
        };
        Box::pin(async move { Ok(self.logs.read(&id?, options).boxed()) })
    }

    fn exec(
        &self,
        pod: Arc<Pod>,
        container: &str,
        options: ExecOptions,
    ) -> BoxFuture<'_, objects::Result<Execution>> {
        let container = container.to_owned();
        Box::pin(async move {
            let run = running(&pod, &container).ok_or_else(|| not_found(&container))?;
            let ExecOptions { command: argv, stdin, stdout, stderr, tty } = options;
            let command = ExecCommand { argv, stdin, stdout, stderr, tty };
            let begun = node::exec(&*self.runtime, &pod, &container, run, command).await;
            begun.map(execution).map_err(|error| match error {
                RuntimeError::NotFound { .. } => not_found(&container),
                error => failed(&error),
            })
        })
    }
}

fn execution(exec: node::Exec) -> Execution {
    let node::Exec { stdin, stdout, stderr, program } = exec;
    let program = Arc::new(program);
    let sized = Arc::clone(&program);
    let resize = move |TerminalSize { width, height }| {
        if let Err(error) = sized.resize(width, height) {
            tracing::debug!(%error, "could not tell a terminal its size");
        }
    };
    let exit = async move { program.wait().await.map(|exit| exit.code).map_err(|error| failed(&error)) };
    Execution {
        stdin: stdin.map(|stdin| Box::new(stdin) as _),
        stdout: stdout.map(|stdout| Box::new(stdout) as _),
        stderr: stderr.map(|stderr| Box::new(stderr) as _),
        resize: Some(Box::new(resize)),
        exit: exit.boxed(),
    }
}

/// Upstream: kubernetes, kubelet `GetExec`, as the API server passes it on.
fn not_found(container: &str) -> Error {
    Error::Internal(format!("unable to upgrade connection: container not found ({container:?})"))
}

/// Upstream: cri/streaming, `ServeExec`, with the words of a runtime.
fn failed(error: &RuntimeError) -> Error {
    Error::Internal(format!("error executing command in container: failed to exec in container: {error}"))
}

/// The current run of a container that runs.
fn running(pod: &Pod, container: &str) -> Option<u32> {
    let status = statuses(pod).find(|status| status.name == container)?;
    status.state.as_ref()?.running.as_ref()?;
    u32::try_from(status.restart_count).ok()
}

fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    pod.status
        .iter()
        .flat_map(|status| status.container_statuses.iter().chain(&status.init_container_statuses).flatten())
}

/// Which run of the container is meant, or why there is none (upstream: kubernetes, kubelet `validateContainerLogStatus`).
fn run_of_log(pod: &Pod, container: &str, previous: bool) -> objects::Result<u32> {
    let found = statuses(pod).find(|status| status.name == container);
    let of_it = format!("container {container:?} in pod {:?}", pod.name());
    let Some(status) = found else { return Err(Error::BadRequest(format!("{of_it} is not available"))) };
    let current = u32::try_from(status.restart_count).unwrap_or(0);
    if previous {
        let absent = || Error::BadRequest(format!("previous terminated {of_it} not found"));
        return current.checked_sub(1).ok_or_else(absent);
    }
    let Some(reason) = waiting_for(status) else { return Ok(current) };
    // Between two runs the last one's log is what there is.
    current.checked_sub(1).ok_or_else(|| {
        let why = match &*reason {
            "ErrImagePull" => "image can't be pulled",
            "ImagePullBackOff" => "trying and failing to pull image",
            other => other,
        };
        Error::BadRequest(format!("{of_it} is waiting to start: {why}"))
    })
}

fn waiting_for(status: &ContainerStatus) -> Option<String> {
    status.state.as_ref()?.waiting.as_ref()?.reason.clone()
}
