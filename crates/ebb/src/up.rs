//! `ebb up`: the embedded home. Joins the API server, the controllers, the node and the data plane in one process.
//!
//! ```text
//!   kubectl ──► ApiServer ◄── Client ──┬── controllers (serving, network, workloads)
//!                  ▲  logs, images     ├── Kubelet ──► Runtime ──► keeper ──► containers
//!                  └───────────────────┴── feed ──► Handle ◄── Gateway ◄── requests
//!                        joints: dial, drain, stats, start times, digests, applied routes
//! ```

mod controllers;
mod data_dir;
mod domain;
mod extension;
mod joints;
mod listen;
mod node;
mod platform;

pub(crate) use self::platform::{Options, Platform};

use std::io::Write;

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

use crate::args::{RuntimeKind, Up};

/// Starts the platform, says where it is, and serves until it is told to stop.
pub(crate) async fn run(options: Up) -> Result<()> {
    let data_dir = options.data_dir.unwrap_or_else(data_dir::DataDir::default_path);
    let options = Options {
        data_dir,
        api: options.api,
        http: options.http,
        domain: options.domain,
        runtime: RuntimeKind::or_default(options.runtime),
    };
    let platform = Platform::start(options).await?;
    // Whoever reads along may stop reading; the platform goes on.
    let _ = announce(&platform);
    let ended = tokio::select! {
        asked = interrupted() => asked,
        // Nothing can be started any more; whoever started this process can start it again.
        () = platform.keeper_ended() => Err(anyhow::anyhow!(
            "the keeper of the containers was ended from outside, and they with it; start `ebb up` again"
        )),
    };
    let _ = writeln!(
        std::io::stdout(),
        "\nStopping: requests in flight are finished, then everything is removed."
    );
    let stopped = platform.stop().await;
    ended.and(stopped)
}

fn announce(platform: &Platform) -> Result<()> {
    let mut out = std::io::stdout();
    let kubeconfig = platform.kubeconfig();
    writeln!(out, "Ebb {} is up.", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "  Kubernetes API  https://{}", platform.api_address())?;
    writeln!(out, "  requests        {}", platform.example_url("NAME", "NAMESPACE"))?;
    writeln!(out, "  containers      {}", platform.runtime_story())?;
    writeln!(out, "\nNext, in another terminal:\n")?;
    writeln!(out, "  export KUBECONFIG={}", kubeconfig.display())?;
    writeln!(out, "  kubectl get pods -A          # or: ebb service list\n")?;
    writeln!(out, "Ctrl-C stops it.")?;
    out.flush()?;
    Ok(())
}

/// Waits for SIGTERM or SIGINT.
pub(crate) async fn interrupted() -> Result<()> {
    let mut term = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut int = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}
