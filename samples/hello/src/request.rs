//! One connection: requests in, one after the other.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;

use crate::body::Length;
use crate::busy::Busy;
use crate::respond::Status;
use crate::routes::App;

const HEAD_BYTES_MAX: usize = 64 << 10;
const READ_BYTES: usize = 16 << 10;

/// A socket, and what was read from it but not yet used.
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    pub(crate) buffer: Vec<u8>,
}

pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Length,
    pub(crate) keep_alive: bool,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Connection { stream, buffer: Vec::with_capacity(READ_BYTES) })
    }

    /// Answers until the peer is done.
    pub(crate) fn serve(mut self, app: &App, busy: &Busy) -> io::Result<()> {
        loop {
            let Some(head) = self.read_head()? else { return Ok(()) };
            let Some(mut request) = Request::parse(&head) else {
                return Status::BAD_REQUEST.respond(&mut self.stream, false, "bad request\n");
            };
            let _guard = busy.enter(request.path == "/healthz");
            request.keep_alive &= !busy.is_draining();
            if request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
                self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            }
            let keep_alive = request.keep_alive;
            app.answer(request, &mut self, busy)?;
            if !keep_alive {
                return Ok(());
            }
        }
    }

    /// The bytes up to and with the empty line; `None` when the peer closed between requests.
    fn read_head(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut searched = 0;
        loop {
            if let Some(at) = find(&self.buffer[searched..], b"\r\n\r\n") {
                let rest = self.buffer.split_off(searched + at + 4);
                return Ok(Some(std::mem::replace(&mut self.buffer, rest)));
            }
            searched = self.buffer.len().saturating_sub(3);
            if self.buffer.len() > HEAD_BYTES_MAX {
                return Err(ErrorKind::InvalidData.into());
            }
            if self.fill()? == 0 {
                return if self.buffer.is_empty() { Ok(None) } else { Err(ErrorKind::UnexpectedEof.into()) };
            }
        }
    }

    /// Reads what there is into the buffer.
    pub(crate) fn fill(&mut self) -> io::Result<usize> {
        let filled = self.buffer.len();
        self.buffer.resize(filled + READ_BYTES, 0);
        let read = self.stream.read(&mut self.buffer[filled..]);
        self.buffer.truncate(filled + *read.as_ref().unwrap_or(&0));
        read
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

impl Request {
    pub(crate) fn parse(head: &[u8]) -> Option<Request> {
        let mut lines = std::str::from_utf8(head).ok()?.split("\r\n");
        let mut parts = lines.next()?.split(' ');
        let (method, target, version) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || !version.starts_with("HTTP/1.") {
            return None;
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = Vec::new();
        for line in lines.take_while(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':')?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: Length::None,
            keep_alive: true,
        };
        request.body = Length::of(&request)?;
        request.keep_alive = match request.header("connection") {
            Some(value) if value.eq_ignore_ascii_case("close") => false,
            Some(value) if value.eq_ignore_ascii_case("keep-alive") => true,
            _ => version != "HTTP/1.0",
        };
        Some(request)
    }

    /// By its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// A number of the query; `default` when it is missing or not one.
    pub(crate) fn number(&self, name: &str, default: u64) -> u64 {
        self.values(name).find_map(|value| value.parse().ok()).unwrap_or(default)
    }

    /// A text of the query, as it stands there; empty when it is missing.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.values(name).next().unwrap_or_default()
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(move |(key, _)| *key == name).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::{Length, Request};

    #[test]
    fn heads_are_parsed() {
        type Parsed = (&'static str, &'static str, Length, bool);
        let cases: [(&str, Option<Parsed>); 9] = [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", Some(("GET", "/", Length::None, true))),
            ("GET /a?b=1 HTTP/1.0\r\n\r\n", Some(("GET", "/a", Length::None, false))),
            ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", Some(("GET", "/", Length::None, true))),
            ("POST /e HTTP/1.1\r\ncontent-length: 5\r\n\r\n", Some(("POST", "/e", Length::Fixed(5), true))),
            (
                "POST /e HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
                Some(("POST", "/e", Length::Chunked, false)),
            ),
            ("POST /e HTTP/1.1\r\ncontent-length: x\r\n\r\n", None),
            ("GET / HTTP/2.0\r\n\r\n", None),
            ("GET /\r\n\r\n", None),
            ("GET / HTTP/1.1\r\nno colon\r\n\r\n", None),
        ];
        for (head, expect) in cases {
            let parsed = Request::parse(head.as_bytes());
            let got = parsed.as_ref().map(|r| (r.method.as_str(), r.path.as_str(), r.body, r.keep_alive));
            assert_eq!(got, expect, "{head:?}");
        }
    }
}
