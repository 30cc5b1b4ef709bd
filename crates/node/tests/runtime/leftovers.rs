//! When a part of the node is killed.

use std::fs;
use std::process::Command;
use std::time::Duration;

use node::runtime::{
    ContainerOptions, ContainerRuntime, KeeperCommand, KeeperOptions, Leftovers, ProcessOptions,
    ProcessRuntime, Runtime, RuntimeError, clean_leftovers,
};
use rustix::mount::MountFlags;
use rustix::net::{SocketAddrUnix, bind, connect, listen};

use crate::daemon::{Daemon, Kind, MAGIC, Plan, kill, scratch, seqpacket};
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

/// Without a daemon, the keeper removes everything once its grace is over, also what that has kept for its containers.
pub(crate) async fn no_daemon_comes(image: &Image) {
    for kind in [Kind::Container, Kind::Process] {
        let plan = Plan { grace: Duration::from_millis(300), ..Plan::new(kind) };
        let Some(daemon) = Daemon::start("no_daemon_comes", image, plan).await else { continue };
        assert!(daemon.socket().exists());
        let pod = scratch(&daemon.run_dir()).join("uid");
        fs::create_dir_all(pod.join("etc")).unwrap();
        fs::write(pod.join("etc/hosts"), "").unwrap();
        let memory = pod.join("memory");
        fs::create_dir(&memory).unwrap();
        if rustix::process::geteuid().is_root() {
            rustix::mount::mount("ebb", &memory, "tmpfs", MountFlags::empty(), c"size=64k").unwrap();
        }
        let killed = tokio::time::Instant::now();
        daemon.kill();
        daemon.ended().await;
        assert!(killed.elapsed() >= plan.grace, "they had their grace");
        assert!(!daemon.run_dir().join("containers").exists() && !daemon.socket().exists());
        assert!(!scratch(&daemon.run_dir()).exists(), "nothing of its pods is left");
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        assert!(!mounts.contains(memory.to_str().unwrap()), "{mounts}");
        assert!(std::net::TcpStream::connect(daemon.address).is_err(), "the socket that it kept is closed");
        if kind == Kind::Process {
            assert!(!daemon.run_dir().exists(), "it had nothing else in it");
        }
    }
}

/// A keeper that never worked leaves no directory either.
pub(crate) async fn no_keeper_works(_: &Image) {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("keeper");
    let absent = KeeperCommand { program: "/absent".into(), args: Vec::new() };
    let keeper = KeeperOptions { command: absent, ..KeeperOptions::new(&place) };
    let error = ProcessRuntime::start(ProcessOptions { keeper }).await.err().unwrap().to_string();
    assert!(error.contains("/absent") && !place.exists(), "{error}");

    fs::write(dir.path().join("file"), "").unwrap();
    let options = ContainerOptions {
        keeper: KeeperOptions::new(&place),
        ..ContainerOptions::new(dir.path().join("file/run"))
    };
    let error = ContainerRuntime::start(options).await.err().unwrap().to_string();
    eventually("the keeper that was of no use has left nothing", || !place.exists()).await;
    assert!(!error.is_empty());

    // One whose daemon has been killed before it said how to work, and which a newer daemon finds.
    fs::create_dir(&place).unwrap();
    let listener = seqpacket();
    let address = SocketAddrUnix::new(place.join("keeper.sock")).unwrap();
    bind(&listener, &address).unwrap();
    listen(&listener, 1).unwrap();
    let mut keeper = Command::new(std::env::current_exe().unwrap())
        .arg("keeper")
        .stdin(listener)
        .current_dir(&place)
        .spawn()
        .unwrap();
    let newer = seqpacket();
    connect(&newer, &address).unwrap();
    rustix::io::write(&newer, &[&MAGIC[..], &u32::MAX.to_le_bytes()].concat()).unwrap();
    assert!(tokio::task::spawn_blocking(move || keeper.wait()).await.unwrap().unwrap().success());
    assert!(!place.exists());
}

/// A keeper that has neither containers nor sockets does not wait for a daemon.
pub(crate) async fn nothing_to_keep(image: &Image) {
    let plan = Plan { pods: 0, grace: Duration::from_secs(600), ..Plan::new(Kind::Container) };
    let Some(daemon) = Daemon::start("nothing_to_keep", image, plan).await else { return };
    daemon.kill();
    daemon.ended().await;
}

pub(crate) async fn both_killed(image: &Image) {
    let plan = Plan::new(Kind::Container);
    let Some(daemon) = Daemon::start("both_killed", image, plan).await else { return };
    kill(daemon.keeper);
    daemon.kill();
    assert!(cgroups(&daemon.cgroup_root()) > 0, "nothing was left, so nothing is shown");
    // The next run cleans up, and works.
    let runtime = ContainerRuntime::start(daemon.options()).await.unwrap();
    assert!(runtime.take_over().is_empty());
    eventually("the containers are gone", || daemon.containers.iter().all(|pid| !alive(*pid))).await;
    sandbox(&runtime, "s").await;
    let id = start(&runtime, image, "s", "c", "exit 8").await;
    assert_eq!(runtime.wait(&id).await.unwrap().code, 8);
    runtime.shutdown().await.unwrap();
    assert_eq!(cgroups(&daemon.cgroup_root()), 0);
}
