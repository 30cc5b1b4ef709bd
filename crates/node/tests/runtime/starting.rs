//! What a container is given, and why one cannot start.

use std::time::Duration;

use node::runtime::{ContainerSpec, PoolOptions, Runtime, RuntimeError, SandboxSpec, Step, User};

use crate::fixture::{Image, Node, bind, eventually, start};

pub(crate) async fn shows_what_was_asked_for(image: &Image) {
    let Some(node) = Node::start("shows_what_was_asked_for").await else { return };
    let (exit, output) = node
        .run(image, "hostname cwd env list /proc/self/fd", |spec| {
            spec.argv[0] = "probe".to_owned();
            spec.env = vec![("PATH".to_owned(), "/bin:/".to_owned()), ("K".to_owned(), "a=b c".to_owned())];
            spec.cwd = "/made/for/this".to_owned();
        })
        .await;
    assert_eq!(exit.code, 0);
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(
        lines[..5],
        ["hostname run-host", "cwd /made/for/this", "PATH=/bin:/", "K=a=b c", "HOME=/root"]
    );
    // Standard descriptors, and the listing's own.
    let descriptors: Vec<&str> = lines[5..].iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(descriptors, ["0", "1", "2", "3"], "{output}");
    node.end().await;
}

/// As much as the kernel takes: more than a socket's usual buffer, less than its limit for a program.
pub(crate) async fn large_environments(image: &Image) {
    let Some(node) = Node::start("large_environments").await else { return };
    let value = "x".repeat(120_000);
    let env: Vec<_> = (0..14).map(|number| (format!("V{number}"), value.clone())).collect();
    let (exit, _) = node.run(image, "exit 3", |spec| spec.env = env.clone()).await;
    assert_eq!(exit.code, 3);
    let (mut spec, _) = image.spec("s", "c", "");
    node.sandbox("s").await;
    spec.env = (0..40).map(|number| (format!("V{number}"), value.clone())).collect();
    assert!(node.runtime.start_container(spec).await.is_err());
    node.end().await;
}

/// A caller who gives up leaves a container that its sandbox's removal removes.
pub(crate) async fn given_up(image: &Image) {
    let Some(node) = Node::start("given_up").await else { return };
    let sandbox = node.sandbox("s").await;
    let (spec, output) = image.spec("s", "c", "sleep");
    let start = node.runtime.start_container(spec);
    assert!(tokio::time::timeout(std::time::Duration::ZERO, start).await.is_err());
    node.runtime.remove_sandbox(&sandbox).await.unwrap();
    // Nobody holds its output any more.
    assert_eq!(output.read().await, "");
    node.end().await;
}

pub(crate) async fn users(image: &Image) {
    let Some(node) = Node::start("users").await else { return };
    let user = |image: &str| User { image: image.to_owned(), ..User::default() };
    let cases = [
        (user(""), "uid 0 0 gid 0 0 groups 0"),
        (user("app"), "uid 1000 1000 gid 1001 1001 groups 50 1001"),
        (user("65532:65532"), "uid 65532 65532 gid 65532 65532 groups 65532"),
        (User { uid: Some(7), gid: Some(8), groups: vec![9], ..user("app") }, "uid 7 7 gid 8 8 groups 8 9"),
    ];
    for (user, expected) in cases {
        let (_, output) = node.run(image, "ids write /dev/stdout", |spec| spec.user = user.clone()).await;
        assert_eq!(output, format!("{expected}\n/dev/stdout: ok\n"), "{user:?}");
    }
    node.end().await;
}

