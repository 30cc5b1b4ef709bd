//! What each path answers.

use std::io;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::body;
use crate::busy::Busy;
use crate::json;
use crate::request::{Connection, Request};
use crate::respond::{Chunks, Status};
use crate::websocket;

const STREAM_CHUNKS_DEFAULT: u64 = 3;

/// The app's settings, read once.
pub(crate) struct App {
    greeting: String,
    version: String,
    healthy_at: Instant,
}

impl App {
    pub(crate) fn from_env(started: Instant) -> App {
        let env = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
        let delay_ms = env("HEALTHZ_DELAY_MS", "0").parse().unwrap_or(0);
        App {
            greeting: format!("Hello {}!\n", env("TARGET", "World")),
            version: format!("{}\n", env("VERSION", "")),
            healthy_at: started + Duration::from_millis(delay_ms),
        }
    }

    pub(crate) fn answer(
        &self,
        request: Request,
        connection: &mut Connection,
        busy: &Busy,
    ) -> io::Result<()> {
        let keep_alive = request.keep_alive;
        if request.path == "/echo" {
            return echo(&request, connection);
        }
        if request.path == "/ws" {
            return websocket::serve(&request, connection);
        }
        // Nothing else wants a body, but the next request comes after it.
        body::read(connection, request.body, |_, _| Ok(()))?;
        let out = &mut connection.stream;
        let pause = || sleep(Duration::from_millis(request.number("ms", 0)));
        match request.path.as_str() {
            "/" => Status::OK.respond(out, keep_alive, &self.greeting),
            "/version" => Status::OK.respond(out, keep_alive, &self.version),
            "/env" => {
                let env: Vec<(String, String)> = std::env::vars_os()
                    .map(|(k, v)| (k.to_string_lossy().into_owned(), v.to_string_lossy().into_owned()))
                    .collect();
                let pairs = env.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                Status::OK.respond_json(out, keep_alive, &json::object(pairs))
            }
            "/headers" => {
                let pairs = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                Status::OK.respond_json(out, keep_alive, &json::object(pairs))
            }
            "/healthz" if Instant::now() < self.healthy_at => {
                Status::UNAVAILABLE.respond(out, keep_alive, "starting\n")
            }
            "/healthz" => Status::OK.respond(out, keep_alive, "ok\n"),
            "/sleep" => {
                pause();
                Status::OK.respond(out, keep_alive, "slept\n")
            }
            "/concurrency" => {
                pause();
                Status::OK.respond(out, keep_alive, &format!("{}\n", busy.max()))
            }
            "/stream" => {
                let mut chunks = Chunks::begin(out, "text/plain; charset=utf-8", keep_alive)?;
                for number in 0..request.number("n", STREAM_CHUNKS_DEFAULT) {
                    if number > 0 {
                        pause();
                    }
                    chunks.chunk(format!("chunk {number}\n").as_bytes())?;
                }
                chunks.finish()
            }
            "/say" => {
                println!("{}", request.text("text"));
                Status::OK.respond(out, keep_alive, "said\n")
            }
            "/allocate" => {
                let bytes = usize::try_from(request.number("mb", 1) << 20).unwrap_or(usize::MAX);
                // Written to, or the kernel only promises it.
                std::hint::black_box(vec![1u8; bytes]);
                Status::OK.respond(out, keep_alive, "allocated\n")
            }
            "/crash" => std::process::exit(i32::try_from(request.number("code", 1)).unwrap_or(1)),
            _ => Status::NOT_FOUND.respond(out, keep_alive, "no such path\n"),
        }
    }
}

fn echo(request: &Request, connection: &mut Connection) -> io::Result<()> {
    let out = connection.stream.try_clone()?;
    if request.method != "POST" {
        body::read(connection, request.body, |_, _| Ok(()))?;
        return Status::METHOD_NOT_ALLOWED.respond(&mut { out }, request.keep_alive, "POST a body\n");
    }
    let kind = request.header("content-type").unwrap_or("application/octet-stream");
    let mut chunks = Chunks::begin(out, kind, request.keep_alive)?;
    body::read(connection, request.body, |_, piece| chunks.chunk(piece))?;
    chunks.finish()
}
