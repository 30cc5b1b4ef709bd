use resources::{
    Object,
    builtin::{ConfigMap, Lease, Namespace},
    serving::Revision,
};
use serde_json::{Value, json};

use super::*;

fn check(kind: &'static Kind, code: u16, body: Value, expect: &Error) {
    let error = Status::read(code, body.to_string().as_bytes()).into_error(kind, "asked");
    assert_eq!(format!("{error:?}"), format!("{expect:?}"), "{code} {body}");
}

#[test]
fn statuses_become_errors() {
    let kind = ConfigMap::kind();
    let name = || "a".to_owned();
    let details = json!({"name": "a", "kind": "configmaps"});
    check(
        kind,
        404,
        json!({"reason": "NotFound", "message": "configmaps \"a\" not found", "code": 404, "details": details}),
        &Error::NotFound { kind, name: name() },
    );
    check(
        kind,
        404,
        json!({"reason": "NotFound", "code": 404, "details": {"name": "a", "kind": "namespaces"}}),
        &Error::NotFound { kind: Namespace::kind(), name: name() },
    );
    check(
        kind,
        409,
        json!({"reason": "AlreadyExists", "code": 409, "details": details}),
        &Error::AlreadyExists { kind, name: name() },
    );
    check(
        kind,
        409,
        json!({
            "reason": "Conflict", "code": 409, "details": details,
            "message": "Operation cannot be fulfilled on configmaps \"a\": the object has been modified",
        }),
        &Error::Conflict { kind, name: name(), message: "the object has been modified".into() },
    );
    check(
        kind,
        422,
        json!({
            "reason": "Invalid", "code": 422, "message": "long",
            "details": {"name": "a", "kind": "ConfigMap", "causes": [
                {"reason": "FieldValueRequired", "message": "Required value", "field": "data"},
            ]},
        }),
        &Error::Invalid {
            kind,
            name: name(),
            causes: vec![Cause {
                field: "data".into(),
                reason: "FieldValueRequired".into(),
                message: "Required value".into(),
            }],
        },
    );
    let said = |reason: &str, code: u16| json!({"reason": reason, "message": "why", "code": code});
    check(kind, 410, said("Expired", 410), &Error::Expired("why".into()));
    check(kind, 410, said("Gone", 410), &Error::Expired("why".into()));
    check(kind, 413, said("RequestEntityTooLarge", 413), &Error::TooLarge("why".into()));
    let forbidden = Error::Forbidden { object: None, message: "why".into(), cause: None };
    check(kind, 403, said("Forbidden", 403), &forbidden);
    check(kind, 400, said("BadRequest", 400), &Error::BadRequest("why".into()));
    check(kind, 429, said("TooManyRequests", 429), &Error::Unavailable("why".into()));
    check(kind, 503, said("ServiceUnavailable", 503), &Error::Unavailable("why".into()));
    check(kind, 500, said("ServerTimeout", 500), &Error::Unavailable("why".into()));
    check(kind, 504, said("Timeout", 504), &Error::Unavailable("why".into()));
    check(kind, 500, said("InternalError", 500), &Error::Internal("why".into()));
}

#[test]
fn what_no_api_server_said_is_taken_as_it_is() {
    let error = Status::read(502, b"<html>bad gateway\n").into_error(ConfigMap::kind(), "a");
    assert_eq!(format!("{error:?}"), format!("{:?}", Error::Unavailable("<html>bad gateway".into())));
    let error = Status::read(401, b"").into_error(ConfigMap::kind(), "a");
    assert!(error.to_string().contains("does not accept these credentials"), "{error}");
}

#[test]
fn a_path_that_leads_nowhere_is_a_kind_that_is_not_served() {
    let text = |kind, body: &[u8]| match Status::read(404, body).into_error(kind, "a") {
        Error::Unavailable(message) => message,
        other => panic!("{other:?}"),
    };
    let says = text(Revision::kind(), b"404 page not found\n");
    let expect = "serving.knative.dev/v1 Revision is not served: \
                  install the CustomResourceDefinition revisions.serving.knative.dev";
    assert_eq!(says, expect);
    let body = br#"{"reason": "NotFound", "details": {}, "code": 404}"#;
    assert_eq!(text(Lease::kind(), body), "coordination.k8s.io/v1 Lease is not served by this cluster");
    assert_eq!(text(ConfigMap::kind(), body), "v1 ConfigMap is not served by this cluster");
}
