use clap::Parser;
use serde_json::{Value, json};

use super::*;
use crate::{
    output::to_value,
    service::{manifest, three_way::merge_patch},
};

#[derive(clap::Parser)]
struct Flags {
    #[command(flatten)]
    edit: EditArgs,
}

fn parse(flags: &[&str]) -> EditArgs {
    Flags::try_parse_from(std::iter::once("ebb").chain(flags.iter().copied())).unwrap().edit
}

fn occasion(verb: OccasionVerb, base: Option<&Revision>) -> Occasion<'_> {
    Occasion { verb, base, now: "2026-11-20T12:00:00.25Z".parse().unwrap(), random: || 3 }
}

fn service(value: Value) -> Service {
    serde_json::from_value(value).unwrap()
}

/// A service as it would be after some edits; applying, so that no stamp is in the way.
fn edited(service: &Service, flags: &[&str], files: &Files) -> Result<Service, String> {
    let mut service = service.clone();
    parse(flags).apply(&mut service, &occasion(OccasionVerb::Apply, None), files)?;
    Ok(service)
}

/// What the flags change, as a merge patch.
fn difference(before: &Service, flags: &[&str]) -> Value {
    let after = edited(before, flags, &Files::default()).unwrap();
    let (before, after) = (to_value(before), to_value(&after));
    merge_patch(&before, &after, &before)
}

fn hello() -> Service {
    service(json!({
        "metadata": { "name": "hello", "namespace": "default", "generation": 4 },
        "spec": { "template": { "spec": { "containers": [{ "name": "user-container", "image": "dev.local/hello" }] } } },
    }))
}

#[test]
fn a_new_service() {
    let check = |flags: &[&str], verb: OccasionVerb, expect: Value| {
        let mut service = manifest::service(Some("hello"), "default", None).unwrap();
        parse(flags).apply(&mut service, &occasion(verb, None), &Files::default()).unwrap();
        assert_eq!(to_value(&service), expect);
    };
    let with = |annotations: Value, image: &str| {
        json!({
            "apiVersion": "serving.knative.dev/v1",
            "kind": "Service",
            "metadata": { "name": "hello", "namespace": "default" },
            "spec": { "template": {
                "metadata": { "annotations": annotations },
                "spec": { "containers": [{ "image": image, "name": "" }] },
            } },
            "status": {},
        })
    };
    let stamp = "2026-11-20T12:00:00Z";
    check(
        &["--image", "dev.local/hello:1"],
        OccasionVerb::Create,
        with(
            json!({ "client.knative.dev/user-image": "dev.local/hello:1", "client.knative.dev/updateTimestamp": stamp }),
            "dev.local/hello:1",
        ),
    );
    // A digest is its own name.
    check(
        &["--image", "dev.local/hello@sha256:aa"],
        OccasionVerb::Create,
        with(json!({ "client.knative.dev/updateTimestamp": stamp }), "dev.local/hello@sha256:aa"),
    );
    check(
        &["--image", "dev.local/hello:1"],
        OccasionVerb::Apply,
        with(json!({ "client.knative.dev/user-image": "dev.local/hello:1" }), "dev.local/hello:1"),
    );
    check(
        &["--image", "dev.local/hello:1", "--no-lock-to-digest"],
        OccasionVerb::Create,
        with(json!({ "client.knative.dev/updateTimestamp": stamp }), "dev.local/hello:1"),
    );
}

