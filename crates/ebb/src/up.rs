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

use std::{io::Write, path::Path};

use anyhow::{Result, bail};

use crate::{
    args::{RuntimeKind, Up},
    interrupt::Interrupt,
};

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
    // Before anything is made: what is made is removed, whenever the interrupt comes.
    let mut interrupt = Interrupt::listen()?;
    let platform = Platform::start(options).await?;
    // Whoever reads along may stop reading; the platform goes on.
    let _ = announce(&platform);
    let ended = tokio::select! {
        () = interrupt.next() => Ok(()),
        // Nothing can be started any more; whoever started this process can start it again.
        () = platform.keeper_ended() => Err(anyhow::anyhow!(
            "the keeper of the containers was ended from outside, and they with it; start `ebb up` again"
        )),
    };
    announce_stop();
    let stopped = stop(platform, &mut interrupt).await;
    ended.and(stopped)
}

/// Says what follows an interrupt.
pub(crate) fn announce_stop() {
    let _ = writeln!(
        std::io::stdout(),
        "\nStopping: requests in flight are finished, then everything is removed. Ctrl-C again ends it at once."
    );
}

/// Stops the platform in good order; whoever cannot wait for that interrupts again.
pub(crate) async fn stop(platform: Platform, interrupt: &mut Interrupt) -> Result<()> {
    tokio::select! {
        stopped = platform.stop() => stopped,
        () = interrupt.next() => bail!(
            "interrupted again while stopping: requests in flight were cut; the next `ebb up` on the data directory removes \
             what is left"
        ),
    }
}

fn announce(platform: &Platform) -> Result<()> {
    let mut out = std::io::stdout();
    let kubeconfig = platform.kubeconfig();
    writeln!(out, "Ebb {} is up.", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "  Kubernetes API  https://{}", platform.api_address())?;
    writeln!(out, "  requests        {}", platform.example_url("NAME", "NAMESPACE"))?;
    writeln!(out, "  containers      {}", platform.runtime_story())?;
    writeln!(out, "\nNext, in another terminal:\n")?;
    for command in use_kubeconfig(&kubeconfig) {
        writeln!(out, "  {command}")?;
    }
    writeln!(out, "  kubectl get pods -A          # or: ebb service list\n")?;
    writeln!(out, "Ctrl-C stops it.")?;
    out.flush()?;
    Ok(())
}

/// The commands after which kubectl uses this kubeconfig.
pub(crate) fn use_kubeconfig(path: &Path) -> Vec<String> {
    let root = rustix::process::geteuid().is_root();
    let by_sudo = root && std::env::var_os("SUDO_UID").is_some_and(|uid| uid != "0");
    if !by_sudo {
        return vec![format!("export KUBECONFIG={}", path.display())];
    }
    // The admin's keys are root's alone, and whoever types the next command is not.
    let data_dir = path.parent().unwrap_or(path).display();
    vec![
        format!("sudo ebb kubeconfig --data-dir {data_dir} > ebb.kubeconfig"),
        "export KUBECONFIG=$PWD/ebb.kubeconfig".to_owned(),
    ]
}
