//! From a request to a WebSocket (RFC 6455, 4.2), with one of Kubernetes' protocols for commands in it.

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};

use super::channels::Protocol;
use crate::{
    mount::{Body, full},
    status::Failure,
};

/// What every WebSocket's key is hashed with.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// What a client and this server agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Handshake {
    pub(super) protocol: Protocol,
    /// What shows the client that it is a WebSocket that answers.
    accept: String,
}

impl Handshake {
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Failure> {
        if !words(headers, header::CONNECTION).any(|word| word.eq_ignore_ascii_case("upgrade")) {
            return Err(required());
        }
        let upgrades: Vec<&str> = words(headers, header::UPGRADE).collect();
        if !upgrades.iter().any(|word| word.eq_ignore_ascii_case("websocket")) {
            let wanted = upgrades.join(", ");
            return Err(Failure::bad_request(format!(
                "unable to upgrade to {wanted:?}: this version of Ebb runs commands over WebSocket alone, with the protocol \
                 v5.channel.k8s.io or v4.channel.k8s.io; use a client that speaks one of them, as kubectl does from 1.31 on"
            )));
        }
        if !words(headers, header::SEC_WEBSOCKET_VERSION).any(|version| version == "13") {
            return Err(Failure::bad_request("unable to upgrade: Sec-WebSocket-Version must be 13"));
        }
        let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|key| !key.is_empty());
        let key =
            key.ok_or_else(|| Failure::bad_request("unable to upgrade: Sec-WebSocket-Key is missing"))?;
        let asked: Vec<&str> = words(headers, header::SEC_WEBSOCKET_PROTOCOL).collect();
        // The client's first choice that there is (upstream: apimachinery, wsstream).
        let protocol = asked.iter().find_map(|name| Protocol::named(name)).ok_or_else(|| {
            let known = Protocol::ALL.map(Protocol::name).join(" ");
            let asked = asked.join(" ");
            Failure::bad_request(format!(
                "requested protocol(s) are not supported: [{asked}]; supports [{known}]"
            ))
        })?;
        Ok(Self { protocol, accept: accept(key.as_bytes()) })
    }

    /// The answer with which the connection becomes one.
    pub(super) fn response(&self) -> Response<Body> {
        let mut response = Response::new(full(""));
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let mut set = |name: HeaderName, value: Option<HeaderValue>| {
            value.and_then(|value| response.headers_mut().insert(name, value))
        };
        set(header::CONNECTION, Some(HeaderValue::from_static("Upgrade")));
        set(header::UPGRADE, Some(HeaderValue::from_static("websocket")));
        set(header::SEC_WEBSOCKET_PROTOCOL, Some(HeaderValue::from_static(self.protocol.name())));
        set(header::SEC_WEBSOCKET_ACCEPT, HeaderValue::from_str(&self.accept).ok());
        response
    }
}

/// What is said to a request that could not become anything else.
pub(super) fn required() -> Failure {
    Failure::bad_request("Upgrade request required")
}

/// What shows that the key was understood. The hash is no secret, and protects nothing.
fn accept(key: &[u8]) -> String {
    let mut hashed = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    [key, GUID].into_iter().for_each(|part| hashed.update(part));
    BASE64_STANDARD.encode(hashed.finish())
}

/// The parts of a header between its commas.
fn words(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_a_key_is_the_standards() {
        assert_eq!(accept(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "RFC 6455, 1.3");
    }
}
