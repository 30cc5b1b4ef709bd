use serde_json::json;

use super::*;

fn deployment(replicas: i32, surge: &str, unavailable: &str) -> Deployment {
    serde_json::from_value(json!({
        "metadata": { "name": "web", "namespace": "team", "uid": "d1", "generation": 1 },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": { "app": "web" } },
            "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxSurge": surge, "maxUnavailable": unavailable } },
            "template": { "metadata": { "labels": { "app": "web" } }, "spec": { "containers": [] } }
        }
    }))
    .unwrap()
}

/// A set as (wanted, existing, available).
fn set(name: &str, (wanted, existing, available): (i32, i32, i32)) -> Arc<ReplicaSet> {
    Arc::new(
        serde_json::from_value(json!({
            "metadata": { "name": name },
            "spec": { "replicas": wanted, "selector": {} },
            "status": { "replicas": existing, "availableReplicas": available, "readyReplicas": available }
        }))
        .unwrap(),
    )
}

#[test]
fn a_rollout_goes_step_by_step() {
    // replicas, surge, unavailable, new set, old set → the sizes that change
    type Step =
        (i32, &'static str, &'static str, (i32, i32, i32), (i32, i32, i32), &'static [(&'static str, i32)]);
    let steps: &[Step] = &[
        (3, "25%", "25%", (0, 0, 0), (3, 3, 3), &[("new", 1)]),
        (3, "25%", "25%", (1, 1, 0), (3, 3, 3), &[]),
        (3, "25%", "25%", (1, 1, 1), (3, 3, 3), &[("old", 2)]),
        (3, "25%", "25%", (1, 1, 1), (2, 2, 2), &[("new", 2)]),
        (3, "25%", "25%", (3, 3, 3), (1, 1, 1), &[("old", 0)]),
        (4, "0", "100%", (0, 0, 0), (4, 4, 4), &[("old", 0)]),
        (2, "1", "0", (0, 0, 0), (2, 2, 0), &[("new", 1)]),
        (2, "1", "0", (1, 1, 0), (2, 2, 0), &[]),
    ];
    for (replicas, surge, unavailable, new, old, expect) in steps {
        let deployment = deployment(*replicas, surge, unavailable);
        let sizes = rollout::sizes(&deployment, &set("new", *new), &[set("old", *old)]);
        let sizes: Vec<_> = sizes.iter().map(|(set, size)| (set.name(), *size)).collect();
        assert_eq!(
            sizes, *expect,
            "{replicas} replicas, surge {surge}, unavailable {unavailable}, new {new:?}, old {old:?}"
        );
    }
}

type Sizes = &'static [(&'static str, i32)];

fn check_sizes(deployment: &Deployment, new: (i32, i32, i32), old: (i32, i32, i32), expect: Sizes) {
    let sizes = rollout::sizes(deployment, &set("new", new), &[set("old", old)]);
    let sizes: Vec<_> = sizes.iter().map(|(set, size)| (set.name(), *size)).collect();
    assert_eq!(sizes, expect, "new {new:?}, old {old:?}");
}

#[test]
fn recreating_begins_when_the_last_old_pod_is_gone() {
    let mut deployment = deployment(3, "25%", "25%");
    deployment.spec.as_mut().unwrap().strategy =
        serde_json::from_value(json!({ "type": "Recreate" })).unwrap();
    for (new, old, expect) in [
        ((0, 0, 0), (3, 3, 3), &[("old", 0)][..]),
        ((0, 0, 0), (0, 3, 3), &[]),
        ((0, 0, 0), (0, 1, 0), &[]),
        ((0, 0, 0), (0, 0, 0), &[("new", 3)]),
        ((3, 3, 3), (0, 0, 0), &[]),
    ] {
        check_sizes(&deployment, new, old, expect);
    }
}