#[test]
fn flags_of_the_container() {
    let check = |flags: &[&str], fields: Value| {
        let mut container = json!({ "name": "user-container", "image": "dev.local/hello" });
        json_patch_into(&mut container, fields);
        let expect = json!({ "spec": { "template": { "spec": { "containers": [container] } } } });
        assert_eq!(difference(&hello(), flags), expect, "{flags:?}");
    };
    check(&["--image", "x"], json!({ "image": "x" }));
    check(&["--pull-policy", "ifnotpresent"], json!({ "imagePullPolicy": "IfNotPresent" }));
    check(
        &["--cmd", "sh", "--cmd", "-c", "--arg", "--verbose", "--arg", "a=b"],
        json!({ "command": ["sh", "-c"], "args": ["--verbose", "a=b"] }),
    );
    check(&["-p", "h2c:8081"], json!({ "ports": [{ "containerPort": 8081, "name": "h2c" }] }));
    check(&["--port", "8081"], json!({ "ports": [{ "containerPort": 8081 }] }));
    check(&["--user", "1001"], json!({ "securityContext": { "runAsUser": 1001 } }));
    check(
        &["--security-context", "strict", "--user", "7"],
        json!({ "securityContext": {
            "allowPrivilegeEscalation": false,
            "runAsNonRoot": true,
            "runAsUser": 7,
            "capabilities": { "drop": ["ALL"] },
            "seccompProfile": { "type": "RuntimeDefault" },
        } }),
    );
    check(
        &["--request", "cpu=100m,memory=64Mi", "--limit", "memory=128Mi"],
        json!({ "resources": { "requests": { "cpu": "100m", "memory": "64Mi" }, "limits": { "memory": "128Mi" } } }),
    );
    check(
        &[
            "--probe-readiness",
            "http::8080:/ready",
            "--probe-readiness-opts",
            "PeriodSeconds=1,failurethreshold=3",
        ],
        json!({ "readinessProbe": {
            "httpGet": { "port": 8080, "path": "/ready" }, "periodSeconds": 1, "failureThreshold": 3,
        } }),
    );
    check(&["--probe-liveness", "tcp::"], json!({ "livenessProbe": { "tcpSocket": { "port": 0 } } }));
    check(
        &["--probe-liveness", "exec:sh,-c,true"],
        json!({ "livenessProbe": { "exec": { "command": ["sh", "-c", "true"] } } }),
    );
    check(
        &["--probe-liveness", "https:h:web:/x"],
        json!({ "livenessProbe": { "httpGet": { "scheme": "HTTPS", "host": "h", "port": "web", "path": "/x" } } }),
    );
}

fn json_patch_into(value: &mut Value, fields: Value) {
    for (key, field) in fields.as_object().unwrap() {
        value[key] = field.clone();
    }
}

#[test]
fn variables_keep_the_order_of_the_command_line() {
    let files = Files { env: "F=1\n\nG=a=b\n".into(), ..Files::default() };
    let flags =
        ["--env-value-from", "K=cm:c:k", "-e", "A=1", "--env-file", "unread", "--env", "B=", "--env", "A=2"];
    let after = edited(&hello(), &flags, &files).unwrap();
    let env = json!([
        { "name": "K", "valueFrom": { "configMapKeyRef": { "name": "c", "key": "k" } } },
        { "name": "A", "value": "2" },
        { "name": "F", "value": "1" },
        { "name": "G", "value": "a=b" },
        { "name": "B", "value": "" },
    ]);
    assert_eq!(to_value(&after)["spec"]["template"]["spec"]["containers"][0]["env"], env);

    let after =
        edited(&after, &["--env", "A-", "--env", "B=3", "--env-value-from", "K=secret:s:k"], &files).unwrap();
    let env = json!([
        { "name": "K", "valueFrom": { "secretKeyRef": { "name": "s", "key": "k" } } },
        { "name": "F", "value": "1" },
        { "name": "G", "value": "a=b" },
        { "name": "B", "value": "3" },
    ]);
    assert_eq!(to_value(&after)["spec"]["template"]["spec"]["containers"][0]["env"], env);
}

#[test]
fn sources_of_variables_come_and_go() {
    let with = edited(
        &hello(),
        &["--env-from", "cm:c", "--env-from", "secret:s", "--env-from", "cm:c"],
        &Files::default(),
    );
    let with = with.unwrap();
    let sources = json!([{ "configMapRef": { "name": "c" } }, { "secretRef": { "name": "s" } }]);
    assert_eq!(to_value(&with)["spec"]["template"]["spec"]["containers"][0]["envFrom"], sources);
    let without =
        edited(&with, &["--env-from", "config-map:c-", "--env-from", "sc:s-"], &Files::default()).unwrap();
    assert_eq!(without, hello());
}

