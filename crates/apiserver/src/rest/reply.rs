//! Answers.

use bytes::{Bytes, BytesMut};
use futures::stream;
use http::{HeaderValue, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use serde_json::Value;

use crate::{
    mount::{Body, full},
    status::Failure,
    store::Stored,
    table,
};

use super::{Form, call::Call, encoding::Whole, partial};

/// Bytes of one piece of a long answer.
const PIECE_BYTES: usize = 64 << 10;

/// An answer of JSON text.
pub(crate) fn json(code: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    whole(respond(code, "application/json", full(text)))
}

/// An answer of a JSON tree.
pub(crate) fn value(code: StatusCode, value: &Value) -> Response<Body> {
    json(code, value.to_string())
}

/// An answer of plain text.
pub(crate) fn text(code: StatusCode, text: String) -> Response<Body> {
    let mut response = respond(code, "text/plain; charset=utf-8", full(text));
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// An answer that goes out in pieces.
pub(crate) fn pieces(pieces: Vec<Bytes>) -> Response<Body> {
    let mut joined = Vec::new();
    let mut piece = BytesMut::new();
    for part in pieces {
        piece.extend_from_slice(&part);
        if piece.len() >= PIECE_BYTES {
            joined.push(piece.split().freeze());
        }
    }
    if joined.is_empty() {
        return json(StatusCode::OK, piece.freeze());
    }
    joined.push(piece.freeze());
    let frames = stream::iter(joined.into_iter().map(|bytes| Ok(Frame::data(bytes))));
    whole(respond(StatusCode::OK, "application/json", StreamBody::new(frames).boxed_unsync()))
}

fn whole(mut response: Response<Body>) -> Response<Body> {
    response.extensions_mut().insert(Whole);
    response
}

/// An answer without a body.
pub(super) fn nothing() -> Response<Body> {
    let mut response = respond(StatusCode::NO_CONTENT, "text/plain", full(""));
    response.headers_mut().remove(header::CONTENT_TYPE);
    response
}

/// An answer with this body.
pub(crate) fn respond(code: StatusCode, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response
}

/// One object, in the form the client wants.
pub(super) fn object(
    call: &Call,
    code: StatusCode,
    stored: &Stored,
    form: &Form,
) -> Result<Response<Body>, Failure> {
    let response = match form {
        Form::Table(form) => {
            let table = table::of_object(call.columns(), stored, *form, call.now())?;
            value(code, &table)
        }
        Form::Partial { list } => value(code, &partial::of_object(stored, *list)?),
        Form::Object | Form::Discovery(_) => json(code, stored.json()),
    };
    Ok(warn(response, &call.deprecation()))
}

/// A failure as a `metav1.Status`.
pub(super) fn failure(failure: &Failure) -> Response<Body> {
    if let Some(plain) = failure.plain {
        return text(failure.code, plain.to_owned());
    }
    let mut response = value(failure.code, &failure.to_status());
    if failure.unasked {
        let nosniff = HeaderValue::from_static("nosniff");
        response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    }
    if let Some(seconds) = failure.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Adds `Warning` headers (upstream: apimachinery, `util/net.NewWarningHeader`).
pub(super) fn warn(mut response: Response<Body>, warnings: &[String]) -> Response<Body> {
    for warning in warnings {
        let quoted = warning.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(header) = HeaderValue::from_str(&format!("299 - \"{quoted}\"")) {
            response.headers_mut().append(header::WARNING, header);
        }
    }
    response
}