pub(crate) async fn failures_are_typed(image: &Image) {
    let Some(node) = Node::start("failures_are_typed").await else { return };
    node.sandbox("s").await;
    let start = async |change: &dyn Fn(&mut node::runtime::ContainerSpec)| {
        let (mut spec, _) = image.spec("s", "c", "");
        change(&mut spec);
        let error = node.runtime.start_container(spec).await.unwrap_err();
        assert_eq!(error.reason(), "StartError");
        match &error {
            RuntimeError::Start { failure, .. } => (failure.step, failure.errno, error.to_string()),
            other => panic!("{other}"),
        }
    };
    type Change = fn(&mut node::runtime::ContainerSpec);
    let cases: [(Change, Step, i32, &str); 9] = [
        (|s| s.argv[0] = "/app/server".into(), Step::Exec, libc::ENOENT, "exec /app/server: no such file"),
        (|s| s.argv[0] = "server".into(), Step::Exec, libc::ENOENT, "exec server: no such file"),
        (|s| s.argv[0] = "/etc".into(), Step::Exec, libc::EACCES, "exec /etc: Permission denied"),
        (
            |s| s.argv[0] = "/etc/passwd".into(),
            Step::Exec,
            libc::EACCES,
            "exec /etc/passwd: Permission denied",
        ),
        (|s| s.user.image = "nobody".into(), Step::User, libc::ENOENT, "user nobody: no such user"),
        (|s| s.cwd = "/etc/passwd".into(), Step::WorkingDirectory, libc::ENOTDIR, "chdir /etc/passwd"),
        (|s| s.rootfs.push("/absent/layer".into()), Step::Rootfs, libc::ENOENT, "/absent/layer"),
        (|s| s.mounts.push(bind("/absent/volume", "/v", false)), Step::Mount, libc::ENOENT, "/absent/volume"),
        (|s| s.resources.memory_limit = Some(1), Step::Exec, 0, ""),
    ];
    for (change, step, errno, text) in &cases[..8] {
        let (got_step, got_errno, message) = start(change).await;
        assert_eq!((got_step, got_errno), (*step, *errno), "{message}");
        assert!(message.contains(text), "{message:?} lacks {text:?}");
    }
    // A limit that not even the start fits: whatever step dies, it is a failed start, not a hang.
    let (mut spec, _) = image.spec("s", "c", "");
    cases[8].0(&mut spec);
    assert!(node.runtime.start_container(spec).await.is_err());
    // The name is free again after every failure.
    let (spec, _) = image.spec("s", "c", "exit 3");
    node.runtime.start_container(spec).await.unwrap();
    assert_eq!(node.runtime.wait(&"c".into()).await.unwrap().code, 3);
    node.end().await;
}

pub(crate) async fn invalid_specs_are_refused(image: &Image) {
    let Some(node) = Node::start("invalid_specs_are_refused").await else { return };
    node.sandbox("s").await;
    type Change = fn(&mut node::runtime::ContainerSpec);
    let cases: [(Change, &str); 7] = [
        (|s| s.argv.clear(), "no command"),
        (|s| s.rootfs.clear(), "no layers"),
        (|s| s.cwd = "relative".into(), "not an absolute path"),
        (|s| s.mounts.push(bind("/", "relative", false)), "not an absolute path"),
        (|s| s.message_path = Some("relative".into()), "not an absolute path"),
        (|s| s.id = "../escape".into(), "identifier"),
        (|s| s.sandbox = "absent".into(), "no sandbox absent"),
    ];
    for (change, text) in cases {
        let (mut spec, _) = image.spec("s", "c", "");
        change(&mut spec);
        let message = node.runtime.start_container(spec).await.unwrap_err().to_string();
        assert!(message.contains(text), "{message:?} lacks {text:?}");
    }
    let id = start(&node.runtime, image, "s", "c", "sleep").await;
    let (spec, _) = image.spec("s", "c", "");
    assert!(matches!(node.runtime.start_container(spec).await, Err(RuntimeError::Exists { .. })));
    node.runtime.remove_container(&id).await.unwrap();
    node.runtime.remove_container(&id).await.unwrap();
    assert!(matches!(node.runtime.wait(&id).await, Err(RuntimeError::NotFound { .. })));
    node.end().await;
}