#[test]
fn a_mount_brings_its_volume_and_takes_it_away() {
    let with = edited(
        &hello(),
        &["--mount", "/mydir=cm:c/sub", "--mount", "/tmp=ed:scratch", "--mount", "/s=sc:s:readOnly=true"],
        &Files::default(),
    )
    .unwrap();
    let spec = to_value(&with)["spec"]["template"]["spec"].clone();
    assert_eq!(
        spec["volumes"],
        json!([
            { "name": "mydir-70393087", "configMap": { "name": "c" } },
            { "name": "tmp-8c393341", "emptyDir": {} },
            { "name": "s-f9b05e88", "secret": { "secretName": "s" } },
        ])
    );
    assert_eq!(
        spec["containers"][0]["volumeMounts"],
        json!([
            { "name": "mydir-70393087", "mountPath": "/mydir", "subPath": "sub", "readOnly": true },
            { "name": "tmp-8c393341", "mountPath": "/tmp" },
            { "name": "s-f9b05e88", "mountPath": "/s", "readOnly": true },
        ])
    );
    let without =
        edited(&with, &["--mount", "/mydir-", "--mount", "/tmp-", "--mount", "/s-"], &Files::default());
    assert_eq!(without.unwrap(), hello());
}

#[test]
fn volumes_can_have_names_of_their_own() {
    let flags = [
        "--volume",
        "v=ed:x:size=1Gi,type=Memory",
        "--mount",
        "/v=v",
        "--volume",
        "p=pvc:claim",
        "--mount",
        "/p=p:readOnly=true",
    ];
    let with = edited(&hello(), &flags, &Files::default()).unwrap();
    let spec = to_value(&with)["spec"]["template"]["spec"].clone();
    assert_eq!(
        spec["volumes"],
        json!([
            { "name": "v", "emptyDir": { "medium": "Memory", "sizeLimit": "1Gi" } },
            { "name": "p", "persistentVolumeClaim": { "claimName": "claim" } },
        ])
    );
    assert_eq!(
        spec["containers"][0]["volumeMounts"],
        json!([{ "name": "v", "mountPath": "/v" }, { "name": "p", "mountPath": "/p", "readOnly": true }])
    );
    let mounted = edited(&with, &["--volume", "v-"], &Files::default()).unwrap_err();
    assert_eq!(mounted, "The volume \"v\" cannot be removed because it is mounted");
}

#[test]
fn flags_of_the_template() {
    let check = |flags: &[&str], template: Value| {
        assert_eq!(difference(&hello(), flags), json!({ "spec": { "template": template } }), "{flags:?}");
    };
    let annotated = |annotations: Value| json!({ "metadata": { "annotations": annotations } });
    let scale =
        |key: &str, value: &str| annotated(json!({ format!("autoscaling.knative.dev/{key}"): value }));
    check(
        &["--scale", "1..5"],
        annotated(
            json!({ "autoscaling.knative.dev/min-scale": "1", "autoscaling.knative.dev/max-scale": "5" }),
        ),
    );
    check(
        &["--scale", "3"],
        annotated(
            json!({ "autoscaling.knative.dev/min-scale": "3", "autoscaling.knative.dev/max-scale": "3" }),
        ),
    );
    check(&["--scale", "2.."], scale("min-scale", "2"));
    check(&["--scale", "..2"], scale("max-scale", "2"));
    check(&["--scale-min", "1"], scale("min-scale", "1"));
    check(&["--max-scale", "9"], scale("max-scale", "9"));
    check(&["--scale-init", "0"], scale("initial-scale", "0"));
    check(&["--scale-activation", "2"], scale("activation-scale", "2"));
    check(&["--scale-target", "50"], scale("target", "50"));
    check(&["--concurrency-target", "50"], scale("target", "50"));
    check(&["--scale-metric", "rps"], scale("metric", "rps"));
    check(&["--scale-utilization", "80"], scale("target-utilization-percentage", "80"));
    check(&["--scale-window", "10s"], scale("window", "10s"));
    check(&["--concurrency-limit", "10"], json!({ "spec": { "containerConcurrency": 10 } }));
    check(&["--timeout", "42"], json!({ "spec": { "timeoutSeconds": 42 } }));
    check(&["--service-account", "robot"], json!({ "spec": { "serviceAccountName": "robot" } }));
    check(&["--pull-secret", "s"], json!({ "spec": { "imagePullSecrets": [{ "name": "s" }] } }));
    check(&["--node-selector", "disk=ssd"], json!({ "spec": { "nodeSelector": { "disk": "ssd" } } }));
    check(
        &["--toleration", "Key=k,Operator=Equal,Value=v,Effect=NoSchedule"],
        json!({ "spec": { "tolerations": [{ "key": "k", "operator": "Equal", "value": "v", "effect": "NoSchedule" }] } }),
    );
}

