//! When a part of the node is killed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

use node::runtime::{ContainerOptions, ContainerRuntime, Leftovers, Runtime, RuntimeError, clean_leftovers};
use rustix::process::{Pid, Signal, kill_process};

use crate::fixture::{Image, Node, alive, eventually, sandbox, start};
use crate::leaks::{cgroups, keeper_of_this_process};

pub(crate) async fn keeper_killed(image: &Image) {
    let Some(node) = Node::start("keeper_killed").await else { return };
    node.sandbox("s").await;
    let (spec, _) = image.spec("s", "c", "spawn sleep");
    let pid = node.runtime.start_container(spec).await.unwrap().pid;
    kill(keeper_of_this_process());
    assert!(matches!(node.runtime.wait(&"c".into()).await, Err(RuntimeError::KeeperGone)));
    eventually("the container is gone", || !alive(pid)).await;
    let (spec, _) = image.spec("s", "d", "sleep");
    assert!(matches!(node.runtime.start_container(spec).await, Err(RuntimeError::KeeperGone)));

    let run_dir = node.dir.path().join("run");
    let root = ContainerOptions::new(&run_dir).cgroup_root;
    let found = clean_leftovers(&run_dir, &root).unwrap();
    assert!(found.cgroups > 0 && found.directories > 0, "{found:?}");
    assert_eq!(cgroups(&root), 0);
    assert_eq!(clean_leftovers(&run_dir, &root).unwrap(), Leftovers::default());
}

pub(crate) async fn daemon_killed(image: &Image) {
    let Some(daemon) = Daemon::start("daemon_killed", image).await else { return };
    daemon.kill();
    eventually("the container is gone", || !alive(daemon.container)).await;
    eventually("the keeper is gone", || !alive(daemon.keeper)).await;
    assert_eq!(cgroups(&daemon.cgroup_root), 0);
    assert!(!daemon.dir.path().join("run/containers").exists());
}

pub(crate) async fn both_killed(image: &Image) {
    let Some(daemon) = Daemon::start("both_killed", image).await else { return };
    kill(daemon.keeper);
    daemon.kill();
    assert!(cgroups(&daemon.cgroup_root) > 0, "nothing was left, so nothing is shown");
    // The next run cleans up, and works.
    let runtime =
        ContainerRuntime::start(ContainerOptions::new(daemon.dir.path().join("run"))).await.unwrap();
    eventually("the container is gone", || !alive(daemon.container)).await;
    sandbox(&runtime, "s").await;
    let id = start(&runtime, image, "s", "c", "exit 8").await;
    assert_eq!(runtime.wait(&id).await.unwrap().code, 8);
    runtime.shutdown().await.unwrap();
    assert_eq!(cgroups(&daemon.cgroup_root), 0);
}

/// Another process with a container runtime.
struct Daemon {
    child: std::cell::RefCell<Child>,
    dir: tempfile::TempDir,
    cgroup_root: String,
    container: i32,
    keeper: i32,
}

impl Daemon {
    async fn start(test: &str, image: &Image) -> Option<Self> {
        // Says whether containers work here at all.
        Node::start(test).await?.end().await;
        let dir = tempfile::tempdir().unwrap();
        let run_dir = dir.path().join("run");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("daemon")
            .args([&run_dir, &image.layer()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let mut pids = line.split_whitespace().map(|pid| pid.parse().unwrap());
        let (container, keeper) = (pids.next().unwrap(), pids.next().unwrap());
        assert!(alive(container) && alive(keeper));
        let cgroup_root = ContainerOptions::new(&run_dir).cgroup_root;
        Some(Self { child: child.into(), dir, cgroup_root, container, keeper })
    }

    fn kill(&self) {
        let mut child = self.child.borrow_mut();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

/// The `main` of that process: starts a container, tells its process id and the keeper's, and waits to be killed.
pub(crate) fn daemon(run_dir: &str, layer: &str) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let containers = ContainerRuntime::start(ContainerOptions::new(run_dir)).await.unwrap();
        sandbox(&containers, "s").await;
        let image = Image::borrowed(Path::new(layer));
        let (spec, _output) = image.spec("s", "c", "spawn sleep");
        let started = containers.start_container(spec).await.unwrap();
        println!("{} {}", started.pid, keeper_of_this_process());
        std::future::pending::<()>().await;
    });
    ExitCode::SUCCESS
}

fn kill(pid: i32) {
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}
