//! `ebb up` itself: one per directory, nothing left behind, and the same objects after a crash.

use std::{net::TcpStream, process::Command, sync::Arc};

use rustix::process::Signal;

use crate::rig::{Ebb, Held, Host, Setup, get, need_kubectl, service, text, until};

#[test]
fn a_second_one_on_the_same_directory_is_refused() {
    let ebb = Ebb::up();
    let mut second = Command::new(env!("CARGO_BIN_EXE_ebb"));
    second.args(["up", "--api", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data-dir"]).arg(ebb.dir());
    let output = second.output().unwrap();
    let error = text(&output.stderr);
    assert!(
        !output.status.success() && error.contains(&ebb.pid().to_string()) && error.contains("--data-dir"),
        "{error}"
    );
}

#[test]
fn a_taken_port_is_named_with_the_flag_to_change_it() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let dir = tempfile::tempdir().unwrap();
    for flag in ["--api", "--http"] {
        let other = if flag == "--api" { "--http" } else { "--api" };
        let mut command = Command::new(env!("CARGO_BIN_EXE_ebb"));
        let output = command
            .args(["up", flag, &address, other, "127.0.0.1:0", "--data-dir"])
            .arg(dir.path())
            .output()
            .unwrap();
        let error = text(&output.stderr);
        let told = format!("Error: cannot listen on {address}: Address already in use");
        assert!(!output.status.success() && error.contains(&told) && error.contains(flag), "{error}");
    }
}

#[test]
fn another_one_that_has_the_port_is_named_with_its_directory() {
    let ebb = Ebb::up();
    let address = ebb.http.to_string();
    let dir = tempfile::tempdir().unwrap();
    let mut second = Command::new(env!("CARGO_BIN_EXE_ebb"));
    second.args(["up", "--api", "127.0.0.1:0", "--http", &address, "--data-dir"]).arg(dir.path());
    let output = second.output().unwrap();
    let error = text(&output.stderr);
    let held = ebb.dir().canonicalize().unwrap();
    let told = format!("another `ebb up` (process {}, data directory {})", ebb.pid(), held.display());
    assert!(!output.status.success() && error.contains(&told) && error.contains("--http"), "{error}");
}

#[test]
fn a_file_that_cannot_be_used_is_named_with_its_option() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("absent/file");
    for flag in ["--secrets-key", "--audit-log"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ebb"));
        command.args(["up", "--api", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data-dir"]);
        let output = command.arg(dir.path().join("data")).arg(flag).arg(&file).output().unwrap();
        let error = text(&output.stderr);
        assert!(!output.status.success() && error.contains(&format!("Error: {flag}: ")), "{error}");
        assert!(error.contains(file.to_str().unwrap()), "{error}");
        let is_left = dir.path().join("data").exists();
        assert!(flag != "--secrets-key" || !is_left, "nothing is made for a key that is not there");
    }
}

/// Beside the service, a pod with what is kept in memory for it.
const VOLUMES: &str = r#"
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {token: s3cret}
---
apiVersion: v1
kind: Pod
metadata: {name: volumes}
spec:
  volumes: [{name: memory, emptyDir: {medium: Memory}}, {name: disk, emptyDir: {}}, {name: keys, secret: {secretName: keys}}]
  containers:
    - name: main
      image: dev.local/hello:1
      volumeMounts: [{name: memory, mountPath: /memory}, {name: disk, mountPath: /disk}, {name: keys, mountPath: /keys}]
"#;

fn leaves_nothing(runtime: &'static str, host: Option<Host>) {
    let mut ebb = Ebb::with(Setup { runtime, host: host.map(Arc::new), ..Setup::default() });
    ebb.apply(&service("hello"));
    ebb.ready("hello");
    let isolated = runtime == "container";
    if isolated {
        ebb.apply(VOLUMES);
        ebb.in_phase("volumes", "Running");
    }
    let traces = ebb.traces();
    // Daemon, keeper, and the apps with an init each; two listeners, and the keeper's.
    let (processes, sockets) = (traces.processes.len(), traces.sockets.len());
    assert!(processes >= if isolated { 6 } else { 3 }, "{:?}", traces.left());
    assert!(sockets >= 3, "{:?}", traces.sockets);
    assert_eq!(traces.cgroups.is_empty(), !isolated, "{:?}", traces.left());
    assert_eq!(traces.namespaces.len() >= 2, isolated, "{:?}", traces.left());
    assert_eq!(traces.mounts.is_empty(), !isolated, "{:?}", traces.left());
    let by_root = rustix::process::geteuid().is_root();
    assert_eq!(traces.run_dirs.len(), usize::from(by_root), "{:?}", traces.left());
    // Whoever looks for it finds it all.
    let all = traces.cgroups.len() + traces.run_dirs.len() + traces.mounts.len() + traces.namespaces.len();
    assert_eq!(traces.left().len(), all + processes + sockets, "{:#?}", traces.left());
    assert!(ebb.stop(), "it ends well");
    traces.assert_gone(runtime);
}

#[test]
fn stopping_leaves_nothing_behind() {
    if !need_kubectl("stopping_leaves_nothing_behind") {
        return;
    }
    let root = rustix::process::geteuid().is_root();
    for runtime in ["container", "process"].iter().filter(|runtime| root || **runtime == "process") {
        leaves_nothing(runtime, root.then(Host::alone));
    }
}

#[test]
fn a_request_in_hand_is_answered_while_it_stops() {
    if !need_kubectl("a_request_in_hand_is_answered_while_it_stops") {
        return;
    }
    let mut ebb = Ebb::up();
    ebb.apply(&service("hello"));
    let url = ebb.ready("hello");
    let (http, slow) = (ebb.http, format!("{url}/sleep?ms=1500"));
    let caller = std::thread::spawn(move || get(http, &slow));
    // The app knows when the request has arrived; only then is the platform asked to stop.
    let busy = until(|| ebb.call(&format!("{url}/concurrency")).body.contains('2').then_some(()));
    assert!(busy.is_some(), "the slow request arrives");
    assert!(ebb.stop(), "it ends well");
    assert_eq!(caller.join().unwrap().status, 200);
}

/// A connection that nobody will accept is refused, rather than left to wait until it is reset.
#[test]
fn who_comes_while_it_stops_is_refused() {
    if !need_kubectl("who_comes_while_it_stops_is_refused") {
        return;
    }
    let mut ebb = Ebb::up();
    ebb.apply(&service("hello"));
    let url = ebb.ready("hello");
    let held = Held::begin(ebb.http, url.strip_prefix("http://").unwrap());
    let busy = until(|| ebb.call(&format!("{url}/concurrency")).body.contains('2').then_some(()));
    assert!(busy.is_some(), "the request that is held arrives");
    ebb.signal(Signal::TERM);
    let refused = until(|| TcpStream::connect(ebb.http).is_err().then_some(()));
    assert!(refused.is_some(), "somebody listens, and nobody accepts");
    held.finish().expect("it was in hand before");
    assert!(ebb.ended(), "it ends well");
}

#[test]
fn told_twice_to_stop_it_ends_at_once() {
    if !need_kubectl("told_twice_to_stop_it_ends_at_once") {
        return;
    }
    let mut ebb = Ebb::up();
    ebb.apply(&service("hello"));
    let url = ebb.ready("hello");
    let traces = ebb.traces();
    let (http, slow) = (ebb.http, format!("{url}/sleep?ms=50000"));
    let caller = std::thread::spawn(move || get(http, &slow));
    let busy = until(|| ebb.call(&format!("{url}/concurrency")).body.contains('2').then_some(()));
    assert!(busy.is_some(), "the slow request arrives");
    ebb.signal(Signal::TERM);
    assert!(until(|| ebb.said().contains("Stopping").then_some(())).is_some());
    assert!(ebb.stop(), "it ends well");
    assert_ne!(caller.join().unwrap().status, 200, "it did not wait for the request");
    traces.assert_gone("being told twice");
}

#[test]
fn it_ends_with_a_reason_when_its_keeper_is_killed() {
    let mut ebb = Ebb::up();
    rustix::process::kill_process(ebb.keeper(), Signal::KILL).unwrap();
    assert!(!ebb.ended(), "it ends as a failure");
    let log = ebb.logged();
    assert!(log.contains("the keeper of the containers was ended"), "{log}");
    ebb.restart();
}

#[test]
fn after_a_kill_the_same_services_answer_again() {
    if !need_kubectl("after_a_kill_the_same_services_answer_again") {
        return;
    }
    let mut ebb = Ebb::up();
    ebb.apply(&service("hello"));
    let url = ebb.ready("hello");
    let before = ebb.object("ksvc", "hello").unwrap();
    ebb.kill();
    ebb.restart();
    assert!(ebb.said().contains("took over 1 running container"), "{}", ebb.said());
    let after = ebb.object("ksvc", "hello").unwrap();
    for field in ["uid", "creationTimestamp", "generation"] {
        assert_eq!(before["metadata"][field], after["metadata"][field], "{field}");
    }
    let port = url.rsplit(':').next().unwrap().to_owned();
    let url = url.replace(&port, &ebb.http.port().to_string());
    let answer = ebb.call(&url);
    assert_eq!((answer.status, answer.body.trim()), (200, "Hello World!"), "{}", answer.head);
}

/// What is created and killed right after; NAME is another one each time.
const KINDS: &[(&str, &str)] = &[
    ("configmap", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\ndata: {a: b}"),
    ("secret", "apiVersion: v1\nkind: Secret\nmetadata: {name: NAME}\nstringData: {a: b}"),
    ("service", "apiVersion: v1\nkind: Service\nmetadata: {name: NAME}\nspec: {ports: [{port: 80}]}"),
    ("serviceaccount", "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: NAME}"),
    ("namespace", "apiVersion: v1\nkind: Namespace\nmetadata: {name: NAME}"),
    (
        "lease",
        "apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {name: NAME}\nspec: {holderIdentity: me}",
    ),
    (
        "deployment",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: NAME}\nspec: {replicas: 0, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: a}]}}}",
    ),
    (
        "ksvc",
        "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: NAME}\nspec: {template: {spec: {containers: [{image: dev.local/none:1}]}}}",
    ),
];
/// How often the platform is killed.
const KILLS: usize = 100;

#[test]
fn a_hundred_kills_lose_nothing_that_was_acknowledged() {
    if !need_kubectl("a_hundred_kills_lose_nothing_that_was_acknowledged") {
        return;
    }
    let mut ebb = Ebb::with_runtime("process");
    for round in 0..KILLS {
        let (_, manifest) = KINDS[round % KINDS.len()];
        ebb.apply(&manifest.replace("NAME", &format!("kill-{round}")));
        ebb.kill();
        ebb.restart();
    }
    for (at, (kind, _)) in KINDS.iter().enumerate() {
        let names = ebb.kubectl(&["get", kind, "-o", "name"]);
        for round in (at..KILLS).step_by(KINDS.len()) {
            let name = format!("/kill-{round}");
            assert!(names.lines().any(|line| line.ends_with(&name)), "{kind} {name} is lost: {names}");
        }
    }
}
