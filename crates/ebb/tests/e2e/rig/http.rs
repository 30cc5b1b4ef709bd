//! HTTP by hand: what goes over the wire is what the test says.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Calls `url`, whatever its host resolves to, at this address.
pub(crate) fn get(address: SocketAddr, url: &str) -> Answer {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) =
        rest.split_once('/').map_or((rest, String::new()), |(host, path)| (host, path.to_owned()));
    send(address, &format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))
}

/// A request that has been sent to a platform which may end meanwhile.
pub(crate) struct Asked(TcpStream);

/// Asks for `/` on a connection of its own; says what went wrong, if anything did.
pub(crate) fn ask(address: SocketAddr, host: &str) -> Result<Asked, String> {
    let mut stream = TcpStream::connect(address).map_err(|error| format!("connecting: {error}"))?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
    Ok(Asked(stream))
}

impl Asked {
    /// Waits for the sample's greeting; says what came instead.
    pub(crate) fn answer(mut self) -> Result<(), String> {
        let mut text = String::new();
        let read = self.0.read_to_string(&mut text);
        read.map_err(|error| format!("{error} after {text:?}"))?;
        if text.starts_with("HTTP/1.1 200 ") && text.contains("Hello") { Ok(()) } else { Err(text) }
    }
}

/// A request that is in hand for as long as the last byte of its body is kept back.
pub(crate) struct Held(TcpStream);

impl Held {
    /// Asks for `/` on a connection of its own.
    pub(crate) fn begin(address: SocketAddr, host: &str) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let head =
            format!("POST / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 2\r\n\r\n");
        stream.write_all(format!("{head}.").as_bytes()).unwrap();
        Self(stream)
    }

    /// Sends the last byte, and waits for the sample's greeting; says what came instead.
    pub(crate) fn finish(mut self) -> Result<(), String> {
        self.0.write_all(b".").map_err(|error| error.to_string())?;
        Asked(self.0).answer()
    }
}

/// Sends a request as it is, and reads the answer to the end of the connection.
pub(crate) fn send(address: SocketAddr, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    Answer { status, head: head.to_owned(), body: if chunked { unchunk(body) } else { body.to_owned() } }
}

fn unchunk(mut text: &str) -> String {
    let mut out = String::new();
    while let Some((size, rest)) = text.split_once("\r\n") {
        let Some(size) = usize::from_str_radix(size, 16).ok().filter(|size| *size > 0) else { break };
        out.push_str(rest.get(..size).unwrap_or(rest));
        text = rest.get(size + 2..).unwrap_or("");
    }
    out
}
