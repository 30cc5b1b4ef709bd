//! Bad input gets a clear error and changes nothing.

use crate::rig::{Ebb, need_kubectl, send, until};

fn service(template: &str, rest: &str) -> String {
    format!(
        "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {{name: bad}}\nspec: {{template: {{{template}}}{rest}}}\n"
    )
}

const IMAGE: &str = "image: dev.local/hello:1";

#[test]
fn a_service_that_cannot_be_is_refused_with_the_reason() {
    if !need_kubectl("a_service_that_cannot_be_is_refused_with_the_reason") {
        return;
    }
    let ebb = Ebb::up();
    let cases = [
        (
            "an unknown field",
            service(&format!("spec: {{containers: [{{{IMAGE}, imagee: x}}]}}"), ""),
            "unknown field \"spec.template.spec.containers[0].imagee\"",
        ),
        (
            "shares of 90",
            service(
                &format!("spec: {{containers: [{{{IMAGE}}}]}}"),
                ", traffic: [{latestRevision: true, percent: 90}]",
            ),
            "90",
        ),
        ("no containers", service("spec: {}", ""), "missing field(s): spec.template.spec.containers"),
        (
            "a reserved port",
            service(&format!("spec: {{containers: [{{{IMAGE}, ports: [{{containerPort: 8012}}]}}]}}"), ""),
            "8012",
        ),
        (
            "min above max",
            service(
                &format!(
                    "metadata: {{annotations: {{autoscaling.knative.dev/min-scale: '3', autoscaling.knative.dev/max-scale: '2'}}}}, spec: {{containers: [{{{IMAGE}}}]}}"
                ),
                "",
            ),
            "max-scale=2 is less than min-scale=3",
        ),
        (
            "a word for a number",
            service(&format!("spec: {{containerConcurrency: ten, containers: [{{{IMAGE}}}]}}"), ""),
            "cannot unmarshal string into Go struct field Service.spec.template.spec.containerConcurrency of type int64",
        ),
        (
            "a metric that nothing scales by",
            service(
                &format!(
                    "metadata: {{annotations: {{autoscaling.knative.dev/metric: rps}}}}, spec: {{containers: [{{{IMAGE}}}]}}"
                ),
                "",
            ),
            "this release of Ebb scales on concurrent requests only",
        ),
        (
            "a class that nothing scales by",
            service(
                &format!(
                    "metadata: {{annotations: {{autoscaling.knative.dev/class: hpa.autoscaling.knative.dev}}}}, spec: {{containers: [{{{IMAGE}}}]}}"
                ),
                "",
            ),
            "this release of Ebb has no autoscaler of this class",
        ),
        (
            "another's name",
            service(&format!("metadata: {{name: other-1}}, spec: {{containers: [{{{IMAGE}}}]}}"), ""),
            "must have prefix \"bad-\"",
        ),
        ("not YAML", "apiVersion: [".to_owned(), "yaml"),
        ("no kind", "apiVersion: serving.knative.dev/v1\nmetadata: {name: bad}\n".to_owned(), "kind"),
    ];
    for (what, manifest, expect) in &cases {
        let error = ebb.refused(manifest);
        assert!(error.contains(expect), "{what}: {error}");
        assert!(ebb.object("ksvc", "bad").is_none(), "{what}");
    }
    // Nor is one changed that is there.
    ebb.apply(&service(&format!("spec: {{containers: [{{{IMAGE}}}]}}"), ""));
    ebb.ready("bad");
    let before = ebb.object("ksvc", "bad").unwrap();
    for (what, manifest, expect) in &cases {
        let error = ebb.refused(manifest);
        assert!(error.contains(expect), "{what}: {error}");
    }
    assert_eq!(ebb.object("ksvc", "bad").unwrap(), before, "the same resourceVersion, and all else");
}

#[test]
fn an_app_that_cannot_come_up_says_why_at_once() {
    if !need_kubectl("an_app_that_cannot_come_up_says_why_at_once") {
        return;
    }
    let ebb = Ebb::up();
    let cases = [
        ("no-program", format!("{IMAGE}, command: [/no/such/program]"), "/no/such/program"),
        (
            "no-route",
            format!("{IMAGE}, readinessProbe: {{httpGet: {{path: /no/such/path}}}}"),
            "statuscode: 404",
        ),
    ];
    for (name, container, expect) in &cases {
        let manifest = service(&format!("spec: {{containers: [{{{container}}}]}}"), "");
        ebb.apply(&manifest.replace("name: bad", &format!("name: {name}")));
        let told = until(|| {
            let revision = ebb.object("revision", &format!("{name}-00001"))?;
            revision["status"]["conditions"].to_string().contains(expect).then_some(())
        });
        assert!(told.is_some(), "{name}: {:?}", ebb.object("revision", &format!("{name}-00001")));
    }
}

#[test]
fn requests_that_make_no_sense_are_answered() {
    let ebb = Ebb::up();
    for (what, request, expect) in [
        ("no host", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n".to_owned(), 400),
        ("a bad host", "GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n".to_owned(), 400),
        ("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n".to_owned(), 400),
        ("not HTTP", "hello\r\n\r\n".to_owned(), 400),
        ("endless headers", format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(100_000)), 431),
    ] {
        assert_eq!(send(ebb.http, &request).status, expect, "{what}");
    }
}
