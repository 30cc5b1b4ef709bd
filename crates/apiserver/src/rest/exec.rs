//! `pods/exec`: a command in a container, over a WebSocket.
//!
//! What can be known before is answered as any other request; once the connection is a WebSocket, everything is told on
//! its error channel.

mod channels;
mod handshake;
mod outcome;
mod session;

use std::sync::Arc;

use http::Response;
use resources::{builtin::Pod, downcast};

use self::{handshake::Handshake, session::Session};
use super::{call::Call, container::container};
use crate::{kubelet::ExecOptions, mount::Body, status::Failure};

pub(super) async fn run(mut call: Call) -> Result<Response<Body>, Failure> {
    let stored = call.registry().get(call.resource.kind, &call.resource.key())?;
    let pod = downcast::<Pod>(stored.object()?).ok_or_else(Failure::no_such_path)?;
    let container = container(&pod, call.query.get("container"))?;
    if pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or_default().is_empty() {
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        return Err(Failure::bad_request(format!("pod {name} does not have a host assigned")));
    }
    let options = options(&call)?;
    let handshake = Handshake::of(&call.headers)?;
    let upgrade = call.upgrade.take().ok_or_else(handshake::required)?;
    let kubelet = call.shared.kubelet.get().cloned();
    let kubelet = kubelet.ok_or_else(|| Failure::unavailable("there is no node here that runs commands"))?;
    let place = Arc::clone(&call.shared.exec_places).try_acquire_owned().map_err(|_| {
        let max = call.registry().limits.exec_sessions_max;
        Failure::too_many_requests(format!(
            "{max} commands are run in containers already; end one, or try again"
        ))
    })?;
    let response = handshake.response();
    let session = Session {
        protocol: handshake.protocol,
        limits: call.registry().limits.clone(),
        draining: call.shared.draining.clone(),
    };
    call.shared.sessions.spawn(async move {
        match upgrade.await {
            Ok(connection) => {
                let begin = |options| async move { kubelet.exec(pod, &container, options).await };
                session.run(connection, options, begin).await;
            }
            Err(error) => tracing::debug!(%error, "a connection ended before it was a WebSocket"),
        }
        drop(place);
    });
    Ok(response)
}

/// Upstream: kubernetes, `PodExecOptions`; cri/streaming, `remotecommand.NewOptions`.
fn options(call: &Call) -> Result<ExecOptions, Failure> {
    let query = &call.query;
    let [stdin, stdout, stderr, tty] = ["stdin", "stdout", "stderr", "tty"].map(|name| query.flag(name));
    let command: Vec<String> = query.all("command").map(str::to_owned).collect();
    if command.first().is_none_or(String::is_empty) {
        return Err(Failure::bad_request("you must specify at least one command for the container"));
    }
    let stderr = stderr && !tty;
    if !(stdin || stdout || stderr) {
        return Err(Failure::bad_request("you must specify at least 1 of stdin, stdout, stderr"));
    }
    Ok(ExecOptions { command, stdin, stdout, stderr, tty })
}
