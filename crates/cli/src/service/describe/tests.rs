use serde_json::{Value, json};

use super::*;

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn service(status: Value) -> Service {
    serde_json::from_value(json!({
        "metadata": {
            "name": "hello",
            "namespace": "default",
            "creationTimestamp": "2026-11-15T12:00:00Z",
            "labels": { "app": "shop" },
            "annotations": { "serving.knative.dev/creator": "admin", "note": "kept" },
        },
        "spec": { "template": { "spec": { "containers": [{ "image": "dev.local/hello:2" }] } } },
        "status": status,
    }))
    .unwrap()
}

fn revision(name: &str, generation: &str, ready: Value) -> Revision {
    serde_json::from_value(json!({
        "metadata": {
            "name": name,
            "namespace": "default",
            "creationTimestamp": "2026-11-19T12:00:00Z",
            "labels": { "serving.knative.dev/configurationGeneration": generation },
            "annotations": {
                "client.knative.dev/user-image": "dev.local/hello:2",
                "autoscaling.knative.dev/min-scale": "1",
                "autoscaling.knative.dev/target": "50",
            },
        },
        "spec": {
            "containerConcurrency": 10,
            "containers": [{
                "image": "dev.local/hello@sha256:0123456789",
                "ports": [{ "containerPort": 8080 }],
                "env": [{ "name": "A", "value": "1" }, { "name": "B", "valueFrom": {} }],
                "envFrom": [{ "configMapRef": { "name": "c" } }],
                "resources": { "requests": { "memory": "64Mi", "cpu": "100m" }, "limits": { "memory": "128Mi" } },
            }],
        },
        "status": {
            "actualReplicas": 0,
            "desiredReplicas": 0,
            "containerStatuses": [{ "imageDigest": "dev.local/hello@sha256:0123456789" }],
            "conditions": ready,
        },
    }))
    .unwrap()
}

fn conditions(ready: &str, routes: &str, reason: &str, message: &str) -> Value {
    let at = "2026-11-20T11:59:30Z";
    let of = |name: &str, status: &str| {
        let explained = status != "True";
        json!({
            "type": name, "status": status, "lastTransitionTime": at,
            "reason": if explained { reason } else { "" }, "message": if explained { message } else { "" },
        })
    };
    json!([of("ConfigurationsReady", ready), of("Ready", ready), of("RoutesReady", routes)])
}

#[test]
fn a_ready_service_looks_as_upstream_shows_it() {
    let ready = json!([{ "type": "Ready", "status": "True" }]);
    let service = service(json!({
        "url": "http://hello.default.localhost",
        "address": { "url": "http://hello.default.svc.cluster.local" },
        "latestCreatedRevisionName": "hello-00002",
        "latestReadyRevisionName": "hello-00002",
        "traffic": [
            { "revisionName": "hello-00002", "latestRevision": true, "percent": 90 },
            { "revisionName": "hello-00001", "latestRevision": false, "percent": 10, "tag": "old" },
        ],
        "conditions": conditions("True", "True", "", ""),
    }));
    let revisions = [revision("hello-00001", "1", ready.clone()), revision("hello-00002", "2", ready)];
    let starts = [ColdStart::of("hello-00002", "2026-11-20T11:59:00Z", [2.94, 0.1, 0.31, 0.8, 1.5, 0.23])];
    assert_eq!(
        describe(&service, &revisions, Seen { cold_starts: &starts, ..Seen::default() }, false, now()),
        "\
Name:         hello
Namespace:    default
Labels:       app=shop
Annotations:  note=kept
Age:          5d
URL:          http://hello.default.localhost

Revisions:  
   90%  @latest (hello-00002) [2] (1d)
        Image:     dev.local/hello:2 (pinned to 012345)
        Replicas:  0/0
   10%  hello-00001 #old [1] (1d)
        Image:     dev.local/hello:2 (pinned to 012345)
        Replicas:  0/0

Conditions:  
  OK TYPE                   AGE REASON
  ++ Ready                  30s 
  ++ ConfigurationsReady    30s 
  ++ RoutesReady            30s 

Cold starts:  TOTAL is QUEUE and CONNECT; in QUEUE are SCHEDULE, SANDBOX and START
  AGE  REVISION     TOTAL  QUEUE  SCHEDULE  SANDBOX  START  CONNECT
  1m   hello-00002  2.9ms  0.1ms  0.3ms     0.8ms    1.5ms  0.2ms
"
    );
}