#[test]
fn a_pause_holds_the_templates_and_not_the_size() {
    let deployment = deployment(5, "25%", "25%");
    for (new, old, expect) in [
        // Between two sets nothing moves; the only one with pods follows the Deployment.
        ((1, 1, 1), (4, 4, 4), None),
        ((1, 1, 1), (2, 2, 2), None),
        ((0, 0, 0), (2, 2, 2), Some(("old", 5))),
        ((7, 7, 7), (0, 0, 0), Some(("new", 5))),
        ((5, 5, 5), (0, 0, 0), None),
    ] {
        let size = rollout::paused_size(&deployment, &[set("old", old), set("new", new)]);
        let size = size.as_ref().map(|(set, size)| (set.name(), *size));
        assert_eq!(size, expect, "new {new:?}, old {old:?}");
    }
}

#[test]
fn a_change_of_size_reaches_the_only_set() {
    let sizes = rollout::sizes(&deployment(0, "25%", "0"), &set("new", (1, 1, 1)), &[]);
    assert_eq!(sizes[0].1, 0);
    let sizes = rollout::sizes(&deployment(5, "25%", "0"), &set("new", (1, 1, 1)), &[]);
    assert_eq!(sizes[0].1, 5);
}

#[test]
fn the_progress_deadline_passes_only_without_progress() {
    let at = |seconds: i64| resources::meta::Time(jiff::Timestamp::from_second(seconds).unwrap());
    let mut deployment = deployment(1, "25%", "0");
    deployment.spec.as_mut().unwrap().progress_deadline_seconds = Some(60);
    let stuck = set("web-1", (1, 1, 0));
    let (first, again) = status::status(&deployment, Some(&stuck), &[], &at(0), &at(0));
    assert_eq!(again.map(|wait| wait.as_secs()), Some(60));
    deployment.status = Some(first);
    let (late, _) = status::status(&deployment, Some(&stuck), &[], &at(0), &at(61));
    let progressing = |status: &resources::builtin::DeploymentStatus| {
        let condition =
            status.conditions.iter().flatten().find(|condition| condition.type_ == "Progressing").unwrap();
        (condition.status.clone(), condition.reason.clone().unwrap())
    };
    assert_eq!(progressing(&late), ("False".to_owned(), "ProgressDeadlineExceeded".to_owned()));
    let (done, _) = status::status(&deployment, Some(&set("web-1", (1, 1, 1))), &[], &at(0), &at(61));
    assert_eq!(progressing(&done), ("True".to_owned(), "NewReplicaSetAvailable".to_owned()));
}

#[test]
fn a_missed_deadline_is_left_behind_with_the_last_wanted_pod() {
    let at = |seconds: i64| Time(jiff::Timestamp::from_second(seconds).unwrap());
    let missed = || {
        let mut deployment = deployment(1, "25%", "0");
        deployment.spec.as_mut().unwrap().progress_deadline_seconds = Some(60);
        for now in [0, 61] {
            let (status, _) =
                status::status(&deployment, Some(&set("web-1", (1, 1, 0))), &[], &at(0), &at(now));
            deployment.status = Some(status);
        }
        deployment
    };
    // How many are wanted, one after the other, and the set as it is seen each time.
    type Step = (i32, (i32, i32, i32));
    let cases: [(&[Step], &str); 6] = [
        (&[(1, (1, 1, 0))], "ProgressDeadlineExceeded"),
        (&[(0, (0, 0, 0)), (1, (1, 1, 0))], "NewReplicaSetAvailable"),
        // Another one is wanted before the last one is gone, or its set has heard of it.
        (&[(0, (0, 1, 0)), (1, (1, 2, 0))], "NewReplicaSetAvailable"),
        (&[(0, (1, 1, 0)), (1, (1, 1, 0))], "NewReplicaSetAvailable"),
        (&[(0, (1, 1, 0)), (1, (0, 0, 0)), (1, (1, 0, 0)), (1, (1, 1, 0))], "NewReplicaSetAvailable"),
        // That none was wanted was never seen: it is the same pod, which has been late all the time.
        (&[(1, (1, 1, 0)), (1, (1, 1, 0))], "ProgressDeadlineExceeded"),
    ];
    for (steps, expect) in cases {
        let mut deployment = missed();
        let mut again = None;
        for (at_step, (wanted, pods)) in (1..).zip(steps) {
            deployment.spec.as_mut().unwrap().replicas = Some(*wanted);
            // Each of them is later than a deadline after the one before.
            let now = at(100 * at_step);
            let (status, wait) = status::status(&deployment, Some(&set("web-1", *pods)), &[], &at(0), &now);
            (deployment.status, again) = (Some(status), wait);
        }
        let status = deployment.status.unwrap();
        let mut conditions = status.conditions.iter().flatten();
        let progressing = conditions.find(|condition| condition.type_ == "Progressing").unwrap();
        assert_eq!(progressing.reason.as_deref(), Some(expect), "{steps:?}");
        assert_eq!(again, None, "{steps:?}: no deadline runs");
    }
}

