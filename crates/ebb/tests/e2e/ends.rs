//! How things end: in the middle of a start, when something cannot be removed, and what is said of what cannot be.

use std::{
    fs,
    net::TcpListener,
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use resources::names::fnv32;
use rustix::process::{Pid, Signal, kill_process};

use crate::rig::{Ebb, need_kubectl, need_root, text, until};

/// Where a platform of root keeps what lasts only while containers run.
fn run_dirs(data: &Path) -> [PathBuf; 2] {
    let id = format!("{:08x}", fnv32(data.as_os_str().as_encoded_bytes()));
    ["/run/ebb", "/dev/shm/ebb"].map(|base| Path::new(base).join(&id))
}

fn cgroups_of(data: &Path) -> Vec<PathBuf> {
    let name = format!("ebb-{:08x}", fnv32(data.as_os_str().as_encoded_bytes()));
    let roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/pids"];
    roots.map(|root| Path::new(root).join(&name)).into_iter().filter(|group| group.exists()).collect()
}

/// Whether the start on a data directory has come so far.
type Stage = fn(&Path) -> bool;

fn has_keeper(data: &Path) -> bool {
    run_dirs(data).iter().any(|dir| dir.join("keeper.sock").exists())
}

/// Starts one on this directory, and asks it to stop as soon as this is there.
fn stopped_when(data: &Path, is_there: impl Fn() -> bool) {
    // An address that no other test takes ports of.
    let free = TcpListener::bind("127.0.0.77:0").unwrap().local_addr().unwrap().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ebb"));
    command.args(["up", "--api", "127.0.0.1:0", "--http", &free, "--runtime", "container", "--data-dir"]);
    let log = tempfile::NamedTempFile::new().unwrap();
    command.arg(data).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.reopen().unwrap());
    let mut child = command.spawn().unwrap();
    // As often as can be: what is shown is gone within milliseconds.
    while !is_there() {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let status = child.wait().unwrap();
    let log = fs::read_to_string(log.path()).unwrap();
    assert!(status.success(), "it was asked to: {status} {log}");
    assert!(run_dirs(data).iter().all(|dir| !dir.exists()), "what the keeper had is gone: {log}");
    assert_eq!(cgroups_of(data), Vec::<PathBuf>::new());
    TcpListener::bind(&free).expect("nobody holds the socket");
}

#[test]
fn told_to_stop_while_it_starts_it_leaves_nothing() {
    const NAME: &str = "told_to_stop_while_it_starts_it_leaves_nothing";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let stages: [(&str, Stage); 4] = [
        ("locked", |data| data.join("lock").exists()),
        ("keeper", has_keeper),
        ("cgroups", |data| !cgroups_of(data).is_empty()),
        ("kubeconfig", |data| data.join("kubeconfig").exists()),
    ];
    for (name, stage) in stages {
        let data = root.path().join(name);
        stopped_when(&data, || stage(&data));
    }

    // And what an earlier one has left to it, which it had taken over or was about to.
    let mut ebb = Ebb::with_runtime("container");
    let data = ebb.dir().to_owned();
    ebb.apply("apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec: {containers: [{name: main, image: dev.local/hello:1}]}");
    ebb.in_phase("app", "Running");
    ebb.kill();
    assert!(has_keeper(&data));
    fs::remove_file(data.join("kubeconfig")).unwrap();
    stopped_when(&data, || data.join("kubeconfig").exists());
}

#[test]
fn what_does_not_come_to_be_leaves_no_directory() {
    const NAME: &str = "what_does_not_come_to_be_leaves_no_directory";
    if !need_root(NAME) {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let nonsense = root.path().join("nonsense");
    fs::write(&nonsense, "no backup\n").unwrap();
    // An address of documentation, which no machine has.
    let [up, restore] =
        [&["up", "--api", "192.0.2.1:6443"][..], &["restore", nonsense.to_str().unwrap()][..]];
    for arguments in [up, restore] {
        let data = root.path().join("above").join(arguments[0]);
        let mut command = Command::new(env!("CARGO_BIN_EXE_ebb"));
        let ended = command.args(arguments).arg("--data-dir").arg(&data).output().unwrap();
        let told = text(&ended.stderr);
        assert!(!ended.status.success() && told.starts_with("Error: "), "{arguments:?}: {told}");
        assert!(!data.exists(), "{arguments:?}: {told}");
    }
    // One that was there is its owner's, and stays.
    let data = root.path().join("above/there");
    fs::create_dir_all(&data).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ebb"));
    let ended = command.args(up).arg("--data-dir").arg(&data).output().unwrap();
    assert!(!ended.status.success() && data.exists());
}

const POD: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: stuck}
spec:
  volumes: [{name: v, emptyDir: {}}]
  containers:
    - {name: main, image: "dev.local/hello:1", args: ["write=/v/a:x"], volumeMounts: [{name: v, mountPath: /v}]}
---
apiVersion: v1
kind: Pod
metadata: {name: nothing}
spec:
  containers: [{name: main, image: "dev.local/hello:1", command: [/none]}]
"#;

/// A directory that cannot be removed, since a file system is mounted in it.
struct Mounted(PathBuf);

impl Mounted {
    fn at(path: PathBuf) -> Self {
        fs::create_dir(&path).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "test"]).arg(&path).status().unwrap();
        assert!(mounted.success());
        Self(path)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-q").arg(&self.0).status();
    }
}

