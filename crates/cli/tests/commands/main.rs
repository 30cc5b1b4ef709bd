//! Whole commands over a socket: what they ask the API for, in which order, and what they print.
#![allow(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

mod backups;
mod connections;
mod images;
mod scripted;

use std::process::ExitCode;

use scripted::{Exchange, ebb, kubeconfig, run};
use serde_json::{Value, json};

/// A service in a state; `ready` is the status of Ready.
fn service(generation: i64, observed: i64, ready: &str, message: &str) -> Value {
    json!({
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {
            "name": "hello", "namespace": "default", "generation": generation, "resourceVersion": "41",
            "annotations": { "serving.knative.dev/creator": "admin" },
        },
        "spec": { "template": { "spec": { "containers": [{ "image": "dev.local/hello", "name": "user-container" }] } } },
        "status": {
            "observedGeneration": observed,
            "url": "http://hello.default.localhost",
            "latestReadyRevisionName": "hello-00001",
            "conditions": [{ "type": "Ready", "status": ready, "reason": "Deploying", "message": message }],
        },
    })
}

fn modified(service: Value) -> Value {
    json!({ "type": "MODIFIED", "object": service })
}

fn not_found() -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404, "reason": "NotFound",
        "message": "services.serving.knative.dev \"hello\" not found",
        "details": { "name": "hello", "group": "serving.knative.dev", "kind": "services" },
    })
}

const REVISIONS: &str = "GET /apis/serving.knative.dev/v1/namespaces/default/revisions?&labelSelector=\
                         serving.knative.dev%2Fservice%3Dhello";
const WARNINGS: &str = "GET /api/v1/namespaces/default/events?&fieldSelector=type%3DWarning&limit=500";

/// An empty list.
fn nothing() -> Value {
    json!({ "metadata": {}, "items": [] })
}

/// As where the platform is not Ebb.
fn nobody_counts_cold_starts() -> Exchange {
    let request = "GET /ebb/v1/coldstarts?namespace=default&service=hello";
    Exchange { request, status: 404, answer: "404 page not found".into() }
}

const GET: &str = "GET /apis/serving.knative.dev/v1/namespaces/default/services/hello";
const POST: &str = "POST /apis/serving.knative.dev/v1/namespaces/default/services?";
const PUT: &str = "PUT /apis/serving.knative.dev/v1/namespaces/default/services/hello?";
const PATCH: &str = "PATCH /apis/serving.knative.dev/v1/namespaces/default/services/hello?";
const DELETE: &str = "DELETE /apis/serving.knative.dev/v1/namespaces/default/services/hello?";
const WATCH: &str = "GET /apis/serving.knative.dev/v1/namespaces/default/services?&watch=true&timeoutSeconds=290&\
                     fieldSelector=metadata.name%3Dhello&allowWatchBookmarks=true&resourceVersion=41";

/// The lines of progress without their times.
fn without_times(out: &str) -> String {
    let line = |line: &str| match line.split_once("s ") {
        Some((time, rest)) if time.trim().parse::<f64>().is_ok() => format!("TIME {rest}\n"),
        _ => format!("{line}\n"),
    };
    out.lines().map(line).collect()
}

#[tokio::test]
async fn create_waits_and_shows_the_url() {
    let outcome = ebb(
        &["service", "create", "hello", "--image", "dev.local/hello"],
        vec![
            Exchange::refused(GET, 404, &not_found()),
            Exchange::new(POST, &service(1, 0, "Unknown", "")),
            Exchange::new(GET, &service(1, 0, "Unknown", "")),
            Exchange::watch(
                WATCH,
                &[
                    modified(service(1, 1, "Unknown", "Deploying the revision.")),
                    modified(service(1, 1, "Unknown", "Deploying the revision.")),
                    modified(service(1, 1, "True", "")),
                ],
            ),
            Exchange::new(GET, &service(1, 1, "True", "")),
        ],
    )
    .await;
    assert_eq!(
        without_times(&outcome.out),
        "\
Creating service 'hello' in namespace 'default':

TIME Deploying the revision.
TIME ...
TIME Ready to serve.

Service 'hello' created to latest revision 'hello-00001' is available at URL:
http://hello.default.localhost
"
    );
    assert_eq!((outcome.status, outcome.err.as_str()), (ExitCode::SUCCESS, ""));
    let sent: Value = serde_json::from_str(&outcome.sent[0]).unwrap();
    assert_eq!(sent["spec"]["template"]["spec"]["containers"][0]["image"], "dev.local/hello");
    assert_eq!(
        sent["spec"]["template"]["metadata"]["annotations"]["client.knative.dev/updateTimestamp"],
        "2026-11-20T12:00:00Z"
    );
}

