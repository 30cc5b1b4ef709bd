//! Containers that share a sandbox.

use node::runtime::{Runtime, RuntimeError};

use crate::fixture::{Image, Node, alive, ask, start};

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