#[test]
fn verbose_shows_how_revisions_run() {
    let ready = json!([{ "type": "Ready", "status": "True" }]);
    let service = service(json!({
        "url": "http://hello.default.localhost",
        "address": { "url": "http://hello.default.svc.cluster.local" },
        "latestReadyRevisionName": "hello-00002",
        "conditions": [],
    }));
    let revisions = [revision("hello-00002", "2", ready)];
    let text = describe(&service, &revisions, Seen::default(), true, now());
    let expect = "\
Name:         hello
Namespace:    default
Labels:       app=shop
Annotations:  note=kept
              serving.knative.dev/creator=admin
Age:          5d
URL:          http://hello.default.localhost
Cluster:      http://hello.default.svc.cluster.local

Revisions:  
     +  hello-00002 (current @latest) [2] (1d)
        Image:        dev.local/hello:2 (pinned to 012345)
        Replicas:     0/0
        Port:         8080
        Env:          A=1
                      B=[ref]
        EnvFrom:      cm:c
        Scale:        1 ... ∞
        Concurrency:  
          Limit:      10
          Target:     50
        Memory:       64Mi ... 128Mi
        CPU:          100m
";
    assert!(text.starts_with(expect), "{text}");
}

#[test]
fn a_service_that_is_not_ready_says_why_and_what_to_try() {
    let check = |service: Value, revision_conditions: Value, expect: &str| {
        let service = self::service(service);
        let revisions = [revision("hello-00001", "1", revision_conditions)];
        let text = describe(&service, &revisions, Seen::default(), false, now());
        let why = text.find("Not ready:").map(|at| &text[at..]).unwrap_or_default();
        assert_eq!(why, expect);
        let obstacle = why.lines().find_map(|line| line.strip_prefix("Revision:   "));
        assert_eq!(
            self::obstacle(&service, &revisions),
            obstacle.map(|told| format!("revision {told}")),
            "who waits is told the same"
        );
    };
    let failed = |part: &str, reason: &str, message: &str, next: &str| {
        let of =
            |name: &str| json!({ "type": name, "status": "False", "reason": reason, "message": message });
        check(
            json!({
                "latestCreatedRevisionName": "hello-00001",
                "conditions": conditions("False", "Unknown", "RevisionFailed", "Revision \"hello-00001\" failed."),
            }),
            json!([of(part), of("Ready")]),
            &format!(
                "\
Not ready:  ConfigurationsReady: RevisionFailed: Revision \"hello-00001\" failed.
Revision:   hello-00001: {part}: {reason}: {message}
Try next:   {next}
"
            ),
        );
    };
    let logs = "read the app's logs: `kubectl logs -n default -l serving.knative.dev/revision=hello-00001 -c user-container --tail 50`";
    for (part, reason, message, next) in [
        (
            "ContainerHealthy",
            "ContainerMissing",
            "no such image",
            "`ebb image load FILE --name dev.local/hello:2`, or correct the name: `ebb service update hello -n default --image IMAGE`; Ebb tries again by itself",
        ),
        ("ContainerHealthy", "ExitCode1", "exited", logs),
        (
            "ResourcesAvailable",
            "StartError",
            "exec /x: no such file",
            "set a program that exists in the image: `ebb service update hello -n default --cmd PROGRAM --arg ARGUMENT`, or another image: `--image IMAGE`",
        ),
        (
            "ResourcesAvailable",
            "ContainerCannotRun",
            "starting container user-container: making the container's process: Too many open files (os error 24)",
            "this machine lacks what the message names (memory, disk, processes, open files): make room, or see the log of `ebb up`; Ebb tries again by itself",
        ),
    ] {
        failed(part, reason, message, next);
    }
    let no_registry = "can this machine reach the registry (DNS, route, proxy)? Without it: `ebb image load FILE --name dev.local/hello:2`; Ebb tries again by itself";
    for (cause, next) in [
        ("unreachable: failed to lookup address information", no_registry),
        ("no answer within 4s", no_registry),
        (
            "unauthorized: authentication required",
            "is the name right? A private one needs `kubectl create secret docker-registry SECRET -n default …`, then `ebb service update hello -n default --pull-secret SECRET`",
        ),
    ] {
        let message = format!(
            "Unable to fetch image \"r.example/i:1\": resolve r.example/i:1: registry r.example: {cause}"
        );
        failed("ContainerHealthy", "ContainerMissing", &message, next);
    }
    check(
        json!({
            "latestCreatedRevisionName": "hello-00001",
            "conditions": conditions("False", "Unknown", "RevisionFailed", "Revision \"hello-00001\" failed with message: exited."),
        }),
        json!([{ "type": "Ready", "status": "False", "reason": "ExitCode1", "message": "exited" }]),
        &format!(
            "\
Not ready:  ConfigurationsReady: RevisionFailed
Revision:   hello-00001: Ready: ExitCode1: exited
Try next:   {logs}
"
        ),
    );
    for (said, expect) in [
        (
            "Readiness probe failed: dial tcp :8080: Connection refused (os error 111)",
            "nothing listens on that port in the container: have the app listen on $PORT, or say which it has: `ebb service update hello -n default --port PORT`; its logs: `kubectl logs -n default -l serving.knative.dev/revision=hello-00001 -c user-container --tail 50`",
        ),
        (
            "Readiness probe failed: HTTP probe failed with statuscode: 404",
            "does the app listen on its port (--port) and answer its probe? `kubectl logs -n default -l serving.knative.dev/revision=hello-00001 -c user-container --tail 50`",
        ),
    ] {
        let of =
            |name: &str| json!({ "type": name, "status": "Unknown", "reason": "Deploying", "message": said });
        check(
            json!({
                "latestCreatedRevisionName": "hello-00001",
                "conditions": conditions("Unknown", "Unknown", "Deploying", "it is not there yet"),
            }),
            json!([of("ResourcesAvailable"), of("Ready")]),
            &format!(
                "\
Not ready:  ConfigurationsReady: Deploying: it is not there yet
Revision:   hello-00001: ResourcesAvailable: Deploying: {said}
Try next:   {expect}
"
            ),
        );
    }
    check(
        json!({ "conditions": [
            { "type": "Ready", "status": "False", "reason": "RevisionMissing", "message": "Revision \"x\" is missing." },
            { "type": "RoutesReady", "status": "False", "reason": "RevisionMissing", "message": "Revision \"x\" is missing." },
        ] }),
        json!([{ "type": "Ready", "status": "True" }]),
        "\
Not ready:  RoutesReady: RevisionMissing: Revision \"x\" is missing.
Try next:   send the traffic to a revision that exists: `ebb revision list -n default -s hello`, then `ebb service update hello -n default --traffic …`
",
    );
    check(
        json!({}),
        json!([{ "type": "Ready", "status": "True" }]),
        "\
Not ready:  no controller has looked at it yet
Try next:   it is being worked on: `ebb service wait hello -n default`
",
    );
}