#[test]
fn a_pod_is_gone_when_all_of_it_is() {
    const NAME: &str = "a_pod_is_gone_when_all_of_it_is";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    let mut ebb = Ebb::with_runtime("container");
    ebb.apply(POD);
    let uid = |ebb: &Ebb| ebb.in_phase("stuck", "Running")["metadata"]["uid"].as_str().unwrap().to_owned();
    let volumes = |ebb: &Ebb| ebb.dir().join("volumes").join(uid(ebb));

    // Meanwhile: who does not start is told why, by the names that its owner knows.
    let status = |pod: &serde_json::Value| pod["status"]["containerStatuses"][0].clone();
    let backs_off = |pod: &serde_json::Value| status(pod)["state"]["waiting"]["reason"] == "CrashLoopBackOff";
    let refused = status(&ebb.settled("pod", "nothing", backs_off));
    let last = &refused["lastState"]["terminated"];
    assert_eq!((&last["reason"], &last["exitCode"]), (&"StartError".into(), &128.into()), "{refused}");
    assert_eq!(last["message"], "failed to start container \"main\": exec /none: no such file or directory");
    assert!(refused["restartCount"].as_i64() > Some(0), "it was tried again: {refused}");

    let dir = volumes(&ebb);
    assert!(until(|| dir.join("v/a").exists().then_some(())).is_some());
    let mounted = Mounted::at(dir.join("v/in-the-way"));
    ebb.kubectl(&["delete", "pod", "stuck", "--wait=false"]);
    let told = || {
        let events = ebb.kubectl(&["get", "events", "--field-selector=reason=FailedKillPod", "-o", "json"]);
        events.contains("in-the-way").then_some(())
    };
    assert!(until(told).is_some(), "why it is not gone is told");
    assert!(ebb.object("pod", "stuck").is_some(), "not all of it is removed, so it is not gone");
    let told = |ebb: &Ebb| {
        let log = ebb.logged();
        log.matches("could not remove all of the pod").count()
    };
    assert_eq!(told(&ebb), 1, "told once, however often it is tried");
    drop(mounted);
    assert!(until(|| ebb.object("pod", "stuck").is_none().then_some(())).is_some(), "it is tried again");
    assert!(!dir.exists());

    // What could not be removed when it ended is removed by the next one.
    ebb.apply(POD.split("---").next().unwrap());
    let dir = volumes(&ebb);
    assert!(until(|| dir.join("v/a").exists().then_some(())).is_some());
    let mounted = Mounted::at(dir.join("v/in-the-way"));
    ebb.kubectl(&["delete", "pod", "stuck", "--wait=false"]);
    assert!(until(|| (told(&ebb) == 2).then_some(())).is_some());
    assert!(ebb.stop(), "it ends well");
    drop(mounted);
    ebb.restart();
    assert!(until(|| (!dir.exists()).then_some(())).is_some());
    assert!(until(|| ebb.object("pod", "stuck").is_none().then_some(())).is_some());
}

/// Refusals before anything is there: whose the directory is, and what the machine lacks.
#[test]
fn what_cannot_be_used_is_refused_with_what_to_do() {
    const NAME: &str = "what_cannot_be_used_is_refused_with_what_to_do";
    if !need_root(NAME) {
        return;
    }
    const NOBODY: u32 = 65_534;
    let root = tempfile::tempdir().unwrap();
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
    // Where others than root can execute it.
    let program = root.path().join("ebb");
    fs::copy(env!("CARGO_BIN_EXE_ebb"), &program).unwrap();
    let data = root.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
    chown(&data, Some(NOBODY), Some(NOBODY)).unwrap();
    let refused = |user: u32, runtime: &str| {
        let mut command = Command::new(&program);
        command.args(["up", "--api", "127.0.0.1:0", "--http", "127.0.0.1:0", "--runtime", runtime]);
        let output =
            command.arg("--data-dir").arg(&data).uid(user).gid(user).current_dir("/").output().unwrap();
        assert!(!output.status.success());
        text(&output.stderr)
    };
    let told = refused(0, "container");
    for part in ["belongs to another user (uid 65534)", "--data-dir", data.to_str().unwrap()] {
        assert!(told.contains(part), "{part} in {told}");
    }
    let told = refused(NOBODY, "container");
    assert_eq!(told.matches("this machine cannot run containers").count(), 1, "{told}");
    assert!(told.contains("--runtime process"), "{told}");
}

/// The keeper cannot be ended in order when it is gone; what was in memory is removed all the same.
#[test]
fn what_was_in_memory_is_removed_also_when_the_end_fails() {
    const NAME: &str = "what_was_in_memory_is_removed_also_when_the_end_fails";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    const POD: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: app}
spec:
  volumes: [{name: m, emptyDir: {medium: Memory}}]
  containers: [{name: main, image: "dev.local/hello:1", volumeMounts: [{name: m, mountPath: /m}]}]
"#;
    let mut ebb = Ebb::with_runtime("container");
    ebb.apply(POD);
    ebb.in_phase("app", "Running");
    assert!(has_keeper(ebb.dir()));
    kill_process(ebb.keeper(), Signal::KILL).unwrap();
    assert!(!ebb.ended(), "it ends as a failure");
    assert!(run_dirs(ebb.dir()).iter().all(|dir| !dir.exists()));
    ebb.restart();
    ebb.in_phase("app", "Running");
}
