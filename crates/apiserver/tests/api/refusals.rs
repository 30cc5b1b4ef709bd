//! Refusals: each is a `metav1.Status` that arrives, however the request was sent.

use std::time::Duration;

use apiserver::Limits;
use bytes::Bytes;
use h2::Reason;

use crate::rig::{Rig, When};

/// What the servers of these tests take as a body.
const BODY_BYTES_MAX: usize = 256 << 10;
const CMS: &str = "/api/v1/namespaces/default/configmaps";

/// A call with a body that is not wanted, and the code and reason of its answer.
struct Refusal {
    call: (&'static str, &'static str),
    content_type: &'static str,
    body: String,
    answer: (u16, &'static str),
}

fn refusals() -> Vec<Refusal> {
    let refusal = |method, path, content_type, body: &str, code, reason| Refusal {
        call: (method, path),
        content_type,
        body: body.to_owned(),
        answer: (code, reason),
    };
    const JSON: &str = "application/json";
    const EXEC: &str = "/api/v1/namespaces/default/pods/p/exec?command=true";
    let long = format!(r#"{{"metadata":{{"name":"a"}},"data":{{"k":"{}"}}}}"#, "x".repeat(BODY_BYTES_MAX));
    vec![
        refusal("POST", EXEC, JSON, "{}", 501, "NotImplemented"),
        refusal("POST", CMS, JSON, &long, 413, "RequestEntityTooLarge"),
        refusal("POST", CMS, "text/plain", "words", 415, "UnsupportedMediaType"),
        refusal("PUT", CMS, JSON, "{}", 405, "MethodNotAllowed"),
        refusal("POST", "/api/v1/namespaces/default/nothings", JSON, "{}", 404, "NotFound"),
        refusal(
            "PATCH",
            "/api/v1/namespaces/default/configmaps/a",
            "application/x",
            "{}",
            415,
            "UnsupportedMediaType",
        ),
        refusal(
            "POST",
            "/api/v1/namespaces/default/configmaps?fieldValidation=Maybe",
            JSON,
            "{}",
            422,
            "Invalid",
        ),
        refusal("POST", "/apis", JSON, "{}", 405, "MethodNotAllowed"),
    ]
}

#[tokio::test]
async fn a_refusal_arrives_whenever_the_body_is_sent() {
    const TIMES: usize = 20;
    let rig = Rig::with_limits(Limits { body_bytes_max: BODY_BYTES_MAX, ..Limits::default() }).await;
    let http2 = rig.http2().await;
    for Refusal { call, content_type, body, answer } in refusals() {
        let headers = [("content-type", content_type)];
        let bytes = Bytes::from(body.clone());
        for round in 0..TIMES {
            for when in [When::Meanwhile, When::After] {
                let (found, sent) = http2.call(call, &headers, bytes.clone(), when).await;
                let reason = found.json["reason"].as_str().unwrap_or_default();
                assert_eq!((found.code, reason), answer, "{call:?} {when:?} {round}: {}", found.text);
                assert_eq!(sent, Ok(()), "{call:?} {when:?} {round}: the rest of the body is not taken");
            }
        }
        let found = rig.call(call.0, call.1, &headers, &body).await;
        let reason = found.json["reason"].as_str().unwrap_or_default();
        assert_eq!((found.code, reason), answer, "{call:?} over HTTP/1.1: {}", found.text);
    }
}

#[tokio::test]
async fn what_is_taken_of_a_refused_body_is_bounded() {
    let exec = ("POST", "/api/v1/namespaces/default/pods/p/exec");
    let limits = Limits { unread_timeout: Duration::from_millis(50), ..Limits::default() };
    let rig = Rig::with_limits(limits).await;
    let (answer, sent) = rig.http2().await.call(exec, &[], "{}".into(), When::Never).await;
    assert_eq!((answer.code, sent), (501, Err(Reason::NO_ERROR)), "it does not come in time");

    let rig = Rig::with_limits(Limits { unread_bytes_max: 1 << 20, ..Limits::default() }).await;
    let http2 = rig.http2().await;
    for (length, expect) in [(1 << 20, Ok(())), (4 << 20, Err(Reason::NO_ERROR))] {
        let body = Bytes::from(vec![b'x'; length]);
        let (answer, sent) = http2.call(exec, &[], body, When::Meanwhile).await;
        assert_eq!((answer.code, sent), (501, expect), "{length} bytes");
    }
}