#[test]
fn time_in_which_nobody_worked_counts_towards_no_deadline() {
    let at = |seconds: i64| Time(jiff::Timestamp::from_second(seconds).unwrap());
    let mut deployment = deployment(1, "25%", "0");
    deployment.spec.as_mut().unwrap().progress_deadline_seconds = Some(60);
    let stuck = set("web-1", (1, 1, 0));
    deployment.status = Some(status::status(&deployment, Some(&stuck), &[], &at(0), &at(0)).0);
    // started, now → the seconds left
    for (started, now, expect) in
        [(0, 59, Some(1)), (0, 60, None), (900, 904, Some(56)), (900, 959, Some(1)), (900, 960, None)]
    {
        let (next, left) = status::status(&deployment, Some(&stuck), &[], &at(started), &at(now));
        assert_eq!(left.map(|left| left.as_secs()), expect, "started {started}, now {now}");
        let mut conditions = next.conditions.iter().flatten();
        let progressing = conditions.find(|condition| condition.type_ == "Progressing").unwrap();
        let is = if expect.is_some() { "True" } else { "False" };
        assert_eq!(progressing.status, is, "started {started}, now {now}");
    }
}

#[test]
fn a_deployment_of_ebb_itself_is_ready_without_pods() {
    let at = |seconds: i64| Time(jiff::Timestamp::from_second(seconds).unwrap());
    let mut deployment = deployment(2, "25%", "25%");
    deployment.stand_in(&at(5));
    let first = deployment.clone();
    deployment.stand_in(&at(9));
    assert_eq!(deployment, first, "it is written once");
    let time = "1970-01-01T00:00:05Z";
    let condition = json!({
        "type": "Available", "status": "True", "reason": "Provided", "lastUpdateTime": time, "lastTransitionTime": time,
        "message": "Ebb itself does what this Deployment is for; no pods are run for it.",
    });
    let expect = json!({
        "observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2,
        "conditions": [condition],
    });
    assert_eq!(serde_json::to_value(&deployment.status).unwrap(), expect);
}

