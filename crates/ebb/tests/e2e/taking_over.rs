//! The next `ebb up` goes on with what runs, and those who connect meanwhile wait and are served.

use std::{
    collections::BTreeSet,
    fs,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Instant,
};

use serde_json::Value;

use crate::rig::{Asked, Ebb, ask, hello_with, need_kubectl, need_root, processes, until};

/// How many clients call at once, each with a new connection for each request.
const CLIENTS: usize = 4;

/// A request.
#[derive(Debug)]
struct Outcome {
    began: Instant,
    went: Result<(), String>,
}

/// Clients that call for as long as this exists.
struct Callers {
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Vec<Outcome>>>,
}

impl Callers {
    fn start(address: SocketAddr, host: &str) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let call = || {
            let (over, host) = (Arc::clone(&over), host.to_owned());
            thread::spawn(move || {
                let mut outcomes = Vec::new();
                while !over.load(Ordering::Relaxed) {
                    let began = now();
                    let went = ask(address, &host).and_then(Asked::answer);
                    outcomes.push(Outcome { began, went });
                }
                outcomes
            })
        };
        let threads = (0..CLIENTS).map(|_| call()).collect();
        Self { over, threads }
    }

    fn stop(self) -> Vec<Outcome> {
        self.over.store(true, Ordering::Relaxed);
        self.threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    }
}

#[allow(clippy::disallowed_methods, reason = "when a request began, against when the platform ended")]
fn now() -> Instant {
    Instant::now()
}

fn service(mark: &str) -> String {
    format!(
        r#"
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: hello}}
spec: {{template: {{spec: {{containers: [{{image: "dev.local/hello:1", env: [{{name: MARK, value: {mark}}}]}}]}}}}}}
"#
    )
}

/// What must be the same afterwards.
#[derive(Debug, PartialEq)]
struct Seen {
    processes: BTreeSet<i32>,
    pod: Value,
    containers: Vec<Value>,
    ready_since: Value,
    log: String,
}

fn see(ebb: &Ebb, mark: &str) -> Seen {
    let pods = ebb.objects("pods", "serving.knative.dev/service=hello");
    let [pod] = pods.as_slice() else { panic!("one pod, not {pods:?}") };
    let conditions = pod["status"]["conditions"].as_array().unwrap();
    let ready = conditions.iter().find(|condition| condition["type"] == "Ready").unwrap();
    assert_eq!(ready["status"], "True");
    let statuses = pod["status"]["containerStatuses"].as_array().unwrap();
    let facts = |status: &Value| {
        serde_json::json!([status["containerID"], status["restartCount"], status["state"], status["ready"]])
    };
    let name = pod["metadata"]["name"].as_str().unwrap();
    Seen {
        processes: processes_with(mark),
        pod: serde_json::json!([pod["metadata"]["uid"], pod["status"]["podIP"], pod["status"]["startTime"]]),
        containers: statuses.iter().map(facts).collect(),
        ready_since: ready["lastTransitionTime"].clone(),
        log: ebb.kubectl(&["logs", name, "-c", "user-container"]),
    }
}

