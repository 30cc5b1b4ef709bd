//! Answers.

use std::sync::Arc;

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

/// The text of a long answer, which goes out in pieces.
#[derive(Default)]
pub(crate) struct Pieces {
    whole: Vec<Bytes>,
    last: BytesMut,
}

impl Pieces {
    pub(crate) fn push(&mut self, text: &[u8]) {
        self.last.extend_from_slice(text);
        if self.last.len() >= PIECE_BYTES {
            self.whole.push(self.last.split().freeze());
        }
    }

    fn into_response(mut self) -> Response<Body> {
        if self.whole.is_empty() {
            return json(StatusCode::OK, self.last.freeze());
        }
        self.whole.push(self.last.freeze());
        let frames = stream::iter(self.whole.into_iter().map(|bytes| Ok(Frame::data(bytes))));
        whole(respond(StatusCode::OK, "application/json", StreamBody::new(frames).boxed_unsync()))
    }
}

/// Objects written before others get their turn.
pub(crate) const WRITTEN_AT_ONCE: usize = 256;

/// An answer that is a list: `head`, an object, with the list as its last field. `write` writes one item. Others get their
/// turn meanwhile.
pub(crate) async fn list(
    head: &Value,
    field: &str,
    items: &[Arc<Stored>],
    mut write: impl FnMut(&Stored, &mut Pieces) -> Result<(), Failure>,
) -> Result<Response<Body>, Failure> {
    let head = head.to_string();
    let mut pieces = Pieces::default();
    // The items go in before the closing brace.
    pieces.push(format!("{},\"{field}\":[", &head[..head.len() - 1]).as_bytes());
    for (at, stored) in items.iter().enumerate() {
        if at > 0 {
            pieces.push(b",");
        }
        if at > 0 && at % WRITTEN_AT_ONCE == 0 {
            tokio::task::yield_now().await;
        }
        write(stored, &mut pieces)?;
    }
    pieces.push(b"]}");
    Ok(pieces.into_response())
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
    if failure.before_routing {
        let nosniff = HeaderValue::from_static("nosniff");
        response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    }
    if let Some(seconds) = failure.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// How long the warnings of one answer may be in all, in characters, and how long each is where they are longer (upstream:
/// apiserver, `filters/warning.go`).
const WARNINGS_CHARS_MAX: usize = 4 << 10;
const WARNING_CHARS_MAX: usize = 256;

/// Adds `Warning` headers (upstream: apimachinery, `util/net.NewWarningHeader`).
pub(super) fn warn(mut response: Response<Body>, warnings: &[String]) -> Response<Body> {
    let there = response.headers().get_all(header::WARNING).iter().map(HeaderValue::len).sum::<usize>();
    let room = WARNINGS_CHARS_MAX.saturating_sub(there);
    for warning in within(room, warnings) {
        // A header has no room for line breaks and the like.
        let text = warning.replace(char::is_control, " ").replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(header) = HeaderValue::from_bytes(format!("299 - \"{text}\"").as_bytes()) {
            response.headers_mut().append(header::WARNING, header);
        }
    }
    response
}

/// The warnings that fit into so many characters; if not all do, all are shortened.
fn within(room: usize, warnings: &[String]) -> Vec<&str> {
    let chars = |text: &str| text.chars().count();
    let cut =
        if warnings.iter().map(|text| chars(text)).sum::<usize>() > room { WARNING_CHARS_MAX } else { room };
    let shortened = warnings.iter().map(|text| match text.char_indices().nth(cut) {
        Some((end, _)) => &text[..end],
        None => text.as_str(),
    });
    let mut left = room;
    let fitting = shortened.map_while(|text| {
        left = left.checked_sub(chars(text))?;
        Some(text)
    });
    fitting.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warned(warnings: &[&str]) -> Vec<String> {
        let warnings: Vec<String> = warnings.iter().map(|text| (*text).to_owned()).collect();
        let response = warn(nothing(), &warnings);
        let values = response.headers().get_all(header::WARNING).iter();
        values.map(|value| String::from_utf8(value.as_bytes().to_vec()).unwrap()).collect()
    }

    #[test]
    fn warnings_are_whole_as_long_as_there_is_room() {
        let long = "é".repeat(300);
        assert_eq!(
            warned(&["a \"b\"\nc", &long]),
            ["299 - \"a \\\"b\\\" c\"".to_owned(), format!("299 - \"{long}\"")]
        );
        let many = vec![long.as_str(); 1000];
        let short = format!("299 - \"{}\"", "é".repeat(WARNING_CHARS_MAX));
        assert_eq!(warned(&many), vec![short; WARNINGS_CHARS_MAX / WARNING_CHARS_MAX]);
    }
}
