//! The API server's `pods/log` and `pods/exec` on the node's log files and containers.

use std::{io, sync::Arc};

use apiserver::{ExecOptions, Execution, Kubelet, LogOptions, TerminalSize};
use bytes::Bytes;
use futures::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use node::{
    ExecCommand, LogId, Logs,
    runtime::{RuntimeError, SharedRuntime},
};
use objects::Error;
use resources::{
    Object,
    builtin::{Container, ContainerStatus, Pod},
};

/// The containers on this node.
pub(in crate::up) struct NodeKubelet {
    pub(in crate::up) logs: Logs,
    pub(in crate::up) runtime: SharedRuntime,
}

type LogStream = BoxStream<'static, io::Result<Bytes>>;

impl Kubelet for NodeKubelet {
    fn logs(
        &self,
        pod: Arc<Pod>,
        container: &str,
        options: LogOptions,
    ) -> BoxFuture<'_, objects::Result<LogStream>> {
        if is_built_in(&pod, container) && !options.previous {
            let line = in_place_of_a_log(&pod, container, &options);
            return Box::pin(async move { Ok(stream::iter(line.map(Ok::<_, io::Error>)).boxed()) });
        }
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
            if is_built_in(&pod, &container) {
                return Err(Error::BadRequest(format!(
                    "container {container:?} is part of Ebb's gateway: it has no shell and no files of its own; name one \
                     of the app's with -c"
                )));
            }
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

/// Whether a container is none of its own, but part of this process.
fn is_built_in(pod: &Pod, container: &str) -> bool {
    let mut named = containers(pod).filter(|known| known.name == container);
    named.any(node::is_built_in)
}

fn containers(pod: &Pod) -> impl Iterator<Item = &Container> {
    pod.spec.iter().flat_map(|spec| &spec.containers)
}

/// What is told of a container that writes no log: where one is. It is an answer and no error, so that who asks for the
/// logs of all containers gets the others'.
fn in_place_of_a_log(pod: &Pod, container: &str, options: &LogOptions) -> Option<Bytes> {
    if options.tail_lines == Some(0) {
        return None;
    }
    let app = containers(pod).find(|other| !node::is_built_in(other)).map_or("NAME", |app| app.name.as_str());
    let mut line = String::new();
    if options.timestamps {
        // It is as old as the container.
        let state = statuses(pod).find(|status| status.name == container).and_then(|it| it.state.as_ref());
        let began = state.and_then(|state| state.running.as_ref()?.started_at.as_ref());
        let began = began.or(pod.metadata.creation_timestamp.as_ref());
        line.extend(began.map(|began| format!("{:.9} ", began.0)));
    }
    line.push_str(&format!(
        "{container} is part of Ebb's gateway, which carries the requests and writes no log of a pod: see those of the app \
         (-c {app}) and of `ebb up`\n"
    ));
    let mut line = Bytes::from(line);
    if let Some(bytes) = options.limit_bytes {
        line.truncate(usize::try_from(bytes).unwrap_or(usize::MAX));
    }
    Some(line)
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
    let absent = || Error::BadRequest(format!("previous terminated {of_it} not found"));
    let waits_for = waiting_for(status);
    if waits_for.is_some() && status.last_state.as_ref().is_some_and(|last| last.terminated.is_some()) {
        // Between two runs the last one's log is what there is: the next one counts once it begins.
        return Ok(current);
    }
    match waits_for {
        None if previous => current.checked_sub(1).ok_or_else(absent),
        None => Ok(current),
        Some(_) if previous => Err(absent()),
        Some(reason) => {
            let why = match &*reason {
                "ErrImagePull" => "image can't be pulled",
                "ImagePullBackOff" => "trying and failing to pull image",
                other => other,
            };
            Err(Error::BadRequest(format!("{of_it} is waiting to start: {why}")))
        }
    }
}

fn waiting_for(status: &ContainerStatus) -> Option<String> {
    status.state.as_ref()?.waiting.as_ref()?.reason.clone()
}

#[cfg(test)]
mod tests {
    use resources::reserved::QUEUE_PROXY_IMAGE;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_writes_no_log_says_where_one_is() {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "p", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"containers": [{"name": "app", "image": "i"}, {"name": "q", "image": QUEUE_PROXY_IMAGE}]},
        }))
        .unwrap();
        assert!(is_built_in(&pod, "q") && !is_built_in(&pod, "app") && !is_built_in(&pod, "none"));
        let told = |options: LogOptions| {
            let line = in_place_of_a_log(&pod, "q", &options);
            line.map(|line| String::from_utf8(line.to_vec()).unwrap()).unwrap_or_default()
        };
        let plain = told(LogOptions::default());
        assert!(plain.starts_with("q is part of Ebb's gateway") && plain.contains("(-c app)"), "{plain}");
        assert!(plain.ends_with("`ebb up`\n") && plain.lines().count() == 1, "{plain}");
        let stamped = told(LogOptions { timestamps: true, ..LogOptions::default() });
        assert_eq!(stamped, format!("2026-01-01T00:00:00.000000000Z {plain}"));
        assert_eq!(told(LogOptions { limit_bytes: Some(4), ..LogOptions::default() }), "q is");
        assert_eq!(told(LogOptions { tail_lines: Some(0), ..LogOptions::default() }), "");
    }

    #[test]
    fn the_log_is_that_of_the_run_which_is_meant() {
        let pod = |state: &str, restarts: i32, has_ended: bool| -> Pod {
            let mut status = json!({
                "name": "main", "image": "", "imageID": "", "ready": false, "restartCount": restarts,
                "state": {state: {"reason": "CrashLoopBackOff", "exitCode": 1}},
            });
            if has_ended {
                status["lastState"] = json!({"terminated": {"exitCode": 1}});
            }
            let status = json!({"containerStatuses": [status]});
            serde_json::from_value(json!({"metadata": {"name": "p"}, "status": status})).unwrap()
        };
        // The state, how many runs came before, whether one has ended, and then: the run whose log is shown, and that of
        // the previous one.
        for (state, restarts, has_ended, current, previous) in [
            ("running", 0, false, Some(0), None),
            ("running", 2, true, Some(2), Some(1)),
            ("terminated", 0, false, Some(0), None),
            ("terminated", 1, true, Some(1), Some(0)),
            ("waiting", 0, false, None, None),
            // The next run is not counted yet.
            ("waiting", 0, true, Some(0), Some(0)),
            ("waiting", 2, true, Some(2), Some(2)),
        ] {
            let pod = pod(state, restarts, has_ended);
            let shown = [false, true].map(|previous| run_of_log(&pod, "main", previous).ok());
            assert_eq!(shown, [current, previous], "{state} {restarts} {has_ended}");
        }
        assert!(run_of_log(&pod("running", 0, false), "other", false).is_err());
    }
}
