use serde_json::json;
use tokio::time::Instant;

use super::*;
use crate::pod::state::Running;

fn pod(policy: &str) -> Pod {
    serde_json::from_value(json!({ "spec": { "containers": [], "restartPolicy": policy } })).unwrap()
}

fn record(is_init: bool, state: State) -> Record {
    Record { state, ..Record::new(Default::default(), is_init) }
}

fn running(ready: bool) -> State {
    State::Running(Running {
        id: None,
        started_at: Timestamp::UNIX_EPOCH,
        since: Instant::now(),
        started: true,
        ready,
        probes: vec![],
        killed_for: None,
        failing: None,
    })
}

fn ended(code: i32) -> State {
    let at = Timestamp::UNIX_EPOCH;
    State::Ended(Ended {
        code,
        signal: None,
        reason: String::new(),
        message: String::new(),
        started_at: at,
        finished_at: at,
    })
}

fn waiting() -> State {
    State::Waiting { reason: "ContainerCreating", message: String::new() }
}

#[tokio::test]
async fn phases() {
    type Case = (&'static str, fn() -> Vec<Record>, &'static str);
    let cases: &[Case] = &[
        ("Always", || vec![record(false, waiting())], "Pending"),
        ("Always", || vec![record(false, running(false))], "Running"),
        ("Always", || vec![record(false, ended(1))], "Running"),
        ("Always", || vec![record(false, running(true)), record(false, waiting())], "Running"),
        ("Never", || vec![record(false, ended(0))], "Succeeded"),
        ("Never", || vec![record(false, ended(0)), record(false, ended(3))], "Failed"),
        ("OnFailure", || vec![record(false, ended(0))], "Succeeded"),
        ("OnFailure", || vec![record(false, ended(1))], "Running"),
        ("Always", || vec![record(true, running(false)), record(false, waiting())], "Pending"),
        ("Never", || vec![record(true, ended(1)), record(false, waiting())], "Failed"),
    ];
    for (policy, records, expect) in cases {
        assert_eq!(phase(&pod(policy), &records()), *expect, "{policy} {:?}", records());
    }
}

#[tokio::test]
async fn conditions_keep_their_times_until_they_change() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let mut pod = pod("Always");
    pod.status = Some(status(&pod, &[record(false, running(false))], None, &[], at(1)));
    pod.status = Some(status(&pod, &[record(false, running(true))], None, &[], at(2)));
    pod.status = Some(status(&pod, &[record(false, running(true))], None, &[], at(3)));
    let told: Vec<_> = pod
        .status
        .unwrap()
        .conditions
        .unwrap()
        .into_iter()
        .map(|condition| {
            (condition.type_, condition.status, condition.last_transition_time.unwrap().0.as_second())
        })
        .collect();
    let text = |name: &str, second| (name.to_owned(), "True".to_owned(), second);
    assert_eq!(
        told,
        [text("PodScheduled", 1), text("Initialized", 1), text("ContainersReady", 2), text("Ready", 2)]
    );
}