#[test]
fn labels_and_annotations_go_where_they_belong() {
    let check = |flags: &[&str], expect: Value| assert_eq!(difference(&hello(), flags), expect, "{flags:?}");
    check(
        &["-l", "a=1", "--label-service", "s=2", "--label-revision", "r=3"],
        json!({
            "metadata": { "labels": { "a": "1", "s": "2" } },
            "spec": { "template": { "metadata": { "labels": { "a": "1", "r": "3" } } } },
        }),
    );
    check(
        &["-a", "note=1", "-a", "autoscaling.knative.dev/window=9s"],
        json!({
            "metadata": { "annotations": { "note": "1" } },
            "spec": { "template": { "metadata": {
                "annotations": { "note": "1", "autoscaling.knative.dev/window": "9s" },
            } } },
        }),
    );
    check(
        &["--cluster-local"],
        json!({ "metadata": { "labels": { "networking.knative.dev/visibility": "cluster-local" } } }),
    );
    let labelled = edited(&hello(), &["-l", "a=1", "--cluster-local"], &Files::default()).unwrap();
    assert_eq!(edited(&labelled, &["-l", "a-", "--no-cluster-local"], &Files::default()).unwrap(), hello());
}

#[test]
fn revision_names() {
    let check = |template: &str, expect: Result<&str, &str>| {
        let mut service = hello();
        let edited = parse(&["--revision-name", template]).apply(
            &mut service,
            &occasion(OccasionVerb::Update, None),
            &Files::default(),
        );
        let name = edited.map(|()| service.spec.template.metadata.name.unwrap_or_default());
        assert_eq!(name.as_deref().map_err(String::as_str), expect);
    };
    check("v2", Ok("hello-v2"));
    check("hello-v2", Ok("hello-v2"));
    check("{{.Service}}-{{.Random 5}}-{{ .Generation }}", Ok("hello-fffff-5"));
    check(
        "{{.Service}}-{{.Random 999}}",
        Err(
            "--revision-name: `.Random 999` is not known; use {{.Service}}, {{.Generation}} or {{.Random N}}",
        ),
    );
}

#[test]
fn an_update_does_not_reuse_the_name_of_the_last_revision() {
    let check = |flags: &[&str], expect: Option<&str>| {
        let mut service = hello();
        service.spec.template.metadata.name = Some("hello-v1".into());
        let occasion = occasion(OccasionVerb::Update, None);
        parse(flags).apply(&mut service, &occasion, &Files::default()).unwrap();
        assert_eq!(service.spec.template.metadata.name.as_deref(), expect, "{flags:?}");
    };
    check(&["--env", "A=1"], None);
    check(&["--revision-name", "v2"], Some("hello-v2"));
    check(&["--cluster-local"], Some("hello-v1"));
}

#[test]
fn an_update_keeps_the_image_that_runs() {
    let mut before = hello();
    before.spec.template.metadata.annotations =
        Some([("client.knative.dev/user-image".to_owned(), "dev.local/hello".to_owned())].into());
    let base: Revision = serde_json::from_value(json!({
        "metadata": { "name": "hello-00004" },
        "spec": { "containers": [{ "name": "user-container", "image": "dev.local/hello" }] },
        "status": { "containerStatuses": [{ "name": "user-container", "imageDigest": "dev.local/hello@sha256:aa" }] },
    }))
    .unwrap();
    let check = |flags: &[&str], image: &str, user_image: Option<&str>| {
        let mut service = before.clone();
        parse(flags)
            .apply(&mut service, &occasion(OccasionVerb::Update, Some(&base)), &Files::default())
            .unwrap();
        let template = &service.spec.template;
        assert_eq!(template.spec.containers[0].image.as_deref(), Some(image), "{flags:?}");
        let annotations = template.metadata.annotations.as_ref().unwrap();
        assert_eq!(
            annotations.get("client.knative.dev/user-image").map(String::as_str),
            user_image,
            "{flags:?}"
        );
    };
    check(&["--env", "A=1"], "dev.local/hello@sha256:aa", Some("dev.local/hello"));
    check(&["--env", "A=1", "--no-lock-to-digest"], "dev.local/hello", None);
    check(&["--image", "dev.local/hello:2"], "dev.local/hello:2", Some("dev.local/hello:2"));
    // Neither changes the template.
    check(&["--cluster-local"], "dev.local/hello", Some("dev.local/hello"));
}