#[tokio::test]
async fn create_says_why_a_service_does_not_become_ready() {
    let outcome = ebb(
        &["service", "create", "hello", "--image", "dev.local/hello", "--wait-window", "0"],
        vec![
            Exchange::refused(GET, 404, &not_found()),
            Exchange::new(POST, &service(1, 0, "Unknown", "")),
            Exchange::new(GET, &service(1, 1, "False", "no such image")),
            Exchange::watch(WATCH, &[modified(service(1, 1, "False", "no such image"))]),
        ],
    )
    .await;
    assert!(!outcome.out.contains("no such image"), "it is told once: {}", outcome.out);
    assert_eq!(
        outcome.err,
        "Error: Deploying: no such image\nsee `ebb service describe hello` for the cause\n"
    );
    assert_eq!(outcome.status, ExitCode::from(1));
}

#[tokio::test]
async fn create_does_not_touch_what_exists_unless_forced() {
    let outcome = ebb(
        &["service", "create", "hello", "--image", "x"],
        vec![Exchange::new(GET, &service(1, 1, "True", ""))],
    )
    .await;
    assert_eq!(
        outcome.err,
        "Error: cannot create service 'hello' in namespace 'default' because the service already exists and no --force \
         option was given\n"
    );
    assert_eq!((outcome.status, outcome.out.as_str()), (ExitCode::from(1), ""));

    let outcome = ebb(
        &["service", "create", "hello", "--image", "x", "--force", "--no-wait"],
        vec![Exchange::new(GET, &service(1, 1, "True", "")), Exchange::new(PUT, &service(2, 1, "True", ""))],
    )
    .await;
    assert_eq!(outcome.out, "Service 'hello' replaced in namespace 'default'.\n");
    let sent: Value = serde_json::from_str(&outcome.sent[0]).unwrap();
    assert_eq!(sent["metadata"]["resourceVersion"], "41");
    assert_eq!(sent["metadata"]["annotations"], json!({ "serving.knative.dev/creator": "admin" }));
}

#[tokio::test]
async fn a_command_line_that_makes_no_sense_asks_for_nothing() {
    let check = async |arguments: &[&str], err: &str| {
        let outcome = ebb(arguments, vec![]).await;
        assert_eq!((outcome.status, outcome.err.as_str()), (ExitCode::from(1), err), "{arguments:?}");
    };
    check(
        &["service", "create", "--image", "x"],
        "Error: 'service create' requires the service name given as single argument\nRun 'ebb service create --help' \
         for usage\n",
    )
    .await;
    check(
        &["service", "create", "hello"],
        "Error: 'service create' requires the image name to run provided with the --image option\nRun 'ebb service \
         create --help' for usage\n",
    )
    .await;
    check(
        &["service", "update", "hello"],
        "Error: flag(s) not set\nRun 'ebb service update --help' for usage\n",
    )
    .await;
    check(
        &["service", "delete"],
        "Error: 'service delete' requires the service name(s)\nRun 'ebb service delete --help' for usage\n",
    )
    .await;
    check(
        &["service", "create", "hello", "--image", "x", "--env", "A"],
        "Error: Invalid --env: argument requires a value that contains the \"=\" character; got \"A\"\nRun 'ebb \
         service create --help' for usage\n",
    )
    .await;
}

#[tokio::test]
async fn update_repeats_when_somebody_was_faster() {
    let conflict =
        json!({ "kind": "Status", "code": 409, "reason": "Conflict", "message": "modified meanwhile" });
    let outcome = ebb(
        &["service", "update", "hello", "--env", "A=1", "--no-wait"],
        vec![
            Exchange::new(GET, &service(1, 1, "True", "")),
            Exchange::new(REVISIONS, &nothing()),
            Exchange::refused(PUT, 409, &conflict),
            Exchange::new(GET, &service(2, 2, "True", "")),
            Exchange::new(PUT, &service(3, 2, "True", "")),
        ],
    )
    .await;
    assert_eq!(outcome.out, "Service 'hello' updated in namespace 'default'.\n");
    assert_eq!((outcome.status, outcome.sent.len()), (ExitCode::SUCCESS, 2));
}

#[tokio::test]
async fn apply_patches_what_differs() {
    let outcome = ebb(
        &["service", "apply", "hello", "--image", "dev.local/hello:2", "--no-wait"],
        vec![
            Exchange::new(GET, &service(1, 1, "True", "")),
            Exchange::new(PATCH, &service(2, 1, "True", "")),
        ],
    )
    .await;
    assert_eq!(outcome.out, "Service 'hello' applied in namespace 'default'.\n");
    assert_eq!(
        outcome.err,
        "Warning: 'ebb service apply' should be used only for services created by 'ebb service apply'\n"
    );
    let mut sent: Value = serde_json::from_str(&outcome.sent[0]).unwrap();
    let last = sent["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"].take();
    let last: Value = serde_json::from_str(last.as_str().unwrap()).unwrap();
    assert_eq!(last["spec"]["template"]["spec"]["containers"][0]["image"], "dev.local/hello:2");
    assert_eq!(
        sent["spec"]["template"],
        json!({
            "metadata": { "annotations": { "client.knative.dev/user-image": "dev.local/hello:2" } },
            "spec": { "containers": [{ "image": "dev.local/hello:2", "name": "" }] },
        })
    );
}

