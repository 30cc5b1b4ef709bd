//! The runtime without isolation.

use std::os::unix::process::CommandExt;
use std::process::Command;

use node::runtime::{Exit, ProcessOptions, ProcessRuntime, Resources, Runtime, RuntimeError, Step};

use crate::fixture::{Image, alive, ask, eventually, sandbox, skip};

pub(crate) async fn runs_programs_of_images(image: &Image) {
    let dir = tempfile::tempdir().unwrap();
    let runtime = ProcessRuntime::start(ProcessOptions::new(dir.path().join("run"))).await.unwrap();
    let id = sandbox(&runtime, "s").await;
    let port = ("PORT".to_owned(), "8080".to_owned());

    let (mut spec, output) = image.spec("s", "a", "ids cwd env exit 7");
    spec.argv[0] = "probe".to_owned();
    spec.env = vec![("PATH".to_owned(), "/".to_owned()), port.clone()];
    spec.cwd = "/etc".to_owned();
    runtime.start_container(spec).await.unwrap();
    let exit = runtime.wait(&"a".into()).await.unwrap();
    assert_eq!(exit, Exit { code: 7, signal: None, oom_killed: false });
    let seen = output.read().await;
    let uid = rustix::process::geteuid().as_raw();
    assert!(seen.starts_with(&format!("uid {uid} {uid} ")), "{seen}");
    assert!(seen.contains(&format!("cwd {}\n", image.layer().join("etc").display())), "{seen}");
    assert!(!seen.contains("PORT=8080\n"), "{seen}");

    // Two programs that were meant to have the same port each have one.
    for (sandbox_id, container) in [("s", "b"), ("t", "c")] {
        if sandbox_id == "t" {
            sandbox(&runtime, "t").await;
        }
        let (mut spec, _) = image.spec(sandbox_id, container, "serve-port");
        spec.env = vec![port.clone()];
        let started = runtime.start_container(spec).await.unwrap();
        assert_eq!(ask(&runtime, &sandbox_id.into(), 8080).await, format!("pid {}\n", started.pid));
    }
    assert!(runtime.dial(&id, 1).await.is_err());
    assert!(runtime.stats(&"b".into()).unwrap().memory > 0);
    runtime.signal(&"b".into(), libc::SIGTERM).unwrap();
    assert_eq!(runtime.wait(&"b".into()).await.unwrap().signal, Some(libc::SIGTERM));

    let (mut spec, _) = image.spec("s", "d", "");
    spec.resources = Resources { memory_limit: Some(1), ..Resources::default() };
    spec.readonly_rootfs = true;
    let ignored = ["resources.limits", "securityContext.readOnlyRootFilesystem"];
    assert_eq!(runtime.unsupported(&spec), ignored);
    spec.argv[0] = "/absent".to_owned();
    match runtime.start_container(spec).await.unwrap_err() {
        RuntimeError::Start { failure, .. } => {
            assert_eq!((failure.step, failure.errno), (Step::Exec, libc::ENOENT))
        }
        other => panic!("{other}"),
    }
    runtime.shutdown().await.unwrap();
}

pub(crate) async fn kills_the_group(image: &Image) {
    let dir = tempfile::tempdir().unwrap();
    let runtime = ProcessRuntime::start(ProcessOptions::new(dir.path().join("run"))).await.unwrap();
    let id = sandbox(&runtime, "s").await;
    type End = fn(&ProcessRuntime);
    // Its output ends only when the child that it has spawned is gone too.
    let ends: [(&str, End); 2] = [
        ("spawn sleep", |runtime| runtime.signal(&"c".into(), libc::SIGKILL).unwrap()),
        ("spawn exit 0", |_| ()),
    ];
    for (args, end) in ends {
        let (spec, output) = image.spec("s", "c", args);
        let pid = runtime.start_container(spec).await.unwrap().pid;
        end(&runtime);
        runtime.wait(&"c".into()).await.unwrap();
        assert_eq!(output.read().await, "");
        eventually("it is gone", || !alive(pid)).await;
        runtime.remove_container(&"c".into()).await.unwrap();
    }
    let (spec, output) = image.spec("s", "c", "spawn sleep");
    runtime.start_container(spec).await.unwrap();
    runtime.remove_sandbox(&id).await.unwrap();
    assert_eq!(output.read().await, "");

    sandbox(&runtime, "s").await;
    let (spec, output) = image.spec("s", "c", "spawn sleep");
    runtime.start_container(spec).await.unwrap();
    runtime.shutdown().await.unwrap();
    assert_eq!(output.read().await, "");
}

/// The whole of this file again, as a user without any privilege.
pub(crate) async fn without_root(image: &Image) {
    const NOBODY: u32 = 65_534;
    if !rustix::process::geteuid().is_root() {
        // Then the other tests have shown it.
        return;
    }
    // Where others than root can execute it.
    let program = image.layer().join("tests");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let run = Command::new(&program)
        .args(["process::runs_programs_of_images", "process::kills_the_group"])
        .uid(NOBODY)
        .gid(NOBODY)
        .current_dir("/")
        .output();
    std::fs::remove_file(&program).unwrap();
    match run {
        Ok(output) => {
            assert!(output.status.success(), "{output:?}");
            assert!(String::from_utf8_lossy(&output.stdout).contains("2 passed"), "{output:?}");
        }
        Err(error) => skip("process::without_root", &error.to_string()),
    }
}