#[test]
fn containers_from_a_file_stand_beside_the_first() {
    let sidecar =
        |image: &str| Container { name: "proxy".into(), image: Some(image.into()), ..Container::default() };
    let files = |image: &str| Files { containers: vec![sidecar(image)], ..Files::default() };
    let once = edited(&hello(), &["--containers", "unread"], &files("p:1")).unwrap();
    let twice = edited(&once, &["--containers", "unread"], &files("p:2")).unwrap();
    assert_eq!(twice.spec.template.spec.containers[1..], [sidecar("p:2")]);
}

#[test]
fn malformed_flags_are_refused() {
    let check = |flags: &[&str], expect: &str| {
        assert_eq!(edited(&hello(), flags, &Files::default()).unwrap_err(), expect, "{flags:?}");
    };
    check(
        &["--env", "A"],
        "Invalid --env: argument requires a value that contains the \"=\" character; got \"A\"",
    );
    check(
        &["--env-value-from", "A=cm:x"],
        "argument requires a value in form \"resourceType:name:key\" where \"resourceType\" can be one of \
         \"config-map\" (\"cm\") or \"secret\" (\"sc\"); got \"cm:x\"",
    );
    check(&["--env-from", "x"], "argument requires a value that contains the : character; got \"x\"");
    check(&["--mount", "/a=nope"], "There is no volume matched with \"nope\"");
    check(&["--volume", "a=cm:x:y"], "incorrect mount details for type \"cm\"");
    check(&["--volume", "a=cm:"], "the name of cm cannot be an empty string");
    check(&["--request", "cpu=lots"], "\"lots\" is no quantity for cpu; examples: 100m, 0.5, 256Mi, 1Gi");
    check(
        &["--port", "http"],
        "the port specification 'http' is not valid. Please provide in the format 'NAME:PORT', where 'NAME' is optional. Examples: '--port h2c:8080' , '--port 8080'.",
    );
    for port in ["0", "-1", "65536"] {
        let expect = format!("invalid port {port} (must be between 1 and 65535)");
        check(&["--port", port], &expect);
        check(&["--port", &format!("h2c:{port}")], &expect);
    }
    check(&["--concurrency-limit", "-1"], "invalid concurrency-limit -1 (must not be less than 0)");
    check(
        &["--pull-policy", "x"],
        "invalid --pull-policy x. Valid arguments (case insensitive): Always | Never | IfNotPresent",
    );
    check(
        &["--probe-liveness", "grpc:1"],
        "unsupported probe type 'grpc'; supported types: http, https, exec, tcp",
    );
    check(&["--probe-liveness-opts", "Period=1"], "not a valid probe parameter name 'Period'");
    check(&["--scale", "many"], "Scale must be of the format x..y or x");
    check(&["--scale-window", "soon"], "invalid duration for 'scale-window': \"soon\"; examples: 60s, 2m");
    check(
        &["--annotation-service", "autoscaling.knative.dev/target=1"],
        "service can not have auto-scaling related annotation: autoscaling.knative.dev/target , please update using \
         '--annotation-revision'",
    );
    check(
        &["--scale-init", "1", "-a", "autoscaling.knative.dev/initial-scale=2"],
        "only one of the --scale-init or --annotation autoscaling.knative.dev/initial-scale can be specified",
    );
    check(
        &["--label", "a=1", "--label", "a=2"],
        "Invalid --label: The key \"a\" has been duplicate in [\"a=1\", \"a=2\"]",
    );
}
