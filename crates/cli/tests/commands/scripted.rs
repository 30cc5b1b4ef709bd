//! An API server that answers from a script, and the commands run against it over a real socket.

use std::{
    collections::VecDeque,
    convert::Infallible,
    process::ExitCode,
    sync::{Arc, Mutex},
};

use clap::Parser;
use cli::{Command, Console, Environment, Global};
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Bytes, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;

/// What is asked and what is answered, in this order.
pub(crate) struct Exchange {
    /// `GET /path?query`.
    pub(crate) request: &'static str,
    pub(crate) status: u16,
    pub(crate) answer: String,
}

impl Exchange {
    pub(crate) fn new(request: &'static str, answer: &Value) -> Self {
        Self { request, status: 200, answer: answer.to_string() }
    }

    pub(crate) fn refused(request: &'static str, status: u16, answer: &Value) -> Self {
        Self { request, status, answer: answer.to_string() }
    }

    /// A watch: one event per line, then its end.
    pub(crate) fn watch(request: &'static str, events: &[Value]) -> Self {
        Self { request, status: 200, answer: events.iter().map(|event| format!("{event}\n")).collect() }
    }
}

/// How a command ended.
pub(crate) struct Outcome {
    pub(crate) status: ExitCode,
    pub(crate) out: String,
    pub(crate) err: String,
    /// The bodies of the requests that had one.
    pub(crate) sent: Vec<String>,
}

#[derive(clap::Parser)]
struct Program {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Default)]
struct State {
    script: VecDeque<Exchange>,
    sent: Vec<String>,
    unexpected: Vec<String>,
}

/// Runs `ebb ARGUMENTS` against the script, all of which must be asked for.
pub(crate) async fn ebb(arguments: &[&str], script: Vec<Exchange>) -> Outcome {
    let state = Arc::new(Mutex::new(State { script: script.into(), ..State::default() }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(serve(listener, state.clone()));
    let directory = kubeconfig(&format!("http://{address}"));
    let mut outcome = run(arguments, &directory).await;
    serving.abort();
    let state = std::mem::take(&mut *state.lock().unwrap());
    assert!(
        state.unexpected.is_empty(),
        "nobody expected {:?}\n{}{}",
        state.unexpected,
        outcome.out,
        outcome.err
    );
    let unasked: Vec<&str> = state.script.iter().map(|exchange| exchange.request).collect();
    assert!(unasked.is_empty(), "nobody asked for {unasked:?}\n{}{}", outcome.out, outcome.err);
    outcome.sent = state.sent;
    outcome
}

/// Runs `ebb ARGUMENTS` with the directory's `kubeconfig`.
pub(crate) async fn run(arguments: &[&str], directory: &TempDir) -> Outcome {
    let program = Program::try_parse_from(std::iter::once("ebb").chain(arguments.iter().copied())).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut console = Console {
        out: &mut out,
        err: &mut err,
        clock: || "2026-11-20T12:00:00Z".parse().unwrap(),
        random: || 7,
        environment: Environment {
            home: Some(directory.path().to_owned()),
            kubeconfig: Some(directory.path().join("kubeconfig").into()),
            data_home: None,
            system_data: None,
        },
    };
    let status = cli::run(program.command, program.global, &mut console).await;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Outcome { status, out: text(out), err: text(err), sent: Vec::new() }
}

/// A directory with a kubeconfig that leads to the server.
pub(crate) fn kubeconfig(server: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let text = format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: ebb\n  cluster: {{server: '{server}'}}\ncontexts:\n- name: \
         ebb\n  context: {{cluster: ebb, user: ebb}}\nusers:\n- name: ebb\n  user: {{token: \
         secret}}\ncurrent-context: ebb\n"
    );
    std::fs::write(directory.path().join("kubeconfig"), text).unwrap();
    directory
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        let service = service_fn(move |request| answer(request, state.clone()));
        tokio::spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
        );
    }
}

async fn answer(
    request: Request<Incoming>,
    state: Arc<Mutex<State>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let asked = format!("{} {}", request.method(), request.uri());
    let authorized = request.headers().get("authorization").is_some_and(|value| value == "Bearer secret");
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let mut state = state.lock().unwrap();
    let next = state.script.pop_front();
    let (status, text) = match next {
        Some(exchange) if exchange.request == asked && authorized => {
            if !body.is_empty() {
                state.sent.push(String::from_utf8(body.into()).unwrap());
            }
            (exchange.status, exchange.answer)
        }
        other => {
            let wanted = other.map(|exchange| exchange.request);
            state.unexpected.push(format!("{asked} (authorized: {authorized}) where {wanted:?} was due"));
            (500, "unexpected".into())
        }
    };
    Ok(Response::builder().status(status).body(Full::new(Bytes::from(text))).unwrap())
}
