use resources::reserved::QUEUE_PROXY_IMAGE;
use serde_json::{Value, json};

use super::*;

fn taken_over(policy: &str, is_init: bool, state: Value, last: Option<i32>) -> Record {
    let (containers, statuses) = match is_init {
        true => ("initContainers", "initContainerStatuses"),
        false => ("containers", "containerStatuses"),
    };
    let mut status = json!({
        "name": "app", "image": "app", "imageID": "sha256:1", "ready": true, "restartCount": 3, "state": state,
    });
    if let Some(code) = last {
        status["lastState"] = json!({ "terminated": { "exitCode": code } });
    }
    let mut pod = json!({ "spec": { "containers": [], "restartPolicy": policy }, "status": {} });
    pod["spec"][containers] = json!([{ "name": "app" }]);
    pod["status"][statuses] = json!([status]);
    let pod: Pod = serde_json::from_value(pod).unwrap();
    records(&pod, None, now()).remove(0)
}

fn now() -> Now {
    Now { time: Timestamp::from_second(1000).unwrap(), instant: Instant::now() }
}

#[tokio::test]
async fn what_was_told_is_taken_over() {
    let running = || json!({ "running": {} });
    let done = |code: i32| json!({ "terminated": { "exitCode": code } });
    let crashing = || json!({ "waiting": { "reason": "CrashLoopBackOff" } });
    // The policy, what was told, and then: whether it runs again, which run that is, and how the run before ended.
    for (policy, is_init, state, last, again, run, before) in [
        ("Always", false, running(), Some(1), true, 4, Some(137)),
        ("Always", false, crashing(), Some(1), true, 4, Some(1)),
        ("Always", false, done(0), None, true, 4, Some(0)),
        ("OnFailure", false, done(0), Some(5), false, 3, Some(5)),
        ("OnFailure", false, done(2), None, true, 4, Some(2)),
        ("Never", false, done(2), None, false, 3, None),
        ("Always", true, done(0), None, true, 4, Some(0)),
    ] {
        let name = format!("{policy} {is_init} {state}");
        let record = taken_over(policy, is_init, state, last);
        let waits = matches!(record.state, State::Waiting { .. });
        let last = record.last.as_ref().map(|last| last.code);
        assert_eq!((waits, record.next_run(), last), (again, run, before), "{name}");
        assert_eq!(record.restarts, 3, "{name}: it is counted when it begins");
        assert_eq!(record.image_id, "sha256:1", "{name}");
    }
}