#[test]
fn plain_processes_are_told_that_they_see_other_files() {
    let told = |reason: &str, plain_processes: bool| {
        let failed = json!([
            { "type": "Ready", "status": "False", "reason": reason, "message": "can't change directory to '/www'" },
            { "type": "SpecHonored", "status": "False", "severity": "Info", "reason": "NotHonoured",
              "message": "this node's runtime does not honour resources.limits" },
        ]);
        let service = service(json!({ "latestCreatedRevisionName": "hello-00001", "conditions": failed }));
        let seen = Seen { plain_processes, ..Seen::default() };
        let text = describe(&service, &[revision("hello-00001", "1", failed)], seen, false, now());
        assert!(
            text.contains("\nLeft out:   this node's runtime does not honour resources.limits\n"),
            "{text}"
        );
        text.contains("sees this machine's files, not its image's")
    };
    assert!(told("ExitCode1", true) && told("StartError", true));
    assert!(!told("ExitCode1", false) && !told("ContainerMissing", true));
}

#[test]
fn what_to_try_about_an_image_names_it_as_the_user_does() {
    let missing =
        json!([{ "type": "Ready", "status": "False", "reason": "ContainerMissing", "message": "none" }]);
    let mut service = service(json!({ "latestCreatedRevisionName": "hello-00001", "conditions": missing }));
    let revisions = [revision("hello-00001", "1", missing.clone())];
    let image = |reference: &str, digest: &str| -> Image {
        serde_json::from_value(json!({ "reference": reference, "digest": digest })).unwrap()
    };
    let there = ["dev.local/other:1", "r.example/hello:2"].map(|reference| image(reference, "sha256:aa"));
    let check = |service: &Service, there: &[Image], expect: &str| {
        assert!(why::misses_image(service, &revisions));
        let text = describe(service, &revisions, Seen { images: there, ..Seen::default() }, false, now());
        let (_, advice) = text.split_once("Try next:").unwrap();
        assert_eq!(advice.trim(), expect);
    };
    let load = "`ebb image load FILE --name dev.local/hello:2`, or correct the name: `ebb service update hello -n default \
                --image IMAGE`; Ebb tries again by itself";
    check(&service, &[], load);
    // As a command has pinned it.
    let template = &mut service.spec.template;
    template.spec.containers[0].image = Some("dev.local/hello@sha256:0123456789".into());
    let annotations = template.metadata.annotations.get_or_insert_default();
    annotations.insert("client.knative.dev/user-image".into(), "dev.local/hello:2".into());
    check(&service, &there[..1], load);
    check(
        &service,
        &there,
        "r.example/hello:2 is loaded, if that is the one: `ebb service update hello -n default --image r.example/hello:2`; or \
         load this one: `ebb image load FILE --name dev.local/hello:2`",
    );
    // It is not the latest build of that name that the revision runs.
    let another = image("dev.local/hello:2", "sha256:37cb7f00");
    let expect = "dev.local/hello:2 is here as another build (37cb7f; the revision wants 012345): `ebb service update hello \
                  -n default --image dev.local/hello:2`";
    check(&service, &[there[1].clone(), another], expect);
    check(&service, &[image("dev.local/hello:2", "sha256:0123456789")], load);
    let ready = self::service(json!({ "conditions": conditions("True", "True", "", "") }));
    assert!(!why::misses_image(&ready, &[]), "nobody asks for images in vain");
}