#[test]
fn a_deployment_says_why_a_set_lacks_pods() {
    let now = resources::meta::Time(jiff::Timestamp::UNIX_EPOCH);
    let mut lacking = (*set("web-1", (1, 0, 0))).clone();
    let failure =
        json!([{ "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "why" }]);
    lacking.status.get_or_insert_default().conditions = serde_json::from_value(failure).unwrap();
    let mut deployment = deployment(1, "25%", "0");
    let said = |deployment: &Deployment, set: &ReplicaSet| {
        let (status, _) = status::status(deployment, Some(set), &[], &now, &now);
        let conditions = status.conditions.clone().unwrap();
        let failure = conditions.into_iter().find(|condition| condition.type_ == "ReplicaFailure");
        (status, failure.map(|it| (it.reason.unwrap(), it.message.unwrap())))
    };
    let (status, failure) = said(&deployment, &lacking);
    assert_eq!(failure, Some(("FailedCreate".to_owned(), "why".to_owned())));
    deployment.status = Some(status);
    assert_eq!(said(&deployment, &set("web-1", (1, 1, 0))).1, None, "and no more when it has them");
}

#[test]
fn only_what_the_whole_selector_finds_and_nobody_controls_is_taken_over() {
    let selecting = |selector: serde_json::Value| {
        let mut deployment = deployment(1, "1", "0");
        deployment.spec.as_mut().unwrap().selector = serde_json::from_value(selector).unwrap();
        deployment
    };
    let set = |metadata: serde_json::Value| -> ReplicaSet {
        serde_json::from_value(json!({ "metadata": metadata, "spec": { "selector": {} } })).unwrap()
    };
    let web = json!({ "labels": { "app": "web" } });
    let by_expression =
        json!({ "matchExpressions": [{ "key": "app", "operator": "In", "values": ["web"] }] });
    let controlled =
        json!([{ "apiVersion": "v1", "kind": "X", "name": "x", "uid": "u", "controller": true }]);
    for (selector, metadata, expect) in [
        (by_expression.clone(), web.clone(), true),
        (by_expression.clone(), json!({ "labels": { "app": "db" } }), false),
        (by_expression.clone(), json!({}), false),
        (json!({ "matchLabels": { "app": "web" } }), web.clone(), true),
        (json!({ "matchLabels": { "app": "db" } }), web.clone(), false),
        (json!({}), web.clone(), false),
        (by_expression.clone(), json!({ "labels": { "app": "web" }, "ownerReferences": controlled }), false),
        (
            by_expression,
            json!({ "labels": { "app": "web" }, "deletionTimestamp": "2026-01-01T00:00:00Z" }),
            false,
        ),
    ] {
        let found = is_orphan_of(&selecting(selector.clone()), &set(metadata.clone()));
        assert_eq!(found, expect, "{selector} {metadata}");
    }
}

#[test]
fn the_hash_is_the_templates_alone() {
    let mut one = deployment(1, "1", "0");
    let first = template::hash(&one);
    one.spec.as_mut().unwrap().replicas = Some(7);
    assert_eq!(template::hash(&one), first);
    one.spec.as_mut().unwrap().template.metadata.get_or_insert_default().labels = None;
    assert_ne!(template::hash(&one), first);
}

#[test]
fn revisions_are_numbered_in_the_order_in_which_they_were_current() {
    let annotated = |annotations: serde_json::Value| -> Arc<ReplicaSet> {
        let metadata = json!({"name": "set", "annotations": annotations});
        Arc::new(serde_json::from_value(json!({"metadata": metadata, "spec": {"selector": {}}})).unwrap())
    };
    let numbered = |number: &str| annotated(json!({"deployment.kubernetes.io/revision": number}));
    let mut deployment = deployment(1, "25%", "25%");
    let of_deployment = json!({
        "deployment.kubernetes.io/revision": "7", "kubernetes.io/change-cause": "why",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
    });
    deployment.metadata.annotations = serde_json::from_value(of_deployment).unwrap();
    for (current, old, expect) in [
        (None, vec![], "1"),
        (None, vec![numbered("1"), numbered("4")], "5"),
        (Some(numbered("5")), vec![numbered("4")], "5"),
        // Gone back to.
        (Some(numbered("1")), vec![numbered("2"), numbered("3")], "4"),
        // From before they were numbered.
        (Some(annotated(json!({}))), vec![annotated(json!({}))], "1"),
    ] {
        let annotations = revision::annotations(&deployment, current.as_deref(), &old);
        let expect =
            json!({"deployment.kubernetes.io/revision": expect, "kubernetes.io/change-cause": "why"});
        assert_eq!(json!(annotations), expect);
    }
}