#[tokio::test]
async fn an_end_in_order_is_told_apart_from_one_that_nobody_saw() {
    let running = json!({ "name": "app", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": { "running": {} } });
    let stop = json!({ "type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet" });
    for (conditions, expect) in [
        (json!([stop]), "It was stopped with the node"),
        (json!([]), "It ended while the node was restarted"),
    ] {
        let pod = pod(json!({ "containerStatuses": [running.clone()], "conditions": conditions }));
        let all = records(&pod, None, now());
        let last = all[1].last.as_ref().unwrap();
        assert_eq!((last.reason.as_str(), last.message.as_str()), (CONTAINER_STATUS_UNKNOWN, expect));
    }
}

#[tokio::test]
async fn what_never_ran_is_not_counted() {
    let status = |name: &str, restarts: i32, state: Value| json!({ "name": name, "image": "", "imageID": "", "ready": false, "restartCount": restarts, "state": state });
    let waiting = |reason: &str| json!({ "waiting": { "reason": reason } });
    let counts = |app: Value| {
        let running = json!({ "running": {} });
        let statuses = json!([app, status("app-1", 0, running.clone()), status("queue-proxy", 0, running)]);
        let all = records(&pod(json!({ "containerStatuses": statuses })), None, now());
        all.iter().map(Record::next_run).collect::<Vec<_>>()
    };
    let mut not_run = status("app", 2, waiting("CrashLoopBackOff"));
    not_run["lastState"] = json!({ "terminated": { "exitCode": 128, "reason": "StartError" } });
    // The init container, the app, another one that ran, and what the node itself is.
    assert_eq!(counts(status("app", 0, waiting("ErrImagePull"))), [0, 0, 1, 0]);
    assert_eq!(counts(status("app", 0, waiting("ContainerCreating"))), [0, 0, 1, 0]);
    assert_eq!(counts(not_run), [0, 3, 1, 0]);
}

#[tokio::test]
async fn a_back_off_goes_on() {
    let wait = |state| taken_over("Always", false, state, Some(1)).backoff.after(std::time::Duration::ZERO);
    assert_eq!(wait(json!({ "waiting": { "reason": "CrashLoopBackOff" } })).as_secs(), 80);
    assert_eq!(wait(json!({ "running": {} })).as_secs(), 0);
}

#[test]
fn what_was_told_before_is_outdated() {
    let conditions = |conditions: Value| json!({ "conditions": conditions });
    let containers = |list: &str, state: Value| {
        let container = json!({ "name": "c", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": state });
        json!({ list: [container] })
    };
    let waiting = |reason: &str| containers("containerStatuses", json!({ "waiting": { "reason": reason } }));
    let ready = json!([{ "type": "PodScheduled", "status": "True" }, { "type": "Ready", "status": "True" }]);
    let init = json!({ "waiting": { "reason": "ErrImagePull" } });
    for (status, expect) in [
        (conditions(json!([])), false),
        (conditions(json!([{ "type": "Ready", "status": "False" }])), false),
        (conditions(ready), true),
        (waiting("ContainerCreating"), false),
        (waiting("PodInitializing"), false),
        (waiting("ImagePullBackOff"), true),
        (waiting("CrashLoopBackOff"), true),
        (containers("initContainerStatuses", init), true),
        (containers("containerStatuses", json!({ "running": {} })), false),
        (containers("containerStatuses", json!({ "terminated": { "exitCode": 1 } })), false),
    ] {
        let status: PodStatus = serde_json::from_value(status).unwrap();
        assert_eq!(is_outdated(Some(&status)), expect, "{status:?}");
    }
    assert!(!is_outdated(None));
}

#[test]
fn a_place_is_news_once() {
    for (conditions, expect) in [
        (json!([]), false),
        (json!([{ "type": "PodScheduled", "status": "False", "reason": "Unschedulable" }]), false),
        (json!([{ "type": "Ready", "status": "True" }]), false),
        (json!([{ "type": "Ready", "status": "False" }, { "type": "PodScheduled", "status": "True" }]), true),
    ] {
        let status: PodStatus = serde_json::from_value(json!({ "conditions": conditions })).unwrap();
        assert_eq!(was_placed(Some(&status)), expect, "{status:?}");
    }
    assert!(!was_placed(None));
}

#[tokio::test]
async fn why_a_start_had_failed_is_not_told_on() {
    for reason in ["ImagePullBackOff", "CrashLoopBackOff"] {
        let state = json!({ "waiting": { "reason": reason } });
        let record = taken_over("Always", false, state, Some(1));
        let State::Waiting { reason: told, .. } = record.state else { panic!("{record:?}") };
        assert_eq!(told, "ContainerCreating", "{reason}");
    }
}

/// A pod with an init container, an app and the node's own queue-proxy.
fn pod(statuses: Value) -> Pod {
    let probe = json!({ "tcpSocket": { "port": 80 } });
    serde_json::from_value(json!({
        "metadata": { "uid": "uid" },
        "spec": {
            "initContainers": [{ "name": "init" }],
            "containers": [
                { "name": "app", "readinessProbe": probe, "startupProbe": probe },
                { "name": "app-1" },
                { "name": "queue-proxy", "image": QUEUE_PROXY_IMAGE, "readinessProbe": probe },
            ],
        },
        "status": statuses,
    }))
    .unwrap()
}

fn kept(pod: &Pod, ids: &[&str]) -> Option<Kept> {
    let started_at = std::time::UNIX_EPOCH + Duration::from_secs(900);
    let started = crate::runtime::Started { pid: 1, started_at, timings: Default::default() };
    let container = |id: &&str| TakenOverContainer {
        id: (*id).into(),
        started,
        runs: true,
        readers: None,
        content: String::new(),
    };
    let addresses = vec!["10.88.0.7".parse().unwrap()];
    Kept::of(
        pod,
        TakenOver { sandbox: "uid".into(), addresses, containers: ids.iter().map(container).collect() },
    )
}

#[test]
fn what_is_kept_is_found_by_its_name() {
    let pod = pod(json!({}));
    for (ids, runs, earlier) in [
        (&["uid-app-0"][..], &[("app", 0)][..], &[][..]),
        (&["uid-app-1-0", "uid-app-12"], &[("app", 12), ("app-1", 0)], &[]),
        (&["uid-app-3", "uid-app-4"], &[("app", 4)], &["uid-app-3"]),
        (&["uid-app-4", "uid-app-3", "uid-gone-0"], &[("app", 4)], &["uid-app-3", "uid-gone-0"]),
    ] {
        let kept = kept(&pod, ids).unwrap();
        let found: Vec<_> = kept.runs.iter().map(|(name, kept)| (name.as_str(), kept.run)).collect();
        let before: Vec<_> = kept.earlier.iter().map(ContainerId::as_str).collect();
        assert_eq!((found.as_slice(), before.as_slice()), (runs, earlier), "{ids:?}");
    }
    assert!(kept(&pod, &[]).is_none(), "a sandbox alone");
    assert!(kept(&pod, &["uid-gone-0"]).is_none(), "a container that the pod does not have");
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_goes_on() {
    tokio::time::advance(Duration::from_secs(1000)).await;
    let runs = |restarts: i32, ready: bool| {
        json!({
            "imageID": "sha256:1", "ready": ready, "started": true, "restartCount": restarts, "image": "",
            "state": { "running": { "startedAt": "1970-01-01T00:10:00Z" } },
            "lastState": { "terminated": { "exitCode": 5 } },
        })
    };
    let named = |name: &str, mut status: Value| {
        status["name"] = name.into();
        status
    };
    let done = json!({ "imageID": "", "image": "", "ready": true, "restartCount": 1,
        "state": { "terminated": { "exitCode": 0 } } });
    let pod = pod(json!({
        "initContainerStatuses": [named("init", done)],
        "containerStatuses": [
            named("app", runs(2, true)), named("app-1", runs(0, true)), named("queue-proxy", runs(0, true)),
        ],
    }));

    // As it was told: times, counts, readiness, and the init container is done.
    let all = records(&pod, kept(&pod, &["uid-app-2", "uid-app-1-0"]).as_ref(), now());
    let [init, app, other, queue_proxy] = all.as_slice() else { panic!("{all:?}") };
    assert!(matches!(&init.state, State::Ended(ended) if ended.code == 0) && init.restarts == 1);
    let running = app.running().unwrap();
    assert_eq!((running.started_at.as_second(), running.since.elapsed().as_secs()), (600, 400));
    assert!(running.started && running.ready && running.id == Some("uid-app-2".into()));
    assert!(running.probes.iter().all(|probe| probe.wait(None).is_zero()));
    assert_eq!(
        (app.restarts, app.last.as_ref().map(|last| last.code), app.image_id.as_str()),
        (2, Some(5), "sha256:1")
    );
    assert!(other.running().is_some_and(|running| running.ready) && queue_proxy.running().is_some());
    assert!(queue_proxy.running().unwrap().ready && queue_proxy.running().unwrap().id.is_none());

    // The app was restarted just before, which was not told; the other one ended, and nothing is left of it.
    let all = records(&pod, kept(&pod, &["uid-app-3"]).as_ref(), now());
    let [_, app, other, queue_proxy] = all.as_slice() else { panic!("{all:?}") };
    let running = app.running().unwrap();
    assert_eq!((app.restarts, running.started_at.as_second()), (3, 900), "as the keeper has it");
    assert!(!running.started && !running.ready, "its probes begin anew");
    assert!(other.running().is_none() && queue_proxy.running().is_some());
    assert_eq!((other.restarts, other.next_run()), (0, 1));
}
