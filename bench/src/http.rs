//! Requests by blocking sockets, so that what is timed is the server and not a client's machinery.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

/// The longest that an answer may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The longest head or body that an answer of the sample has.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// A connection that is kept.
pub(crate) struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    buffer: Vec<u8>,
}

/// What came back, and when.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    /// From before the request was sent until its first byte was here.
    pub(crate) first_byte: Duration,
}

impl Connection {
    /// Connects for requests of this path of this host.
    pub(crate) fn open(address: SocketAddr, host: &str, path: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("connecting to {address}"))?;
        Self::over(stream, host, path)
    }

    pub(crate) fn over(stream: TcpStream, host: &str, path: &str) -> Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        let request = request(host, path);
        Ok(Self { stream, request, buffer: vec![0; ANSWER_BYTES_MAX] })
    }

    /// Sends the request and reads the answer to its end.
    pub(crate) fn call(&mut self) -> Result<Answer> {
        let sent = Instant::now();
        self.stream.write_all(&self.request).context("sending a request")?;
        let mut filled = 0;
        let mut first_byte = Duration::ZERO;
        let (head, length) = loop {
            filled += self.read(filled)?;
            if first_byte.is_zero() {
                first_byte = sent.elapsed();
            }
            if let Some(at) = self.buffer[..filled].windows(4).position(|window| window == b"\r\n\r\n") {
                let head = std::str::from_utf8(&self.buffer[..at]).context("an answer's head is not text")?;
                break (head.to_owned(), at + 4 + content_length(head)?);
            }
        };
        ensure!(length <= ANSWER_BYTES_MAX, "an answer of {length} bytes, {ANSWER_BYTES_MAX} at most");
        while filled < length {
            filled += self.read(filled)?;
        }
        Ok(Answer { status: status(&head), head, first_byte })
    }

    fn read(&mut self, filled: usize) -> Result<usize> {
        let read = self.stream.read(&mut self.buffer[filled..]).context("reading an answer")?;
        ensure!(read > 0, "the connection ended within an answer");
        Ok(read)
    }
}

impl Answer {
    /// A header's value, by its name in any case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// Refuses what is no success.
    pub(crate) fn ok(self) -> Result<Self> {
        if self.status != 200 {
            bail!("a request was answered {}", self.head.lines().next().unwrap_or_default());
        }
        Ok(self)
    }
}

/// The bytes of a request.
pub(crate) fn request(host: &str, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes()
}

/// One request over a new connection; the time runs from before it connects.
pub(crate) fn get(address: SocketAddr, host: &str, path: &str) -> Result<Answer> {
    let began = Instant::now();
    let mut connection = Connection::open(address, host, path)?;
    let connected = began.elapsed();
    let answer = connection.call()?.ok()?;
    Ok(Answer { first_byte: connected + answer.first_byte, ..answer })
}

fn status(head: &str) -> u16 {
    head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

fn content_length(head: &str) -> Result<usize> {
    let length = header(head, "content-length").context("an answer without content-length")?;
    length.parse().with_context(|| format!("content-length: {length:?}"))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn answers_in_pieces() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            for _ in 0..2 {
                let mut request = [0; 1024];
                let read = stream.read(&mut request).unwrap();
                assert_eq!(&request[..read], b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
                for piece in ["HTTP/1.1 200 OK\r\nConte", "nt-Length: 4\r\n\r", "\nab", "cd"] {
                    stream.write_all(piece.as_bytes()).unwrap();
                }
            }
        });
        let mut connection = Connection::open(address, "h", "/a").unwrap();
        for _ in 0..2 {
            let answer = connection.call().unwrap();
            assert_eq!((answer.status, answer.header("content-length")), (200, Some("4")));
        }
        server.join().unwrap();
        assert!(connection.call().is_err());
    }
}
