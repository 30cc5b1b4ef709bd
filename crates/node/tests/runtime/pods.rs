//! Containers that share a sandbox.

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::process::Command;

use node::runtime::{PoolOptions, Runtime, RuntimeError, SandboxSpec};

use crate::fixture::{Image, Node, alive, ask, eventually, start};
use crate::leaks::keeper_of_this_process;

pub(crate) async fn containers_share_a_sandbox(image: &Image) {
    let Some(node) = Node::start("containers_share_a_sandbox").await else { return };
    let sandbox = node.sandbox("pod").await;
    let first = start(&node.runtime, image, "pod", "first", "serve 80").await;
    let second = start(&node.runtime, image, "pod", "second", "serve 8080").await;
    assert_eq!(ask(&node.runtime, &sandbox, 80).await, "pid 2\n");
    assert_eq!(ask(&node.runtime, &sandbox, 8080).await, "pid 2\n");
    // One sees the other's sockets, and the pod's addresses.
    let (spec, output) =
        image.spec("pod", "third", "cat /proc/net/tcp cat /proc/net/fib_trie cat /proc/net/if_inet6");
    node.runtime.start_container(spec).await.unwrap();
    node.runtime.wait(&"third".into()).await.unwrap();
    let seen = output.read().await;
    for part in [":0050 ", ":1F90 ", "10.42.7.9", "fd420000000000000000000000000009"] {
        assert!(seen.contains(part), "{part} is not in {seen}");
    }

    node.runtime.signal(&first, libc::SIGKILL).unwrap();
    assert_eq!(node.runtime.wait(&first).await.unwrap().code, 137);
    let refused = node.runtime.dial(&sandbox, 80).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    assert_eq!(ask(&node.runtime, &sandbox, 8080).await, "pid 2\n");
    // Restarted in the same sandbox, it is where it was.
    node.runtime.remove_container(&first).await.unwrap();
    start(&node.runtime, image, "pod", "first-again", "serve 80").await;
    assert_eq!(ask(&node.runtime, &sandbox, 80).await, "pid 2\n");
    node.runtime.remove_container(&second).await.unwrap();
    node.end().await;
}

pub(crate) async fn sandboxes_are_apart(image: &Image) {
    let Some(node) = Node::start("sandboxes_are_apart").await else { return };
    let (one, two) = (node.sandbox("one").await, node.sandbox("two").await);
    start(&node.runtime, image, "one", "a", "serve 80").await;
    start(&node.runtime, image, "two", "b", "serve 80").await;
    ask(&node.runtime, &one, 80).await;
    ask(&node.runtime, &two, 80).await;
    let (spec, output) = image.spec("two", "look", "hostname list /proc cat /proc/net/tcp");
    node.runtime.start_container(spec).await.unwrap();
    node.runtime.wait(&"look".into()).await.unwrap();
    let seen = output.read().await;
    assert!(seen.starts_with("hostname two-host\n"), "{seen}");
    // Its own init and itself are all the processes that it sees.
    let processes = seen.lines().filter(|line| line.trim().parse::<u32>().is_ok()).count();
    assert_eq!(processes, 2, "{seen}");
    // And one listener, where two listen.
    assert_eq!(seen.matches(":0050 00000000:0000 0A").count(), 1, "{seen}");
    node.end().await;
}

/// A guess gives a pod what it would have had without, and no other pod anything.
pub(crate) async fn addresses_are_guessed(image: &Image) {
    let Some(node) = Node::start("addresses_are_guessed").await else { return };
    let keeper = keeper_of_this_process();
    let address = |last: u8| IpAddr::from([10, 42, 8, last]);
    let pods: [(u8, &[u8]); 5] = [(1, &[2, 3]), (2, &[3, 4]), (9, &[2]), (2, &[]), (5, &[6, 7, 8, 9, 10])];
    for (own, next) in pods {
        let spec = SandboxSpec {
            id: "s".into(),
            hostname: "s".to_owned(),
            addresses: vec![address(own)],
            next: next.iter().map(|last| address(*last)).collect(),
        };
        node.runtime.create_sandbox(spec).await.unwrap();
        let (spec, output) = image.spec("s", "c", "cat /proc/net/fib_trie");
        node.runtime.start_container(spec).await.unwrap();
        node.runtime.wait(&"c".into()).await.unwrap();
        node.runtime.remove_sandbox(&"s".into()).await.unwrap();
        let output = output.read().await;
        let all: BTreeSet<_> = output.split_whitespace().filter(|word| word.starts_with("10.")).collect();
        assert_eq!(all, BTreeSet::from([address(own).to_string().as_str()]), "{output}");
        eventually("sandboxes are made with what was guessed", || {
            networks(keeper) == 1 + PoolOptions::default().sandboxes
        })
        .await;
    }
    node.end().await;
}

