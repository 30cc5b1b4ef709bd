//! How long a container takes from "start" to "accepts connections", in parts.
//!
//!     cargo run --release -p node --example start [-- STARTS [DIR]]
//!
//! DIR is where the run directory is made; on a tmpfs the overlay costs a third. Needs root and a C compiler. Each start is of a small static server in a new sandbox, after an idle gap of 20 ms:
//! starts back to back find warm caches, and flatter.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use node::runtime::{
    Capabilities, ContainerOptions, ContainerRuntime, ContainerSpec, PoolOptions, ProcessOptions,
    ProcessRuntime, Resources, Runtime, SandboxSpec, Seccomp, StartTimings, User,
};
use rustix::time::Timespec;
use tokio::time::Instant;

const GAP: Duration = Duration::from_millis(20);
const RETRY: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000 };
const WARM_UP: usize = 10;

const SERVER: &str = r#"
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
int main(void) {
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(getenv("PORT")))};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 16)) return 1;
    for (;;) close(accept(listener, 0, 0));
}
"#;

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    if std::env::args().nth(1).as_deref() == Some("keeper") {
        node::keeper_main()
    }
    let starts = std::env::args().nth(1).map_or(Ok(200), |count| count.parse())?;
    let dir = std::env::args().nth(2).map_or_else(std::env::temp_dir, PathBuf::from);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    // In a task: what blocks on the runtime from outside has no worker thread.
    runtime.block_on(async move {
        tokio::spawn(async move { measure(starts, &dir).await.map_err(|error| error.to_string()) }).await
    })??;
    Ok(())
}

async fn measure(starts: usize, dir: &Path) -> Result<(), Box<dyn Error + Send + Sync>> {
    let dir = tempfile::tempdir_in(dir)?;
    let image = compile(dir.path())?;
    println!("{starts} starts each, p50/p99 in µs\n");
    println!(
        "| runtime | start to accepting | sandbox | request to shell | mounts | confine | exec to Started | Started to accepting |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let pooled = PoolOptions::default();
    let plain = PoolOptions { prepared: 0, ..pooled };
    for (name, pools) in
        [("pooled", pooled), ("pooled, root unknown", plain), ("unpooled", PoolOptions::NONE)]
    {
        let runtime = ContainerRuntime::start(ContainerOptions {
            pools,
            ..ContainerOptions::new(dir.path().join("run"))
        })
        .await?;
        row(name, &runtime, &image, starts).await?;
        runtime.shutdown().await?;
    }
    let runtime = ProcessRuntime::start(ProcessOptions::new(dir.path().join("process"))).await?;
    row("process", &runtime, &image, starts).await?;
    runtime.shutdown().await?;
    Ok(())
}

fn compile(dir: &Path) -> Result<PathBuf, Box<dyn Error + Send + Sync>> {
    let image = dir.join("image");
    for directory in ["dev", "proc", "sys"] {
        std::fs::create_dir_all(image.join(directory))?;
    }
    std::fs::write(dir.join("server.c"), SERVER)?;
    let status = Command::new("cc")
        .args(["-static", "-O2", "-o"])
        .arg(image.join("server"))
        .arg(dir.join("server.c"))
        .status()?;
    if status.success() { Ok(image) } else { Err("cc failed".into()) }
}

async fn row(
    name: &str,
    runtime: &dyn Runtime,
    image: &Path,
    starts: usize,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let (mut total, mut sandboxes, mut tail, mut timings) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for number in 0..WARM_UP + starts {
        tokio::time::sleep(GAP).await;
        let sandbox = format!("{name}-{number}");
        let spec = spec(&sandbox, image)?;
        let id = spec.id.clone();
        let begun = Instant::now();
        let addresses: Vec<_> = vec!["10.42.0.7".parse()?];
        let next = addresses.clone();
        runtime
            .create_sandbox(SandboxSpec {
                id: sandbox.as_str().into(),
                hostname: name.into(),
                addresses,
                next,
            })
            .await?;
        let sandboxed = begun.elapsed();
        let started = runtime.start_container(spec).await?;
        let running = Instant::now();
        while runtime.dial(&sandbox.as_str().into(), 8080).await.is_err() {
            // Tokio's timers are no finer than a millisecond.
            let _ = tokio::task::block_in_place(|| rustix::thread::nanosleep(&RETRY));
        }
        if number >= WARM_UP {
            total.push(begun.elapsed());
            sandboxes.push(sandboxed);
            tail.push(running.elapsed());
            timings.push(started.timings);
        }
        runtime.remove_container(&id).await?;
        runtime.remove_sandbox(&sandbox.as_str().into()).await?;
    }
    let part = |f: fn(&StartTimings) -> Duration| quantiles(timings.iter().map(f).collect());
    println!(
        "| {name} | {} | {} | {} | {} | {} | {} | {} |",
        quantiles(total),
        quantiles(sandboxes),
        part(|t| t.shell),
        part(|t| t.mounts),
        part(|t| t.confine),
        part(|t| t.exec),
        quantiles(tail)
    );
    Ok(())
}

fn spec(sandbox: &str, image: &Path) -> Result<ContainerSpec, Box<dyn Error + Send + Sync>> {
    let output = || std::fs::File::options().write(true).open("/dev/null").map(OwnedFd::from);
    Ok(ContainerSpec {
        id: format!("{sandbox}-app").into(),
        sandbox: sandbox.into(),
        rootfs: vec![image.to_owned()],
        readonly_rootfs: false,
        argv: vec!["/server".to_owned()],
        env: vec![("PORT".to_owned(), "8080".to_owned())],
        cwd: String::new(),
        user: User::default(),
        mounts: Vec::new(),
        taken: Vec::new(),
        tmpfs: Vec::new(),
        files: Vec::new(),
        message_path: None,
        resources: Resources {
            memory_limit: Some(64 << 20),
            cpu_request_millis: Some(100),
            ..Resources::default()
        },
        capabilities: Capabilities::default(),
        no_new_privileges: true,
        seccomp: Seccomp::RuntimeDefault,
        oom_score_adj: 0,
        stdout: output()?,
        stderr: output()?,
        readers: None,
        content: String::new(),
    })
}

fn quantiles(mut durations: Vec<Duration>) -> String {
    durations.sort_unstable();
    let at = |share: usize| durations.get(durations.len() * share / 100).map_or(0, Duration::as_micros);
    format!("{}/{}", at(50), at(99))
}