fn goes_on(runtime: &'static str) {
    let mut ebb = Ebb::with_runtime(runtime);
    let mark = format!("{runtime}-{}", ebb.pid());
    ebb.apply(&service(&mark));
    let url = ebb.ready("hello");
    let host = url.strip_prefix("http://").unwrap().to_owned();
    let before = see(&ebb, &mark);
    assert!(!before.processes.is_empty() && before.log.contains("listening on"), "{before:?}");
    let keeper = keeper_of(*before.processes.first().unwrap());
    let address = ebb.http;

    for planned in [false, true, false] {
        let callers = Callers::start(address, &host);
        // They are at it.
        assert!(until(|| (0..10).all(|_| ebb.call(&url).status == 200).then_some(())).is_some());
        if planned {
            assert!(ebb.hand_over(), "it ends well");
        } else {
            ebb.kill();
        }
        let ended = now();
        assert_eq!(processes_with(&mark), before.processes, "they run, with nobody there");
        let visitor = ask(address, &host).expect("nobody is refused");
        ebb.restart();
        assert!(ebb.said().contains("took over 1 running container"), "{}", ebb.said());
        assert_eq!(ebb.http, address, "the same socket");
        assert!(until(|| (0..10).all(|_| ebb.call(&url).status == 200).then_some(())).is_some());
        let outcomes = callers.stop();
        let failed: Vec<_> = outcomes.iter().filter(|outcome| outcome.went.is_err()).collect();
        if planned {
            assert!(failed.is_empty(), "of {} requests: {failed:?}", outcomes.len());
        } else {
            // Those in flight, one of each client at most, and nobody was refused.
            let may_be = |outcome: &&Outcome| {
                let cut = |why: &String| !why.contains("connecting") && !why.starts_with("HTTP/1.1 5");
                outcome.began <= ended && outcome.went.as_ref().is_err_and(cut)
            };
            assert!(failed.len() <= CLIENTS && failed.iter().all(may_be), "{failed:?}");
        }
        visitor.answer().expect("who came while nobody was there is served");
        assert_eq!(see(&ebb, &mark), before);
    }

    // One that is started while the other is still about to end waits for it.
    let callers = Callers::start(address, &host);
    assert!(ebb.hand_over_to_next().wait().unwrap().success(), "it ends well");
    assert!(ebb.said().contains("took over 1 running container"), "{}", ebb.said());
    assert!(until(|| (0..10).all(|_| ebb.call(&url).status == 200).then_some(())).is_some());
    let outcomes = callers.stop();
    let failed: Vec<_> = outcomes.iter().filter(|outcome| outcome.went.is_err()).collect();
    assert!(failed.is_empty(), "of {} requests: {failed:?}", outcomes.len());
    assert_eq!(see(&ebb, &mark), before);

    // What is deleted after that ends as ever, and an orderly stop leaves nothing.
    ebb.kubectl(&["delete", "ksvc", "hello"]);
    assert!(until(|| processes_with(&mark).is_empty().then_some(())).is_some());
    ebb.apply(&service(&mark));
    ebb.ready("hello");
    ebb.kill();
    ebb.restart();
    assert!(!processes_with(&mark).is_empty() && fs::exists(format!("/proc/{keeper}")).unwrap());
    assert!(ebb.stop(), "it ends well");
    assert!(processes_with(&mark).is_empty());
    assert!(until(|| keepers().iter().all(|pid| *pid != keeper).then_some(())).is_some());
}

#[test]
fn containers_go_on_and_nobody_is_refused() {
    const NAME: &str = "containers_go_on_and_nobody_is_refused";
    if need_root(NAME) && need_kubectl(NAME) {
        goes_on("container");
    }
}

#[test]
fn processes_go_on_and_nobody_is_refused() {
    if need_kubectl("processes_go_on_and_nobody_is_refused") {
        goes_on("process");
    }
}

/// What ended while nobody was there has ended: it is restarted, and counted.
#[test]
fn an_end_that_nobody_saw_is_a_restart() {
    const NAME: &str = "an_end_that_nobody_saw_is_a_restart";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    let mut ebb = Ebb::with_runtime("container");
    let mark = format!("ending-{}", ebb.pid());
    let container = |name: &str, port: u16| {
        format!(
            r#"{{name: {name}, image: "dev.local/hello:1", env: [{{name: PORT, value: "{port}"}}, {{name: MARK, value: {mark}-{name}}}], readinessProbe: {{tcpSocket: {{port: {port}}}}}}}"#
        )
    };
    let spec = format!("{{containers: [{}, {}]}}", container("one", 8081), container("two", 8082));
    ebb.apply(&format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: pair}}\nspec: {spec}"));
    let ready = |ebb: &Ebb, restarts: [i64; 2]| {
        let pod = ebb.object("pod", "pair")?;
        let statuses = pod["status"]["containerStatuses"].as_array()?.clone();
        let counts = statuses.iter().map(|status| status["restartCount"].as_i64().unwrap());
        let fits = counts.eq(restarts) && statuses.iter().all(|status| status["ready"] == true);
        fits.then_some(pod)
    };
    let before = until(|| ready(&ebb, [0, 0])).expect("the pod is ready");
    let told = until(|| Some(starts(&ebb)).filter(|told| told.len() == 7)).expect("both starts are told");
    let witness = processes_with(&format!("{mark}-two"));
    ebb.kill();
    for pid in processes_with(&format!("{mark}-one")) {
        let _ = rustix::process::kill_process(
            rustix::process::Pid::from_raw(pid).unwrap(),
            rustix::process::Signal::KILL,
        );
    }
    ebb.restart();
    let after = until(|| ready(&ebb, [1, 0])).expect("the one that ended is restarted");
    assert_eq!(before["status"]["podIP"], after["status"]["podIP"]);
    assert_eq!(after["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"], 137);
    assert_eq!(processes_with(&format!("{mark}-two")), witness, "the other one was left alone");
    // Of what went on nothing is told anew: not the place, nor the start of the other one.
    let counted = |told: &[Value]| {
        told.iter().any(|event| is_of_one(event) && event["reason"] == "Started" && event["count"] == 2)
    };
    let after = until(|| Some(starts(&ebb)).filter(|told| counted(told))).expect("its start is told");
    let others = |told: &[Value]| told.iter().filter(|event| !is_of_one(event)).cloned().collect::<Vec<_>>();
    assert_eq!(others(&after), others(&told));
}