pub(crate) async fn without_pools(image: &Image) {
    let Some(node) = Node::start_with("without_pools", |options| options.pools = PoolOptions::NONE).await
    else {
        return;
    };
    for _ in 0..5 {
        assert_eq!(node.run(image, "exit 5", |_| ()).await.0.code, 5);
    }
    node.end().await;
}

/// What was started lately is mounted by the time it is started again, unless it is not the same any more.
pub(crate) async fn late_roots_are_mounted_beforehand(image: &Image) {
    let Some(node) = Node::start("late_roots_are_mounted_beforehand").await else { return };
    let layer = node.dir.path().join("layer");
    let load = |version: &str| {
        let _ = std::fs::remove_dir_all(&layer);
        std::fs::create_dir(&layer).unwrap();
        std::fs::write(layer.join("version"), version).unwrap();
    };
    node.sandbox("s").await;
    let run = async |change: &dyn Fn(&mut ContainerSpec)| {
        let (mut spec, output) = image.spec("s", "c", "cat /version write /version list /");
        spec.rootfs.push(layer.clone());
        change(&mut spec);
        let started = node.runtime.start_container(spec).await.unwrap();
        node.runtime.wait(&"c".into()).await.unwrap();
        node.runtime.remove_container(&"c".into()).await.unwrap();
        (started.timings.prepared, output.read().await)
    };
    let until_prepared = async |change: &dyn Fn(&mut ContainerSpec), version: &str| {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
        loop {
            let (prepared, output) = run(change).await;
            // One that is mounted already is nobody else's before.
            assert!(output.starts_with(version), "{output}");
            if prepared {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "it is never mounted beforehand");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    load("1");
    assert!(!run(&|_| ()).await.0, "nobody could know");
    until_prepared(&|_| (), "1/version: ok").await;
    // Another image of the same name, or the same one again.
    load("2");
    assert_eq!(run(&|_| ()).await.1.get(..1), Some("2"));
    until_prepared(&|_| (), "2/version: ok").await;
    // Files of its own belong to it.
    let with_message = |spec: &mut ContainerSpec| spec.message_path = Some("/why".into());
    assert!(!run(&with_message).await.0);
    until_prepared(&with_message, "2/version: ok").await;
    assert!(run(&with_message).await.1.contains("why"));
    assert!(!run(&|_| ()).await.1.contains("why"));
    // What was not started for long makes room.
    let PoolOptions { shells, prepared, .. } = PoolOptions::default();
    for number in 0..2 * prepared {
        until_prepared(&|spec| spec.message_path = Some(format!("/{number}").into()), "2/version: ok").await;
    }
    let slots = node.dir.path().join("run/containers");
    eventually("no more are there than there may be", || {
        std::fs::read_dir(&slots).unwrap().count() <= shells + prepared
    })
    .await;
    node.end().await;
}

/// A start need not wait for its sandbox to be made, and comes to nothing with it.
pub(crate) async fn asked_for_behind_its_sandbox(image: &Image) {
    let Some(node) = Node::start("asked_for_behind_its_sandbox").await else { return };
    for (hostname, works) in [("h".repeat(65), false), ("host".to_owned(), true)] {
        let (spec, output) = image.spec("s", "c", "hostname exit 4");
        let sandbox = SandboxSpec { id: "s".into(), hostname, addresses: Vec::new(), next: Vec::new() };
        let (made, started) =
            tokio::join!(node.runtime.create_sandbox(sandbox), node.runtime.start_container(spec));
        assert_eq!((made.is_ok(), started.is_ok()), (works, works), "{made:?} {started:?}");
        if works {
            assert_eq!(node.runtime.wait(&"c".into()).await.unwrap().code, 4);
            node.runtime.remove_container(&"c".into()).await.unwrap();
        }
        assert_eq!(output.read().await, if works { "hostname host\n" } else { "" });
    }
    node.end().await;
}
