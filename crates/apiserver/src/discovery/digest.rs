//! Documents that are told by a digest of what is in them, so that clients need not read again what they know.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use sha2::{Digest, Sha512};

use crate::{
    mount::{Body, full},
    rest::reply,
};

pub(super) const JSON: &str = "application/json";

/// How long a document may be kept that has its digest in its address: a year.
const FOREVER: &str = "public, immutable, max-age=31536000";

/// The digest of a text, as upstream writes it.
pub(super) fn of(text: &[u8]) -> String {
    Sha512::digest(text).iter().map(|byte| format!("{byte:02X}")).collect()
}

fn quoted(digest: &str) -> String {
    format!("\"{digest}\"")
}

/// An answer of a text with its digest; to who has it already, that it is the same.
pub(super) fn answer(
    headers: &HeaderMap,
    content_type: &'static str,
    text: impl Into<Bytes>,
) -> Response<Body> {
    let text = text.into();
    let digest = of(&text);
    answer_known(headers, content_type, text, &digest)
}

/// As [`answer`], of a text whose digest is known.
pub(super) fn answer_known(
    headers: &HeaderMap,
    content_type: &'static str,
    text: Bytes,
    digest: &str,
) -> Response<Body> {
    let tag = quoted(digest);
    let wanted = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let is_known = wanted.flat_map(|value| value.split(',')).any(|known| known.trim() == tag);
    let mut response = match is_known {
        true => {
            let mut response = reply::respond(StatusCode::NOT_MODIFIED, content_type, full(""));
            response.headers_mut().remove(header::CONTENT_TYPE);
            response
        }
        false if content_type == JSON => reply::json(StatusCode::OK, text),
        false => reply::respond(StatusCode::OK, content_type, full(text)),
    };
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public"));
    response
}

/// The same of a document that was asked for by this digest: if it is its own, it never changes.
pub(super) fn lasting(mut response: Response<Body>, asked: Option<&str>) -> Response<Body> {
    let headers = response.headers_mut();
    if asked.is_some_and(|asked| headers.get(header::ETAG).is_some_and(|own| own == &quoted(asked))) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(FOREVER));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_knows_a_document_is_not_sent_it_again() {
        let first = answer(&HeaderMap::new(), JSON, "{}");
        assert_eq!(
            (first.status(), &first.headers()[header::VARY]),
            (StatusCode::OK, &HeaderValue::from_static("Accept"))
        );
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(answer(&headers, JSON, "{}").status(), StatusCode::NOT_MODIFIED);
        assert_eq!(answer(&headers, JSON, "[]").status(), StatusCode::OK);
        let own = of(b"[]");
        let kept = |asked: Option<&str>| {
            let answered = lasting(answer(&headers, JSON, "[]"), asked);
            answered.headers()[header::CACHE_CONTROL] == FOREVER
        };
        assert!(kept(Some(&own)) && !kept(Some("old")) && !kept(None));
    }
}