#[tokio::test]
async fn delete_goes_on_after_a_failure() {
    let other = "DELETE /apis/serving.knative.dev/v1/namespaces/default/services/other?";
    let outcome = ebb(
        &["service", "delete", "hello", "other"],
        vec![
            Exchange::refused(DELETE, 404, &not_found()),
            Exchange::new(other, &json!({ "kind": "Status", "apiVersion": "v1", "status": "Success" })),
        ],
    )
    .await;
    assert_eq!(outcome.out, "Service 'other' successfully deleted in namespace 'default'.\n");
    assert_eq!(outcome.err, "Error: services.serving.knative.dev \"hello\" not found\n");
    assert_eq!(outcome.status, ExitCode::from(1));
    assert!(outcome.sent[0].contains("\"propagationPolicy\":\"Background\""), "{}", outcome.sent[0]);
}

#[tokio::test]
async fn what_comes_of_it_is_told_before_a_revision_goes() {
    let routes = "GET /apis/serving.knative.dev/v1/namespaces/default/routes?&limit=500";
    let configurations = "GET /apis/serving.knative.dev/v1/namespaces/default/configurations?&limit=500";
    let delete = "DELETE /apis/serving.knative.dev/v1/namespaces/default/revisions/hello-00001?";
    let list = |object: Value| json!({ "metadata": {}, "items": [object] });
    let route = list(json!({
        "metadata": { "name": "hello", "namespace": "default" }, "spec": {},
        "status": { "traffic": [{ "revisionName": "hello-00001", "percent": 36, "tag": "old" }] },
    }));
    let configuration = |latest: &str| {
        list(json!({
            "metadata": {
                "name": "hello", "namespace": "default", "labels": { "serving.knative.dev/service": "hello" },
            },
            "spec": {}, "status": { "latestCreatedRevisionName": latest },
        }))
    };
    let forbidden = |request| {
        Exchange::refused(request, 403, &json!({ "kind": "Status", "code": 403, "reason": "Forbidden" }))
    };
    let lost = "Warning: Revision 'hello-00001' gets 36% of the traffic of route 'hello' (tag old): its requests will \
                fail until the service's traffic is changed\n";
    let comes_back = "Warning: Revision 'hello-00001' is the latest of service 'hello' and is made again at once, with new \
                      instances: to change it update the service, to remove it delete the service\n";
    for (routes, configurations, expect) in [
        (Exchange::new(routes, &route), Exchange::new(configurations, &configuration("hello-00002")), lost),
        (
            Exchange::new(routes, &route),
            Exchange::new(configurations, &configuration("hello-00001")),
            comes_back,
        ),
        (forbidden(routes), forbidden(configurations), ""),
    ] {
        let done = json!({ "kind": "Status", "apiVersion": "v1", "status": "Success" });
        let script = vec![routes, configurations, Exchange::new(delete, &done)];
        let outcome = ebb(&["revision", "delete", "hello-00001"], script).await;
        assert_eq!(outcome.out, "Revision 'hello-00001' deleted in namespace 'default'.\n");
        assert_eq!((outcome.status, outcome.err.as_str()), (ExitCode::SUCCESS, expect));
    }
}

#[tokio::test]
async fn delete_waits_for_the_end() {
    let outcome = ebb(
        &["service", "delete", "hello", "--wait"],
        vec![
            Exchange::new(GET, &service(1, 1, "True", "")),
            Exchange::watch(WATCH, &[json!({ "type": "DELETED", "object": service(1, 1, "True", "") })]),
            Exchange::new(DELETE, &service(1, 1, "True", "")),
        ],
    )
    .await;
    assert_eq!(outcome.out, "Service 'hello' successfully deleted in namespace 'default'.\n");
    assert!(outcome.sent[0].contains("\"propagationPolicy\":\"Foreground\""), "{}", outcome.sent[0]);
}

