//! How containers end.

use node::runtime::{Exit, Runtime};

use crate::fixture::{Image, Node, alive, eventually, start};

pub(crate) async fn codes_and_signals(image: &Image) {
    let Some(node) = Node::start("codes_and_signals").await else { return };
    let cases = [("exit 0", 0, None), ("exit 7", 7, None), ("crash", 134, Some(libc::SIGABRT))];
    for (args, code, signal) in cases {
        let (exit, _) = node.run(image, args, |_| ()).await;
        assert_eq!(exit, Exit { code, signal, oom_killed: false }, "{args}");
    }
    node.sandbox("s").await;
    let cases = [
        ("serve 1", libc::SIGTERM, 143, Some(libc::SIGTERM)),
        ("trap serve 1", libc::SIGTERM, 42, None),
        ("trap serve 1", libc::SIGKILL, 137, Some(libc::SIGKILL)),
        ("serve 1", libc::SIGRTMIN() + 5, 128 + libc::SIGRTMIN() + 5, Some(libc::SIGRTMIN() + 5)),
    ];
    for (args, sent, code, signal) in cases {
        let id = start(&node.runtime, image, "s", "c", args).await;
        // It has set its handler once it serves.
        crate::fixture::ask(&node.runtime, &"s".into(), 1).await;
        node.runtime.signal(&id, sent).unwrap();
        let exit = node.runtime.wait(&id).await.unwrap();
        assert_eq!(exit, Exit { code, signal, oom_killed: false }, "{args}, signal {sent}");
        // Ended, it takes any signal, and can be waited for again.
        node.runtime.signal(&id, sent).unwrap();
        assert_eq!(node.runtime.wait(&id).await.unwrap(), exit);
        node.runtime.remove_container(&id).await.unwrap();
    }
    node.end().await;
}

pub(crate) async fn memory_limit(image: &Image) {
    let Some(node) = Node::start("memory_limit").await else { return };
    let limit = |spec: &mut node::runtime::ContainerSpec| spec.resources.memory_limit = Some(48 << 20);
    let (exit, _) = node.run(image, "allocate 16 exit 4", limit).await;
    assert_eq!(exit, Exit { code: 4, signal: None, oom_killed: false });
    let (exit, _) = node.run(image, "allocate 200 exit 4", limit).await;
    assert_eq!(exit, Exit { code: 137, signal: Some(libc::SIGKILL), oom_killed: true });
    node.end().await;
}

pub(crate) async fn no_zombies(image: &Image) {
    let Some(node) = Node::start("no_zombies").await else { return };
    let sandbox = node.sandbox("s").await;
    let id = start(&node.runtime, image, "s", "c", "abandon 1000 serve 80").await;
    crate::fixture::ask(&node.runtime, &sandbox, 80).await;
    // The container's processes, as the host sees them: init and the program.
    let cgroup = format!("/{}/container-", cgroup_root(&node));
    eventually("all abandoned children are reaped", || members(&cgroup) == 2).await;
    node.runtime.remove_container(&id).await.unwrap();
    node.end().await;
}

/// How many processes, zombies included, run in cgroups that have this in their name, idle shells left out.
fn members(cgroup: &str) -> usize {
    let processes =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().into_string().ok());
    let programs: Vec<String> = processes
        .filter(|pid| pid.bytes().all(|byte| byte.is_ascii_digit()))
        .filter_map(|pid| {
            let groups = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
            let memory =
                groups.lines().find(|line| line.contains(":memory:") || line.starts_with("0::/ebb"))?;
            memory.contains(cgroup).then(|| memory.to_owned())
        })
        .collect();
    // A shell's own two processes are the smallest group; the container under test is the largest.
    let count = |group: &String| programs.iter().filter(|other| *other == group).count();
    programs.iter().map(count).max().unwrap_or(0)
}

fn cgroup_root(node: &Node) -> String {
    node::runtime::ContainerOptions::new(node.dir.path().join("run")).cgroup_root
}

pub(crate) async fn main_process_ends_all(image: &Image) {
    let Some(node) = Node::start("main_process_ends_all").await else { return };
    node.sandbox("s").await;
    let (spec, output) = image.spec("s", "c", "spawn spawn exit 6");
    let started = node.runtime.start_container(spec).await.unwrap();
    assert_eq!(node.runtime.wait(&"c".into()).await.unwrap().code, 6);
    assert!(!alive(started.pid));
    // Its output ends, so nobody holds it any more.
    assert_eq!(output.read().await, "");
    node.end().await;
}