/// How many networks a process holds, its own included.
fn networks(pid: i32) -> usize {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let targets = open.filter_map(|fd| fs::read_link(fd.unwrap().path()).ok());
    targets.filter(|target| target.to_string_lossy().starts_with("net:")).count()
}

pub(crate) async fn removing_a_sandbox_removes_its_containers(image: &Image) {
    let Some(node) = Node::start("removing_a_sandbox_removes_its_containers").await else { return };
    let sandbox = node.sandbox("pod").await;
    let (spec, _) = image.spec("pod", "c", "serve 80");
    let pid = node.runtime.start_container(spec).await.unwrap().pid;
    assert!(alive(pid));
    node.runtime.remove_sandbox(&sandbox).await.unwrap();
    node.runtime.remove_sandbox(&sandbox).await.unwrap();
    assert!(!alive(pid));
    assert!(matches!(node.runtime.stats(&"c".into()), Err(RuntimeError::NotFound { .. })));
    assert!(node.runtime.dial(&sandbox, 80).await.is_err());
    node.sandbox("pod").await;
    node.end().await;
}

/// What a supervisor does that lost track of a pod: its sandbox is removed, containers and all, and made again under the
/// same names, while another task may still be removing the same things.
pub(crate) async fn a_sandbox_again(image: &Image) {
    let Some(node) = Node::start("a_sandbox_again").await else { return };
    let mut sandbox = node.sandbox("pod").await;
    for _ in 0..10 {
        let first = start(&node.runtime, image, "pod", "first", "serve 80").await;
        start(&node.runtime, image, "pod", "second", "serve 8080").await;
        ask(&node.runtime, &sandbox, 80).await;
        let (one, other, container) = tokio::join!(
            node.runtime.remove_sandbox(&sandbox),
            node.runtime.remove_sandbox(&sandbox),
            node.runtime.remove_container(&first),
        );
        [one, other, container].into_iter().for_each(Result::unwrap);
        sandbox = node.sandbox("pod").await;
        // Nothing of before listens in it.
        let refused = node.runtime.dial(&sandbox, 8080).await.unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    }
    node.end().await;
}

/// What is in the way of removing one container does not keep the others.
pub(crate) async fn removing_goes_on_over_errors(image: &Image) {
    let Some(node) = Node::start("removing_goes_on_over_errors").await else { return };
    let sandbox = node.sandbox("pod").await;
    let containers = node.dir.path().join("run/containers");
    let mut pids = Vec::new();
    for id in ["a", "b", "c"] {
        let (spec, _) = image.spec("pod", id, &format!("write /{id} sleep"));
        pids.push(node.runtime.start_container(spec).await.unwrap().pid);
    }
    let upper_of = |file: &str| {
        let slots = fs::read_dir(&containers).unwrap().map(|slot| slot.unwrap().path().join("upper"));
        slots.into_iter().find(|upper| upper.join(file).exists())
    };
    eventually("all have written", || ["a", "b", "c"].iter().all(|file| upper_of(file).is_some())).await;
    let busy = upper_of("b").unwrap();
    let mount = |program: &str, args: &[&str]| {
        assert!(Command::new(program).args(args).arg(&busy).status().unwrap().success());
    };
    mount("mount", &["-t", "tmpfs", "none"]);
    let first = node.runtime.remove_sandbox(&sandbox).await;
    mount("umount", &[]);
    assert!(first.unwrap_err().to_string().contains("removing container b"));
    assert!(pids.iter().all(|pid| !alive(*pid)));
    assert!(node.runtime.stats(&"a".into()).is_err() && node.runtime.stats(&"c".into()).is_err());
    // Once nothing is in the way, the rest goes too.
    node.runtime.remove_sandbox(&sandbox).await.unwrap();
    assert!(!busy.exists());
    node.end().await;
}