/// What is told of the place of pod `pair` and of its containers' starts.
fn starts(ebb: &Ebb) -> Vec<Value> {
    let list = ebb.kubectl(&["get", "events", "--field-selector=involvedObject.name=pair", "-o", "json"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    let mut told = list["items"].as_array().unwrap().clone();
    told.retain(|event| {
        ["Scheduled", "Pulled", "Created", "Started"].iter().any(|reason| event["reason"] == *reason)
    });
    told.sort_by_key(|event| event["metadata"]["name"].to_string());
    told
}

fn is_of_one(event: &Value) -> bool {
    event["involvedObject"]["fieldPath"] == "spec.containers{one}"
}

/// A program goes on with the files that it began with, whatever its image's name stands for by now.
#[test]
fn what_a_container_runs_on_stays_as_long_as_it_does() {
    const NAME: &str = "what_a_container_runs_on_stays_as_long_as_it_does";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    let mut ebb = Ebb::with_runtime("container");
    let layers = |ebb: &Ebb| -> BTreeSet<_> {
        fs::read_dir(ebb.dir().join("images/layers"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect()
    };
    let before = layers(&ebb);
    ebb.apply(
        r#"
apiVersion: v1
kind: Pod
metadata: {name: old}
spec: {containers: [{name: main, image: "dev.local/hello:1"}]}
"#,
    );
    ebb.in_phase("old", "Running");
    let archive = ebb.dir().join("other.tar");
    hello_with(&archive, "dev.local/hello:1", "another one");
    ebb.ebb_says(&["image", "load", archive.to_str().unwrap()]);
    let nameless = ebb.ebb_says(&["image", "list"]);
    let nameless =
        nameless.split_whitespace().find(|word| word.contains("hello@sha256:")).unwrap().to_owned();
    let refused = ebb.ebb_fails(&["image", "remove", &nameless]);
    assert!(refused.contains("it is used by a container that runs"), "{refused}");
    ebb.ebb_says(&["image", "remove", &nameless, "--force"]);
    ebb.kill();
    ebb.restart();
    assert!(ebb.said().contains("took over 1 running container"), "{}", ebb.said());
    assert!(layers(&ebb).is_superset(&before), "{before:?} of {:?}", layers(&ebb));
    ebb.kubectl(&["delete", "pod", "old"]);
    ebb.kill();
    ebb.restart();
    assert!(layers(&ebb).is_disjoint(&before) && !layers(&ebb).is_empty(), "{:?}", layers(&ebb));
}

/// A stop in order is no crash: what is run again says so.
#[test]
fn what_was_stopped_with_the_node_says_so() {
    if !need_kubectl("what_was_stopped_with_the_node_says_so") {
        return;
    }
    let mut ebb = Ebb::up();
    ebb.apply(
        r#"
apiVersion: v1
kind: Pod
metadata: {name: stopped}
spec: {containers: [{name: main, image: "dev.local/hello:1"}]}
"#,
    );
    ebb.in_phase("stopped", "Running");
    assert!(ebb.stop(), "it ends well");
    ebb.restart();
    let last = until(|| {
        let pod = ebb.object("pod", "stopped")?;
        let last = pod["status"]["containerStatuses"][0]["lastState"]["terminated"].clone();
        (!last.is_null()).then_some(last)
    });
    assert_eq!(last.expect("it runs again")["message"], "It was stopped with the node");
}

/// What a pod had that was over before the node was restarted goes with it all the same.
#[test]
fn nothing_is_left_of_a_pod_that_was_over() {
    const NAME: &str = "nothing_is_left_of_a_pod_that_was_over";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    let mut ebb = Ebb::with_runtime("container");
    ebb.apply(
        r#"
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {token: s3cret}
---
apiVersion: v1
kind: Pod
metadata: {name: over}
spec:
  restartPolicy: Never
  volumes: [{name: keys, secret: {secretName: keys}}, {name: quick, emptyDir: {medium: Memory}}, {name: disk, emptyDir: {}}]
  containers:
    - name: main
      image: dev.local/hello:1
      args: ["say=seen", "exit=0"]
      volumeMounts: [{name: keys, mountPath: /keys}, {name: quick, mountPath: /quick}, {name: disk, mountPath: /disk}]
"#,
    );
    let pod = ebb.in_phase("over", "Succeeded");
    let uid = pod["metadata"]["uid"].as_str().unwrap().to_owned();
    let traces = ebb.traces();
    let run: Vec<_> = traces.run_dirs.iter().map(|dir| dir.join("pods").join(&uid)).collect();
    let disk = ["volumes", "logs"].map(|place| ebb.dir().join(place).join(&uid));
    let there = |places: &[std::path::PathBuf]| places.iter().filter(|place| place.exists()).count();
    assert_eq!((there(&run), there(&disk)), (1, 2), "{run:?} {disk:?}");
    ebb.kill();
    ebb.restart();
    // What needs nobody any more goes at once, what its owner may want to see with the pod.
    assert!(until(|| (there(&run) == 0).then_some(())).is_some(), "{run:?}");
    assert!(ebb.kubectl(&["logs", "over"]).contains("seen"));
    ebb.kubectl(&["delete", "pod", "over"]);
    assert!(until(|| (there(&disk) == 0).then_some(())).is_some(), "{disk:?}");
}

/// A keeper that does not answer is waited for, but not against the user's will.
#[test]
fn a_start_that_hangs_can_be_stopped() {
    const NAME: &str = "a_start_that_hangs_can_be_stopped";
    if !need_kubectl(NAME) {
        return;
    }
    let mut ebb = Ebb::up();
    ebb.apply(&service("hanging"));
    ebb.ready("hello");
    let keeper = ebb.keeper();
    ebb.kill();
    rustix::process::kill_process(keeper, rustix::process::Signal::STOP).unwrap();
    ebb.begin_restart();
    assert!(until(|| catches_term(ebb.pid()).then_some(())).is_some());
    ebb.signal(rustix::process::Signal::TERM);
    let told = || ebb.said().contains("Stopping: as soon as the start is through").then_some(());
    assert!(until(told).is_some(), "{}", ebb.said());
    ebb.signal(rustix::process::Signal::TERM);
    assert!(!ebb.ended(), "{}", ebb.said());
    rustix::process::kill_process(keeper, rustix::process::Signal::CONT).unwrap();
    ebb.restart();
    assert!(ebb.said().contains("took over 1 running container"), "{}", ebb.said());
}

/// Whether a process has something of its own to do at SIGTERM.
fn catches_term(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    caught & (1 << (rustix::process::Signal::TERM.as_raw() - 1)) != 0
}

/// The processes with this as their variable MARK.
fn processes_with(mark: &str) -> BTreeSet<i32> {
    let variable = format!("MARK={mark}");
    let has = |pid: &i32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == variable.as_bytes())
    };
    processes().filter(has).collect()
}

fn keepers() -> Vec<i32> {
    processes().filter(is_keeper).collect()
}

fn is_keeper(pid: &i32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.ends_with(b"\0keeper\0"))
}

/// The keeper among a process' ancestors.
fn keeper_of(pid: i32) -> i32 {
    let parent = |pid: i32| -> Option<i32> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
    };
    // A container's init is a fork of the keeper with its command line, so it is the topmost one.
    let ancestors = std::iter::successors(Some(pid), |pid| parent(*pid));
    ancestors.filter(is_keeper).last().expect("it has a keeper")
}
