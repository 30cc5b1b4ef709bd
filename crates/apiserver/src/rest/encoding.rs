//! How an answer goes over the wire: as YAML for who asks for it, compressed when it is long.

use std::io::Write;

use bytes::{Buf, Bytes};
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body_util::BodyExt;
use serde_json::Value;

use super::{
    Query,
    accept::{Media, negotiate},
};
use crate::{
    aside::aside,
    mount::{Body, full},
};

/// Answers from this length on are compressed for who can read that (upstream: apiserver, `responsewriters`).
const COMPRESSED_BYTES_MIN: usize = 128 << 10;

/// Says of an answer that all of it is there, as JSON, and may be encoded otherwise. What comes piece by piece, as
/// watches and logs, is not.
#[derive(Clone, Copy)]
pub(super) struct Whole;

/// What a client wants answers encoded as.
#[derive(Clone, Copy, Debug)]
pub(super) struct Encoding {
    media: Media,
    gzip: bool,
}

impl Encoding {
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        let headers = request.headers();
        // Who asks for nothing that there is, is told so in JSON.
        let accepted = negotiate(headers, &Query::parse(request.uri().query()));
        Self { media: accepted.map_or(Media::Json, |(_, media)| media), gzip: takes_gzip(headers) }
    }

    /// Encodes an answer.
    pub(super) async fn apply(self, mut response: Response<Body>) -> Response<Body> {
        if response.extensions_mut().remove::<Whole>().is_none() || !self.changes(&response) {
            return response;
        }
        let (mut parts, body) = response.into_parts();
        // What is there has no error, and there is nothing to wait for.
        let Ok(body) = body.collect().await else { return internal() };
        let mut body = body.aggregate();
        let length = body.remaining();
        let encoded = aside(length, || {
            let text = match self.media {
                Media::Json => None,
                Media::Yaml => {
                    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/yaml"));
                    Some(Bytes::from(yaml(&body.copy_to_bytes(length))?))
                }
            };
            let length = text.as_ref().map_or(length, Bytes::len);
            if !self.gzip || length < COMPRESSED_BYTES_MIN {
                return Some(text.unwrap_or_else(|| body.copy_to_bytes(length)));
            }
            parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            parts.headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
            match text {
                Some(text) => compressed(text),
                None => compressed(body),
            }
        })
        .await;
        encoded.map_or_else(internal, |encoded| Response::from_parts(parts, full(encoded)))
    }

    /// Whether there may be anything to do.
    fn changes(self, response: &Response<Body>) -> bool {
        use http_body::Body;
        let is_short =
            response.body().size_hint().exact().is_some_and(|exact| exact < COMPRESSED_BYTES_MIN as u64);
        self.media == Media::Yaml || self.gzip && !is_short
    }
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = quality.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

fn yaml(json: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(json).ok()?;
    serde_saphyr::to_string(&value).ok()
}

/// At the level that costs least: most clients are near.
fn compressed(mut text: impl Buf) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    while text.has_remaining() {
        let chunk = text.chunk();
        encoder.write_all(chunk).ok()?;
        let length = chunk.len();
        text.advance(length);
    }
    encoder.finish().ok().map(Bytes::from)
}

fn internal() -> Response<Body> {
    super::reply::failure(&crate::status::Failure::untyped("the answer could not be encoded"))
}