#[tokio::test]
async fn describe_works_where_nobody_counts_cold_starts_and_warnings_are_not_for_all() {
    let forbidden = json!({
        "kind": "Status", "code": 403, "reason": "Forbidden",
        "message": "events is forbidden: User \"robot\" cannot list resource \"events\"",
    });
    let outcome = ebb(
        &["service", "describe", "hello"],
        vec![
            Exchange::new(GET, &service(1, 1, "True", "")),
            Exchange::new(REVISIONS, &nothing()),
            nobody_counts_cold_starts(),
            Exchange::refused(WARNINGS, 403, &forbidden),
        ],
    )
    .await;
    assert!(outcome.out.starts_with("Name:       hello\n"), "{}", outcome.out);
    assert_eq!((outcome.status, outcome.err.as_str()), (ExitCode::SUCCESS, ""));
}

#[tokio::test]
async fn describe_looks_for_an_image_of_the_name_of_one_that_is_missing() {
    let unreachable = "registry dev.local: unreachable: no route to host";
    let images = json!({ "items": [{ "reference": "r.example/hello:latest", "digest": "sha256:aa" }] });
    for (found, expect) in [
        (Exchange::new("GET /ebb/v1/images", &images), "Try next:   r.example/hello:latest is loaded"),
        (
            Exchange::refused("GET /ebb/v1/images", 403, &json!({})),
            "`ebb image load FILE --name dev.local/hello`",
        ),
    ] {
        let outcome = ebb(
            &["service", "describe", "hello"],
            vec![
                Exchange::new(GET, &service(1, 1, "False", unreachable)),
                Exchange::new(REVISIONS, &nothing()),
                nobody_counts_cold_starts(),
                Exchange::new(WARNINGS, &nothing()),
                found,
            ],
        )
        .await;
        assert!(outcome.out.contains(expect), "{}", outcome.out);
        assert_eq!((outcome.status, outcome.err.as_str()), (ExitCode::SUCCESS, ""));
    }
}

#[tokio::test]
async fn describe_finds_a_warning_behind_those_of_others() {
    let second =
        "GET /api/v1/namespaces/default/events?&fieldSelector=type%3DWarning&limit=500&continue=more";
    let event = |object: &str, message: &str| {
        json!({
            "metadata": { "name": object, "namespace": "default" }, "type": "Warning", "reason": "InternalError",
            "message": message, "lastTimestamp": "2026-11-20T11:59:00Z",
            "involvedObject": { "apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": object },
        })
    };
    let page = |next: &str, event: Value| json!({ "metadata": { "continue": next }, "items": [event] });
    let outcome = ebb(
        &["service", "describe", "hello"],
        vec![
            Exchange::new(GET, &service(1, 1, "True", "")),
            Exchange::new(REVISIONS, &nothing()),
            nobody_counts_cold_starts(),
            Exchange::new(WARNINGS, &page("more", event("other", "not mine"))),
            Exchange::new(second, &page("", event("hello", "it is mine"))),
        ],
    )
    .await;
    assert!(outcome.out.contains("it is mine") && !outcome.out.contains("not mine"), "{}", outcome.out);
}

#[tokio::test]
async fn lists_go_by_name_and_namespace() {
    let all = "GET /apis/serving.knative.dev/v1/services?&fieldSelector=metadata.name%3Dhello";
    let list = json!({ "metadata": {}, "items": [service(1, 1, "True", "")] });
    let outcome =
        ebb(&["service", "list", "hello", "-A", "-o", "name"], vec![Exchange::new(all, &list)]).await;
    assert_eq!(outcome.out, "service.serving.knative.dev/hello\n");
    let empty = json!({ "metadata": {}, "items": [] });
    let outcome = ebb(
        &["service", "ls", "-n", "shop"],
        vec![Exchange::new("GET /apis/serving.knative.dev/v1/namespaces/shop/services?", &empty)],
    )
    .await;
    assert_eq!(outcome.out, "No services found.\n");
}

#[tokio::test]
async fn an_api_without_knative_says_so() {
    let outcome = ebb(
        &["service", "list"],
        vec![Exchange {
            request: "GET /apis/serving.knative.dev/v1/namespaces/default/services?",
            status: 404,
            answer: "404 page not found\n".into(),
        }],
    )
    .await;
    assert_eq!(
        outcome.err,
        "Error: 404 page not found; this API does not serve that; is Knative (or Ebb) installed where the kubeconfig \
         leads?\n"
    );
}

#[tokio::test]
async fn the_version_names_the_apis() {
    let directory = kubeconfig("http://unused");
    let outcome = run(&["version"], &directory).await;
    assert_eq!(
        outcome.out,
        format!(
            "Version:      {}\nSupported APIs:\n* Serving\n  - serving.knative.dev/v1 (knative-serving v1.23.0)\n",
            env!("CARGO_PKG_VERSION")
        )
    );
    let json: Value = serde_json::from_str(&run(&["version", "-o", "JSON"], &directory).await.out).unwrap();
    assert_eq!(json["SupportedAPIs"]["serving"][0], "serving.knative.dev/v1 (knative-serving v1.23.0)");
}
