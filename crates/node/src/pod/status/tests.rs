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
    State::waiting("ContainerCreating", "")
}

/// A container that waits for its next run.
fn again() -> Record {
    let State::Ended(last) = ended(1) else { unreachable!() };
    Record { last: Some(last), ..record(false, waiting()) }
}

#[tokio::test]
async fn phases() {
    type Case = (&'static str, fn() -> Vec<Record>, &'static str);
    let cases: &[Case] = &[
        ("Always", || vec![record(false, waiting())], "Pending"),
        ("Always", || vec![record(false, running(false))], "Running"),
        ("Always", || vec![record(false, ended(1))], "Running"),
        ("Always", || vec![record(false, running(true)), record(false, waiting())], "Pending"),
        ("Always", || vec![record(false, running(true)), again()], "Running"),
        ("Always", || vec![again()], "Running"),
        ("Always", Vec::new, "Pending"),
        ("Never", || vec![record(false, ended(0))], "Succeeded"),
        ("Never", || vec![record(false, ended(3)), record(false, waiting())], "Pending"),
        ("Never", || vec![record(false, ended(3)), record(false, running(true))], "Running"),
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

fn status_of(pod: &Pod, record: Record, now: Timestamp) -> PodStatus {
    status(pod, &View { records: &[record], has_sandbox: true, ..View::default() }, now)
}

#[tokio::test]
async fn containers_can_start_while_there_is_a_sandbox() {
    // The policy, whether there is one, the container, and what is said.
    for (policy, has_sandbox, state, expect) in [
        ("Always", false, waiting(), "False"),
        ("Always", true, waiting(), "True"),
        ("Always", true, running(false), "True"),
        ("Never", true, ended(0), "False"),
    ] {
        let records = [record(false, state)];
        let view = View { records: &records, has_sandbox, ..View::default() };
        let told = status(&pod(policy), &view, Timestamp::UNIX_EPOCH);
        let mut conditions = told.conditions.unwrap().into_iter();
        let found = conditions.find(|condition| condition.type_ == "PodReadyToStartContainers").unwrap();
        assert_eq!(found.status, expect, "{policy} {has_sandbox} {records:?}");
    }
}

#[tokio::test]
async fn what_is_left_out_failed_or_not_placed_is_said() {
    let now = Timestamp::UNIX_EPOCH;
    let condition = |status: &PodStatus, name: &str| {
        let conditions = status.conditions.clone().unwrap_or_default();
        let found = conditions.into_iter().find(|condition| condition.type_ == name);
        found.map(|found| (found.status, found.reason.unwrap_or_default(), found.message.unwrap_or_default()))
    };
    let kept = State::waiting("CreateContainerConfigError", "why");
    let (pod, records) = (pod("Always"), [record(true, running(true)), record(false, kept)]);
    let left_out = BTreeSet::from(["b", "a"]);
    let told = status(&pod, &View { records: &records, left_out: Some(&left_out), ..View::default() }, now);
    let (_, reason, message) = condition(&told, SPEC_HONORED).unwrap();
    assert_eq!((reason.as_str(), message.ends_with("honour a, b")), ("NotHonoured", true), "{message}");
    let state = told.container_statuses.unwrap()[0].state.clone().unwrap();
    assert_eq!(state.waiting.unwrap().reason.as_deref(), Some("PodInitializing"));

    let failed = Failed { reason: "Evicted", message: "why".to_owned() };
    let told = status(&pod, &View { records: &records, failed: Some(&failed), ..View::default() }, now);
    assert_eq!((told.phase.as_deref(), told.reason.as_deref()), (Some("Failed"), Some("Evicted")));
    assert_eq!(condition(&told, "Ready").unwrap().1, "PodFailed");

    let told = status(&pod, &View { records: &records, unplaced: Some("full"), ..View::default() }, now);
    let expect = ("False".to_owned(), "Unschedulable".to_owned(), "full".to_owned());
    assert_eq!((told.phase.as_deref(), condition(&told, "PodScheduled")), (Some("Pending"), Some(expect)));
    assert!(told.container_statuses.is_none() && told.start_time.is_none());
}

#[tokio::test]
async fn what_the_node_itself_is_has_a_name_too() {
    let mut pod = pod("Always");
    pod.metadata.uid = Some("uid".to_owned());
    let mut queue_proxy = record(false, running(true));
    queue_proxy.spec.name = "queue-proxy".to_owned();
    let told = status_of(&pod, queue_proxy, Timestamp::UNIX_EPOCH).container_statuses.unwrap();
    assert_eq!(told[0].container_id.as_deref(), Some("ebb://uid-queue-proxy-0"));
}

#[test]
fn a_start_that_is_under_way_hides_why_the_last_one_failed() {
    let mut record = record(false, State::waiting("ImagePullBackOff", "why"));
    let told = |record: &Record| {
        let view = View { records: std::slice::from_ref(record), ..View::default() };
        let status = status(&pod("Always"), &view, Timestamp::UNIX_EPOCH);
        let waiting = status.container_statuses.unwrap()[0].state.clone().unwrap().waiting.unwrap();
        (waiting.reason.unwrap(), waiting.message.unwrap_or_default())
    };
    assert_eq!(told(&record), ("ImagePullBackOff".to_owned(), "why".to_owned()));
    record.begin();
    assert_eq!(told(&record), ("ContainerCreating".to_owned(), String::new()));
    record.state = State::waiting("ImagePullBackOff", "again");
    assert_eq!(told(&record), ("ImagePullBackOff".to_owned(), "again".to_owned()));
}

#[tokio::test]
async fn conditions_keep_their_times_until_they_change() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let mut pod = pod("Always");
    pod.status = Some(status_of(&pod, record(false, running(false)), at(1)));
    pod.status = Some(status_of(&pod, record(false, running(true)), at(2)));
    pod.status = Some(status_of(&pod, record(false, running(true)), at(3)));
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
    let expect = [
        text("PodScheduled", 1),
        text("PodReadyToStartContainers", 1),
        text("Initialized", 1),
        text("ContainersReady", 2),
        text("Ready", 2),
    ];
    assert_eq!(told, expect);
}

#[tokio::test]
async fn a_stop_of_the_node_is_told_until_the_pod_runs_again() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let mut pod = pod("Always");
    let records = [record(false, running(false))];
    for (second, node_stops, since) in
        [(1, true, Some(1)), (2, true, Some(1)), (3, false, None), (4, true, Some(4))]
    {
        let told = status(&pod, &View { records: &records, node_stops, ..View::default() }, at(second));
        assert_eq!(was_stopped(&told), node_stops, "{second}");
        let stop = told.conditions.iter().flatten().find(|condition| condition.type_ == DISRUPTION_TARGET);
        let found = stop.map(|stop| stop.last_transition_time.as_ref().unwrap().0.as_second());
        assert_eq!(found, since, "{second}");
        pod.status = Some(told);
    }
}
