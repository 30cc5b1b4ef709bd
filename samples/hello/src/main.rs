//! A small HTTP/1.1 server to deploy: the sample of the demo, the instance of the tests, and the floor of
//! the bench. It is static, listens within a millisecond of its start, and answers on one thread per
//! connection with one read and one write per request, so that what a measurement shows is the
//! platform's and not the app's.
//!
//! | request | answer |
//! |---|---|
//! | `GET /` | `Hello $TARGET!` |
//! | `GET /version` | `$VERSION` |
//! | `GET /env` | the environment as JSON |
//! | `GET /headers` | the request's headers as JSON |
//! | `GET /healthz` | 200; 503 until `$HEALTHZ_DELAY_MS` after the start |
//! | `GET /sleep?ms=N` | after N ms |
//! | `GET /stream?n=N&ms=M` | N chunks, M ms apart |
//! | `POST /echo` | the body, as it comes |
//! | `GET /concurrency?ms=N` | after N ms: the most requests ever seen at once, probes not counted |
//! | `GET /say?text=TEXT` | once the text is printed |
//! | `GET /allocate?mb=N` | once N MiB of memory were written to |
//! | `GET /crash?code=N` | none: exits with N |
//! | `GET /ws` | a WebSocket that echoes |
//!
//! Its arguments are steps that it takes before it listens (see `steps`).
//!
//! It listens on `0.0.0.0:$PORT` (8080). On SIGTERM it finishes what it is answering and exits 0; without a
//! handler, process 1 of a container would never see the signal.

#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "a sample app has the real clock and nobody to pass it")]
#![allow(clippy::print_stdout, reason = "what it prints is looked at in its log")]

mod body;
mod busy;
mod handshake;
mod json;
mod request;
mod respond;
mod routes;
mod steps;
mod websocket;

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Instant;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::busy::Busy;
use crate::request::Connection;
use crate::routes::App;
use crate::steps::STUBBORN;

/// Enough for the deepest call here; 32 connections cost no memory worth measuring.
const STACK_BYTES: usize = 128 << 10;
const PORT_DEFAULT: u16 = 8080;

static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);

fn main() -> ExitCode {
    LazyLock::force(&STARTED);
    match begin() {
        Ok(never) => match never {},
        Err(error) => {
            eprintln!("hello: {error}");
            ExitCode::FAILURE
        }
    }
}

fn begin() -> io::Result<Infallible> {
    let busy = Arc::new(Busy::default());
    exit_on_signal(Arc::clone(&busy))?;
    std::env::args().skip(1).for_each(|step| steps::take(&step));
    serve(&busy)
}

fn serve(busy: &Arc<Busy>) -> io::Result<Infallible> {
    let port = match std::env::var("PORT") {
        Ok(text) => text.parse().map_err(|e| io::Error::other(format!("PORT {text:?}: {e}")))?,
        Err(_) => PORT_DEFAULT,
    };
    // The standard library sets SO_REUSEADDR.
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))
        .map_err(|e| io::Error::new(e.kind(), format!("listening on port {port}: {e}")))?;
    let app = Arc::new(App::from_env(*STARTED));
    eprintln!("hello: listening on {}", listener.local_addr()?);
    loop {
        match listener.accept() {
            Ok((stream, _)) => spawn_connection(stream, &app, busy),
            // Out of descriptors, or the peer has gone: the next one may do.
            Err(error) => eprintln!("hello: accept: {error}"),
        }
    }
}

fn spawn_connection(stream: TcpStream, app: &Arc<App>, busy: &Arc<Busy>) {
    let (app, busy) = (Arc::clone(app), Arc::clone(busy));
    let run = move || {
        // A connection that ends in the middle is the client's affair.
        let _ = Connection::new(stream).and_then(|connection| connection.serve(&app, &busy));
    };
    if let Err(error) = thread::Builder::new().stack_size(STACK_BYTES).spawn(run) {
        eprintln!("hello: connection refused: {error}");
    }
}

fn exit_on_signal(busy: Arc<Busy>) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
        // One that is stubborn hears each of them.
        signals.forever().find(|_| !STUBBORN.load(SeqCst));
        busy.drain();
        std::process::exit(0)
    })?;
    Ok(())
}
