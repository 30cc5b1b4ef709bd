//! A command and its client, until one of them ends.
//!
//! ```text
//!   client ── stdin, resize ──► listen ──► command ──► tell ── stdout, stderr, then how it ended ──► client
//! ```
//!
//! Both directions wait for whoever is slower, each for itself: nothing is kept but one message of each.

use std::{future::Future, time::Duration};

use bytes::Bytes;
use futures::{
    Sink, SinkExt, Stream, StreamExt,
    future::{self, Either},
    pin_mut,
};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};
use tokio_util::sync::CancellationToken;

use super::{
    channels::{ERROR, Protocol, STDERR, STDOUT, Said},
    outcome,
};
use crate::{
    Limits,
    kubelet::{ExecOptions, Execution, TerminalSize},
};

/// What is read of a command at once.
const CHUNK_BYTES: usize = 32 << 10;
/// How long nothing may come of a command that has ended, before what it has started and left behind is not waited for.
const LAST_OUTPUT_MAX: Duration = Duration::from_secs(1);
/// How often a client is told that there is somebody, whose own question may wait behind what the command does not read:
/// kubectl gives up after 60 s.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);
/// How long a client may take to say farewell.
const FAREWELL_MAX: Duration = Duration::from_secs(2);

/// One session, before it begins.
pub(super) struct Session {
    pub(super) protocol: Protocol,
    pub(super) limits: Limits,
    /// Ends it.
    pub(super) draining: CancellationToken,
}

type Reader = Box<dyn AsyncRead + Send + Unpin>;
type Writer = Box<dyn AsyncWrite + Send + Unpin>;
type Resize = Box<dyn Fn(TerminalSize) + Send>;

impl Session {
    /// Runs it to its end.
    pub(super) async fn run<F>(
        self,
        connection: Upgraded,
        options: ExecOptions,
        begin: impl FnOnce(ExecOptions) -> F,
    ) where
        F: Future<Output = objects::Result<Execution>>,
    {
        let max = Some(self.limits.exec_message_bytes_max);
        let config = WebSocketConfig::default().max_message_size(max).max_frame_size(max);
        let io = TokioIo::new(connection);
        let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        let (mut sink, mut stream) = socket.split();
        let status = {
            let commanded = command(self.protocol, &mut sink, &mut stream, options, begin);
            pin_mut!(commanded);
            let drained = self.draining.cancelled();
            pin_mut!(drained);
            match future::select(commanded, drained).await {
                Either::Left((status, _)) => status,
                Either::Right(_) => Some(outcome::draining()),
            }
        };
        // Nobody is there any more who would hear it.
        let Some(status) = status else { return };
        let farewell = async {
            sink.send(message(ERROR, status.to_string().as_bytes())).await?;
            let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
            sink.send(Message::Close(Some(frame))).await?;
            while let Some(Ok(_)) = stream.next().await {}
            Ok::<_, Error>(())
        };
        let _ = timeout(FAREWELL_MAX, farewell).await;
    }
}

/// Runs the command; how it ended, or nothing when the client has left, and then the command is ended.
async fn command<F>(
    protocol: Protocol,
    sink: &mut (impl Sink<Message, Error = Error> + Unpin),
    stream: &mut (impl Stream<Item = Result<Message, Error>> + Unpin),
    options: ExecOptions,
    begin: impl FnOnce(ExecOptions) -> F,
) -> Option<Value>
where
    F: Future<Output = objects::Result<Execution>>,
{
    // By which a client sees that the connection stands.
    let lowest = if options.stdout {
        STDOUT
    } else if options.stderr {
        STDERR
    } else {
        ERROR
    };
    sink.send(message(lowest, &[])).await.ok()?;
    let line = options.command.clone();
    let Execution { stdin, stdout, stderr, resize, exit } = match begin(options).await {
        Ok(execution) => execution,
        Err(error) => return Some(outcome::status(&line, Err(error))),
    };
    let listening = listen(protocol, stream, stdin, resize);
    let telling = tell(sink, stdout, stderr, exit);
    pin_mut!(listening, telling);
    let ended = match future::select(telling, listening).await {
        Either::Left((ended, _)) => ended,
        Either::Right(_) => None,
    };
    ended.map(|ended| outcome::status(&line, ended))
}

/// Passes on what the client says, until it leaves.
async fn listen(
    protocol: Protocol,
    stream: &mut (impl Stream<Item = Result<Message, Error>> + Unpin),
    mut stdin: Option<Writer>,
    resize: Option<Resize>,
) {
    while let Some(Ok(message)) = stream.next().await {
        let data = match message {
            Message::Binary(data) => data,
            // As some clients send it.
            Message::Text(text) => Bytes::from(text),
            Message::Close(_) => return,
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
        };
        match protocol.said(&data) {
            Said::Stdin(data) => {
                // A command that does not read any more wants nothing of it.
                if let Some(writer) = &mut stdin
                    && writer.write_all(data).await.is_err()
                {
                    stdin = None;
                }
            }
            Said::EndOfStdin => stdin = None,
            Said::Resize(size) => {
                if let Some(resize) = &resize {
                    resize(size);
                }
            }
            Said::Nothing => {}
        }
    }
}

/// Passes on what the command says, until it has ended and all is said; nothing when the client does not hear it.
async fn tell(
    sink: &mut (impl Sink<Message, Error = Error> + Unpin),
    stdout: Option<Reader>,
    stderr: Option<Reader>,
    mut exit: futures::future::BoxFuture<'static, objects::Result<i32>>,
) -> Option<objects::Result<i32>> {
    let (mut stdout, mut stderr) = (Output::of(STDOUT, stdout), Output::of(STDERR, stderr));
    let mut alive = interval(SIGN_OF_LIFE);
    alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
    alive.reset();
    let mut ended = None;
    loop {
        if ended.is_some() && stdout.is_over() && stderr.is_over() {
            return ended;
        }
        let said = tokio::select! {
            said = stdout.next(), if !stdout.is_over() => said,
            said = stderr.next(), if !stderr.is_over() => said,
            exit = &mut exit, if ended.is_none() => {
                ended = Some(exit);
                None
            }
            () = sleep(LAST_OUTPUT_MAX), if ended.is_some() => return ended,
            _ = alive.tick() => Some(Message::Pong(Bytes::new())),
        };
        if let Some(said) = said {
            sink.send(said).await.ok()?;
        }
    }
}

/// One of a command's two streams.
struct Output {
    channel: u8,
    reader: Option<Reader>,
    chunk: Vec<u8>,
}

impl Output {
    fn of(channel: u8, reader: Option<Reader>) -> Self {
        Self { channel, chunk: vec![0; if reader.is_some() { CHUNK_BYTES } else { 0 }], reader }
    }

    fn is_over(&self) -> bool {
        self.reader.is_none()
    }

    /// What comes next; nothing at the end.
    async fn next(&mut self) -> Option<Message> {
        let reader = self.reader.as_mut()?;
        match reader.read(&mut self.chunk).await {
            Ok(read @ 1..) => Some(message(self.channel, &self.chunk[..read])),
            Ok(0) | Err(_) => {
                self.reader = None;
                None
            }
        }
    }
}

fn message(channel: u8, data: &[u8]) -> Message {
    let mut message = Vec::with_capacity(1 + data.len());
    message.push(channel);
    message.extend_from_slice(data);
    Message::Binary(message.into())
}