#[test]
fn a_pinned_image_has_its_users_name_also_before_it_is_found() {
    let service = service(json!({ "latestCreatedRevisionName": "hello-00001", "conditions": [] }));
    let mut revision = revision("hello-00001", "1", json!([]));
    revision.status.container_statuses.clear();
    let text = describe(&service, &[revision], Seen::default(), false, now());
    assert!(text.contains("Image:     dev.local/hello:2 (pinned to 012345)\n"), "{text}");
}

#[test]
fn warnings_are_told_of_a_service_that_is_ready_too() {
    let event = |kind: &str, name: &str, reason: &str, message: &str, last: &str| -> Event {
        let api_version = if kind == "Pod" { "v1" } else { "serving.knative.dev/v1" };
        serde_json::from_value(json!({
            "metadata": { "name": "e" },
            "involvedObject": { "apiVersion": api_version, "kind": kind, "name": name },
            "type": "Warning", "reason": reason, "message": message, "count": 3, "lastTimestamp": last,
        }))
        .unwrap()
    };
    let pod = "hello-00001-deployment-5d8-abc";
    let killed = "Container user-container was killed: it took more memory than it may (its limit is 64Mi)";
    let events = [
        event("Pod", pod, "Unhealthy", "Readiness probe failed: refused", "2026-11-20T11:00:00Z"),
        event("Pod", "hello-00001b-deployment-1", "BackOff", "of another service", "2026-11-20T11:59:59Z"),
        event("Service", "other", "InternalError", "of another service", "2026-11-20T11:59:59Z"),
        event("Pod", pod, "BackOff", "Back-off restarting failed container", "2026-11-20T11:59:48Z"),
        event("Pod", pod, "OOMKilled", killed, "2026-11-20T11:59:48Z"),
        event("Pod", "hello-00001-deployment-5d8-xyz", "OOMKilled", killed, "2026-11-20T11:59:40Z"),
        event("Service", "hello", "InternalError", "the API\nwas busy", "2026-11-20T10:00:00Z"),
    ];
    let ready = json!([{ "type": "Ready", "status": "True" }]);
    let service = service(json!({ "conditions": conditions("True", "True", "", "") }));
    let revisions = [revision("hello-00001", "1", ready)];
    let warnings = warnings::newest_of(&service, &revisions, events.to_vec());
    let told = |warnings: &[Event]| {
        let text = describe(&service, &revisions, Seen { warnings, ..Seen::default() }, false, now());
        text.find("Warnings:").map(|at| text[at..].to_owned()).unwrap_or_default()
    };
    assert_eq!(
        told(&warnings),
        "\
Warnings:  
  AGE  COUNT  OBJECT                              REASON         MESSAGE
  12s  3      pod/hello-00001-deployment-5d8-abc  BackOff        Back-off restarting failed container
  12s  3      pod/hello-00001-deployment-5d8-abc  OOMKilled      Container user-container was killed: it took more memory than it may (its limit is 64Mi)
  1h   3      pod/hello-00001-deployment-5d8-abc  Unhealthy      Readiness probe failed: refused
  2h   3      service/hello                       InternalError  the API was busy
Try next:  change requests or limits: `ebb service update hello -n default --request cpu=…,memory=… --limit cpu=…,memory=…`
"
    );
    assert!(!told(&warnings[2..]).contains("Try next"), "what is long over needs no remedy");
    let missing = [event("Pod", pod, "ImagePullBackOff", "no such image", "2026-11-20T11:59:48Z")];
    assert!(!told(&missing).contains("Try next"), "what is ready has its image");
    assert_eq!(told(&[]), "");
}
