//! `pods/exec`: the WebSocket and what goes through it. What runs is the node's, and is tried with it in ebb's tests.

use std::{io, sync::Arc};

use apiserver::{ExecOptions, Execution, Kubelet, Limits, LogOptions, TerminalSize};
use bytes::Bytes;
use futures::{FutureExt, SinkExt, StreamExt, future::BoxFuture, stream::BoxStream};
use objects::Error;
use parking_lot::Mutex;
use resources::builtin::Pod;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    net::TcpStream,
    sync::oneshot,
    time::timeout,
};
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Error as WebSocketError, Message, client::IntoClientRequest, protocol::frame::coding::CloseCode,
    },
};

use crate::{
    https::PATIENCE,
    rig::{Rig, named},
};

const PODS: &str = "/api/v1/namespaces/default/pods";
const EXEC: &str = "/api/v1/namespaces/default/pods/p/exec?command=cat&stdin=true&stdout=1&stderr=true";
const V5: &str = "v5.channel.k8s.io";
const V4: &str = "v4.channel.k8s.io";

type Socket = WebSocketStream<TlsStream<TcpStream>>;

/// A node whose commands say back what they read, and end with it.
#[derive(Default)]
struct Cat {
    asked: Mutex<Option<(String, ExecOptions)>>,
    sizes: Arc<Mutex<Vec<TerminalSize>>>,
    /// Heard when the command is let go of.
    gone: Mutex<Option<oneshot::Sender<()>>>,
}

impl Kubelet for Cat {
    fn logs(
        &self,
        _: Arc<Pod>,
        _: &str,
        _: LogOptions,
    ) -> BoxFuture<'_, objects::Result<BoxStream<'static, io::Result<Bytes>>>> {
        async { Err(Error::Internal("there is none".to_owned())) }.boxed()
    }

    fn exec(
        &self,
        _: Arc<Pod>,
        container: &str,
        options: ExecOptions,
    ) -> BoxFuture<'_, objects::Result<Execution>> {
        *self.asked.lock() = Some((container.to_owned(), options.clone()));
        let (gone, sizes) = (self.gone.lock().take(), Arc::clone(&self.sizes));
        async move {
            if options.command == ["absent"] {
                return Err(Error::Internal(
                    "unable to upgrade connection: container not found (\"c\")".into(),
                ));
            }
            let ((stdin, input), (output, stdout)) = (duplex(1024), duplex(1024));
            let exit = async move {
                let _gone = gone;
                Ok(copy(input, output).await)
            };
            Ok(Execution {
                stdin: Some(Box::new(stdin)),
                stdout: Some(Box::new(stdout)),
                stderr: None,
                resize: Some(Box::new(move |size| sizes.lock().push(size))),
                exit: exit.boxed(),
            })
        }
        .boxed()
    }
}

/// The exit code is the first byte, if that is a digit.
async fn copy(mut input: DuplexStream, mut output: DuplexStream) -> i32 {
    let (mut chunk, mut first) = (vec![0; 4096], None);
    while let Ok(read @ 1..) = input.read(&mut chunk).await {
        first.get_or_insert(chunk[0]);
        if output.write_all(&chunk[..read]).await.is_err() {
            return 1;
        }
    }
    first.and_then(|first| char::from(first).to_digit(10)).map_or(0, |digit| digit as i32)
}

