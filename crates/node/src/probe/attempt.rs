//! One try of a probe.

use std::{io, time::Duration};

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

use super::command;
use crate::runtime::{ContainerId, Runtime, SandboxId};

/// What a probe asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Whether the port takes connections.
    Tcp { port: u16 },
    /// Whether a GET is answered with 200 to 399.
    Http { port: u16, path: String, headers: Vec<(String, String)> },
    /// Whether a command in the container ends well.
    Exec { argv: Vec<String> },
    /// A kind of probe that this node does not know; never passes.
    Unsupported { what: &'static str },
}

/// The outcome of a try: fine, or why not.
pub(crate) type Outcome = Result<(), Fault>;

/// Why a try did not go well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// What was asked did not answer, or said no.
    Refused(String),
    /// The node could not ask, which says nothing of the container (upstream: kubelet, whose prober throws such a result
    /// away).
    NotAsked(String),
}

impl Fault {
    /// In words.
    pub(crate) fn why(&self) -> &str {
        match self {
            Self::Refused(why) | Self::NotAsked(why) => why,
        }
    }
}

/// Tries once; bounded by `limit`. The container is the one that a command is run in.
pub(crate) async fn attempt(
    runtime: &dyn Runtime,
    sandbox: &SandboxId,
    container: Option<&ContainerId>,
    target: &Target,
    limit: Duration,
) -> Outcome {
    let tried = match target {
        Target::Tcp { port } => timeout(limit, connect(runtime, sandbox, *port))
            .await
            .map(|tried| tried.map(drop).map_err(Fault::Refused)),
        Target::Http { port, path, headers } => timeout(limit, get(runtime, sandbox, *port, path, headers))
            .await
            .map(|tried| tried.map_err(Fault::Refused)),
        Target::Exec { argv } => {
            let Some(container) = container else {
                return Err(Fault::NotAsked("there is no container to ask".to_owned()));
            };
            timeout(limit, command::ends_well(runtime, container, argv)).await
        }
        Target::Unsupported { what } => {
            return Err(Fault::Refused(format!("{what} probes are not supported by this node")));
        }
    };
    match tried {
        Ok(outcome) => outcome,
        Err(_) => Err(Fault::Refused(format!("no answer within {} s", limit.as_secs_f32()))),
    }
}

async fn connect(runtime: &dyn Runtime, sandbox: &SandboxId, port: u16) -> Result<TcpStream, String> {
    runtime.dial(sandbox, port).await.map_err(|error: io::Error| format!("dial tcp :{port}: {error}"))
}

async fn get(
    runtime: &dyn Runtime,
    sandbox: &SandboxId,
    port: u16,
    path: &str,
    headers: &[(String, String)],
) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| format!("Get \"http://:{port}{path}\": {error}");
    let stream = connect(runtime, sandbox, port).await?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
    let mut request =
        Request::get(path).header("user-agent", "kube-probe/1.34").header("connection", "close");
    let has_host = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host"));
    if !has_host {
        request = request.header("host", format!("127.0.0.1:{port}"));
    }
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = request.body(Empty::<Bytes>::new()).map_err(|error| failed(&error))?;
    let answer = async { sender.send_request(request).await.map(|answer| answer.status()) };
    tokio::pin!(answer);
    let answer = tokio::select! {
        biased;
        answer = &mut answer => answer,
        // A short answer and the end of its connection come at once; without an answer this is the error.
        _ = connection => answer.await,
    };
    let status = answer.map_err(|error| failed(&error))?;
    if (200..400).contains(&status.as_u16()) {
        Ok(())
    } else {
        Err(format!("HTTP probe failed with statuscode: {}", status.as_u16()))
    }
}
