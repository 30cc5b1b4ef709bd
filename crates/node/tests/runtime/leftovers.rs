//! When a part of the node is killed.

use std::time::Duration;

use node::runtime::{ContainerOptions, ContainerRuntime, Leftovers, Runtime, RuntimeError, clean_leftovers};

use crate::daemon::{Daemon, Kind, Plan, kill};
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

/// Without a daemon, the keeper removes everything once its grace is over.
pub(crate) async fn no_daemon_comes(image: &Image) {
    let plan = Plan { grace: Duration::from_millis(300), ..Plan::new(Kind::Container) };
    let Some(daemon) = Daemon::start("no_daemon_comes", image, plan).await else { return };
    assert!(daemon.socket().exists());
    let killed = tokio::time::Instant::now();
    daemon.kill();
    daemon.ended().await;
    assert!(killed.elapsed() >= plan.grace, "they had their grace");
    assert!(!daemon.run_dir().join("containers").exists() && !daemon.socket().exists());
    assert!(std::net::TcpStream::connect(daemon.address).is_err(), "the socket that it kept is closed");
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
