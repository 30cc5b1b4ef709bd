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
    let (spec, _output) = image.spec("s", "c", "abandon 1000 serve 80");
    let app = node.runtime.start_container(spec).await.unwrap().pid;
    crate::fixture::ask(&node.runtime, &sandbox, 80).await;
    // Init and the program.
    eventually("all abandoned children are reaped", || processes_beside(app) == 2).await;
    node.end().await;
}

/// How many processes, zombies included, are in the pid namespace of a process.
fn processes_beside(pid: i32) -> usize {
    let namespace = |pid: &str| std::fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    let its = namespace(&pid.to_string());
    assert!(its.is_some());
    let entries =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().into_string().ok());
    entries.filter(|name| name.parse::<i32>().is_ok() && namespace(name) == its).count()
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