async fn rig(limits: Limits) -> (Rig, Arc<Cat>) {
    let (rig, cat) = (Rig::with_limits(limits).await, Arc::<Cat>::default());
    rig.server.set_kubelet(Arc::clone(&cat) as _);
    let pod = json!({"metadata": named("p"), "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]}});
    rig.post(PODS, &pod).await;
    (rig, cat)
}

async fn open(rig: &Rig, path: &str, protocol: &str) -> Result<Socket, WebSocketError> {
    let stream = rig.stream("http/1.1").await;
    let mut request = format!("wss://localhost{path}").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
    let opened = timeout(PATIENCE, client_async(request, stream)).await.unwrap();
    opened.map(|(socket, response)| {
        assert_eq!(response.headers()["sec-websocket-protocol"], protocol.split(", ").next().unwrap());
        socket
    })
}

/// The next message of a channel, and which.
async fn next(socket: &mut Socket) -> (u8, Vec<u8>) {
    loop {
        match timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap() {
            Message::Binary(data) => return (data[0], data[1..].to_vec()),
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn say(socket: &mut Socket, channel: u8, data: &[u8]) {
    let message = [&[channel], data].concat();
    socket.send(Message::Binary(message.into())).await.unwrap();
}

/// What is left to be said: all output, then how it ended.
async fn rest(socket: &mut Socket) -> (Vec<u8>, Value) {
    let mut output = Vec::new();
    loop {
        match next(socket).await {
            (1, data) => output.extend(data),
            (3, status) => {
                let last = timeout(PATIENCE, socket.next()).await.unwrap();
                let Some(Ok(Message::Close(Some(frame)))) = last else { panic!("{last:?}") };
                assert_eq!(frame.code, CloseCode::Normal);
                return (output, serde_json::from_slice(&status).unwrap());
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn what_a_command_reads_and_writes_goes_through_its_channels() {
    let (rig, cat) = rig(Limits::default()).await;
    let path = format!("{EXEC}&command=-u&tty=true&container=c");
    let mut socket = open(&rig, &path, &format!("{V5}, {V4}")).await.unwrap();
    assert_eq!(next(&mut socket).await, (1, Vec::new()), "the connection stands");
    say(&mut socket, 4, br#"{"Width":120,"Height":40}"#).await;
    say(&mut socket, 4, b"no size").await;
    say(&mut socket, 9, b"no such channel").await;
    say(&mut socket, 0, b"7 words").await;
    assert_eq!(next(&mut socket).await, (1, b"7 words".to_vec()));
    socket.send(Message::Text("\0more".into())).await.unwrap();
    socket.send(Message::Ping(Bytes::from_static(b"there?"))).await.unwrap();
    assert_eq!(next(&mut socket).await, (1, b"more".to_vec()));
    say(&mut socket, 255, &[0]).await;
    let (output, status) = rest(&mut socket).await;
    assert!(output.is_empty());
    assert_eq!(
        (&status["reason"], &status["details"]["causes"][0]["message"]),
        (&json!("NonZeroExitCode"), &json!("7"))
    );
    let (container, options) = cat.asked.lock().take().unwrap();
    let command = ["cat", "-u"].map(str::to_owned).to_vec();
    let expect = ExecOptions { command, stdin: true, stdout: true, stderr: false, tty: true };
    assert_eq!((container.as_str(), options), ("c", expect), "a terminal has no errors of its own");
    assert_eq!(*cat.sizes.lock(), [TerminalSize { width: 120, height: 40 }]);
}

#[tokio::test]
async fn a_client_of_before_cannot_end_what_a_command_reads() {
    let (rig, cat) = rig(Limits::default()).await;
    let (gone, is_gone) = oneshot::channel();
    *cat.gone.lock() = Some(gone);
    let mut socket = open(&rig, EXEC, V4).await.unwrap();
    assert_eq!(next(&mut socket).await, (1, Vec::new()));
    say(&mut socket, 255, &[0]).await;
    say(&mut socket, 0, b"goes on").await;
    assert_eq!(next(&mut socket).await, (1, b"goes on".to_vec()));
    drop(socket);
    timeout(PATIENCE, is_gone).await.expect("the command is let go of with its client").unwrap_err();
}

#[tokio::test]
async fn megabytes_pass_in_both_directions_at_once() {
    let (rig, _) = rig(Limits::default()).await;
    let socket = open(&rig, EXEC, V5).await.unwrap();
    let given: Vec<u8> = (0..4_000_000u32).map(|number| b'a' + (number % 23) as u8).collect();
    let (mut sink, mut stream) = socket.split();
    let sending = async {
        for chunk in given.chunks(30_000) {
            sink.send(Message::Binary([&[0], chunk].concat().into())).await.unwrap();
        }
        sink.send(Message::Binary(vec![255, 0].into())).await.unwrap();
    };
    let receiving = async {
        let mut output = Vec::new();
        loop {
            match stream.next().await.unwrap().unwrap() {
                Message::Binary(data) if data[0] == 1 => output.extend_from_slice(&data[1..]),
                Message::Binary(data) => return (output, data),
                _ => {}
            }
        }
    };
    let ((), (output, status)) = timeout(PATIENCE, futures::future::join(sending, receiving)).await.unwrap();
    assert!(output == given, "{} bytes", output.len());
    assert_eq!(&status[..], b"\x03{\"metadata\":{},\"status\":\"Success\"}");
}

#[tokio::test]
async fn what_cannot_be_run_is_told() {
    let (rig, _) = rig(Limits::default()).await;
    let absent = EXEC.replace("command=cat", "command=absent");
    let mut socket = open(&rig, &absent, V5).await.unwrap();
    assert_eq!(next(&mut socket).await, (1, Vec::new()));
    let (_, status) = rest(&mut socket).await;
    let said = "Internal error occurred: unable to upgrade connection: container not found (\"c\")";
    assert_eq!((&status["message"], &status["code"]), (&json!(said), &json!(500)));

    let waits = json!({"metadata": named("waits"), "spec": {"containers": [{"name": "c", "image": "i"}]}});
    rig.post(PODS, &waits).await;
    let container = |name: &str| json!({"name": name, "image": "i"});
    let spec = json!({"nodeName": "n", "containers": [container("c"), container("d")], "initContainers": [container("i")]});
    rig.post(PODS, &json!({"metadata": named("two"), "spec": spec})).await;
    let upgrade = |to: &'static str, protocol: &'static str| {
        vec![
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", to),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("sec-websocket-protocol", protocol),
        ]
    };
    let websocket = || upgrade("websocket", V5);
    let spdy = "unable to upgrade to \"SPDY/3.1\": this version of Ebb runs commands over WebSocket alone, with the protocol \
                v5.channel.k8s.io or v4.channel.k8s.io; use a client that speaks one of them, as kubectl does from 1.31 on";
    for (path, headers, code, message) in [
        ("none/exec?command=a&stdout=1", websocket(), 404, "pods \"none\" not found"),
        ("waits/exec?command=a&stdout=1", websocket(), 400, "pod waits does not have a host assigned"),
        ("p/exec?command=a&stdout=1&container=x", websocket(), 400, "container x is not valid for pod p"),
        (
            "two/exec?command=a&stdout=1",
            websocket(),
            400,
            "a container name must be specified for pod two, choose one of: [i c d]",
        ),
        ("p/exec?stdout=1", websocket(), 400, "you must specify at least one command for the container"),
        ("p/exec?command=a", websocket(), 400, "you must specify at least 1 of stdin, stdout, stderr"),
        (
            "p/exec?command=a&tty=1&stderr=1",
            websocket(),
            400,
            "you must specify at least 1 of stdin, stdout, stderr",
        ),
        ("p/exec?command=a&stdout=1", vec![], 400, "Upgrade request required"),
        ("p/exec?command=a&stdout=1", upgrade("SPDY/3.1", ""), 400, spdy),
        (
            "p/exec?command=a&stdout=1",
            upgrade("websocket", "channel.k8s.io"),
            400,
            "requested protocol(s) are not supported: [channel.k8s.io]; supports [v5.channel.k8s.io v4.channel.k8s.io]",
        ),
    ] {
        for method in ["GET", "POST"] {
            let answer = rig.call(method, &format!("{PODS}/{path}"), &headers, "").await;
            let found = (answer.code, answer.json["message"].as_str());
            assert_eq!(found, (code, Some(message)), "{method} {path}");
        }
    }
    let other = rig.call("PUT", &format!("{PODS}/p/exec?command=a&stdout=1"), &websocket(), "").await;
    assert_eq!(other.code, 405);
}

#[tokio::test]
async fn commands_and_their_messages_are_bounded() {
    let limits = Limits { exec_sessions_max: 1, exec_message_bytes_max: 1000, ..Limits::default() };
    let (rig, cat) = rig(limits).await;
    let (gone, is_gone) = oneshot::channel();
    *cat.gone.lock() = Some(gone);
    let mut first = open(&rig, EXEC, V5).await.unwrap();
    next(&mut first).await;
    match open(&rig, EXEC, V5).await {
        Err(WebSocketError::Http(response)) => assert_eq!(response.status(), 429),
        other => panic!("{other:?}"),
    }
    say(&mut first, 0, &[b'x'; 999]).await;
    assert_eq!(next(&mut first).await.1.len(), 999);
    say(&mut first, 0, &[b'x'; 1000]).await;
    timeout(PATIENCE, is_gone).await.expect("its session ends").unwrap_err();
    // Its place is free again.
    let opened = async {
        loop {
            if let Ok(socket) = open(&rig, EXEC, V5).await {
                break socket;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, opened).await.unwrap();
}

#[tokio::test]
async fn a_server_that_ends_says_so_to_commands() {
    let (mut rig, _) = rig(Limits::default()).await;
    let mut socket = open(&rig, EXEC, V5).await.unwrap();
    next(&mut socket).await;
    rig.drain.take().unwrap().send(()).unwrap();
    let (_, status) = rest(&mut socket).await;
    assert_eq!(status["message"], "the API server is shutting down, and has ended the command");
    drop(socket);
    timeout(PATIENCE, rig.serving).await.expect("the server waits for nobody").unwrap();
}
