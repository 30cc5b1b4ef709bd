//! Answers, each written at once.

use std::fmt::Write as _;
use std::io::{self, Write};

pub(crate) struct Status(&'static str);

impl Status {
    pub(crate) const OK: Status = Status("200 OK");
    pub(crate) const BAD_REQUEST: Status = Status("400 Bad Request");
    pub(crate) const NOT_FOUND: Status = Status("404 Not Found");
    pub(crate) const METHOD_NOT_ALLOWED: Status = Status("405 Method Not Allowed");
    pub(crate) const UNAVAILABLE: Status = Status("503 Service Unavailable");

    /// With text, and its length said.
    pub(crate) fn respond(&self, out: &mut impl Write, keep_alive: bool, body: &str) -> io::Result<()> {
        self.respond_as("text/plain; charset=utf-8", out, keep_alive, body)
    }

    pub(crate) fn respond_json(&self, out: &mut impl Write, keep_alive: bool, body: &str) -> io::Result<()> {
        self.respond_as("application/json", out, keep_alive, body)
    }

    fn respond_as(&self, kind: &str, out: &mut impl Write, keep_alive: bool, body: &str) -> io::Result<()> {
        let mut answer = String::with_capacity(128 + body.len());
        let close = if keep_alive { "" } else { "connection: close\r\n" };
        let status = self.0;
        let _ = write!(
            answer,
            "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n{close}\r\n{body}",
            body.len()
        );
        out.write_all(answer.as_bytes())
    }
}

/// A body whose length is not known: chunks, until `finish`.
pub(crate) struct Chunks<W: Write> {
    out: W,
}

impl<W: Write> Chunks<W> {
    pub(crate) fn begin(mut out: W, kind: &str, keep_alive: bool) -> io::Result<Self> {
        let close = if keep_alive { "" } else { "connection: close\r\n" };
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n{close}\r\n");
        out.write_all(head.as_bytes())?;
        Ok(Chunks { out })
    }

    pub(crate) fn chunk(&mut self, data: &[u8]) -> io::Result<()> {
        let mut chunk = format!("{:x}\r\n", data.len()).into_bytes();
        chunk.extend_from_slice(data);
        chunk.extend_from_slice(b"\r\n");
        self.out.write_all(&chunk)
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.out.write_all(b"0\r\n\r\n")
    }
}
