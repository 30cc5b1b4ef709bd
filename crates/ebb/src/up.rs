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
mod in_flight;
mod joints;
mod listen;
mod missing_images;
mod node;
mod platform;
mod servers;
mod signals;

pub(crate) use self::{
    data_dir::DataDir,
    in_flight::InFlight,
    listen::HttpAddress,
    platform::{Options, Platform},
    signals::Signals,
};

use std::{io::Write, path::Path};

use ::node::runtime::KeeperOptions;
use anyhow::Result;

use self::signals::Asked;

use crate::{
    args::{RuntimeKind, Up},
    told::tell,
};

/// The ports tried for requests where the user names no address.
const HTTP_PORTS: &[u16] = &[80, 8080];

/// Starts the platform, says where it is, and serves until it is told to stop or to hand over. What it has handed over
/// without are its requests in flight.
pub(crate) async fn run(options: Up) -> Result<Option<InFlight>> {
    let data_dir = options.data_dir.unwrap_or_else(DataDir::default_path);
    let options = Options {
        data_dir,
        secrets_key: options.secrets_key,
        api: options.api,
        http: options.http.map_or(HttpAddress::FirstOf(HTTP_PORTS), HttpAddress::At),
        domain: options.domain,
        runtime: RuntimeKind::or_default(options.runtime),
        audit_log: options.audit_log,
    };
    // Before anything is there: a signal must not find its default action.
    let mut signals = Signals::listen()?;
    let Some(mut platform) = Platform::start(options, &mut signals).await? else { return Ok(None) };
    // Whoever reads along may stop reading; the platform goes on.
    let _ = announce(&platform);
    platform.look_for_missing_images();
    let (asked, reason) = tokio::select! {
        asked = signals.next() => (asked, Ok(())),
        (asked, reason) = platform.failed() => (asked, Err(reason)),
    };
    match asked {
        Asked::Stop => {
            announce_stop();
            both(reason, platform.stop(signals.stop()).await).map(|()| None)
        }
        Asked::HandOver => {
            // Now: this process may go on for minutes.
            let reason = tell(reason);
            say(&format!(
                "Handing over: containers run on for the next `ebb up`, which must come within {:?}.",
                KeeperOptions::GRACE
            ));
            platform.hand_over(signals, reason).await
        }
    }
}

/// Both errors, where there are two.
fn both(first: Result<()>, second: Result<()>) -> Result<()> {
    match (first, second) {
        (Err(first), Err(second)) => Err(anyhow::anyhow!("{first:#}; and {second:#}")),
        (first, second) => first.and(second),
    }
}

/// Says what follows when it is told to stop.
pub(crate) fn announce_stop() {
    say(
        "Stopping: requests in flight are finished, then containers are ended. Ctrl-C again ends it at once.",
    );
}

/// Whoever has stopped reading is not waited for.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "\n{line}");
}

fn announce(platform: &Platform) -> Result<()> {
    let mut out = std::io::stdout();
    let kubeconfig = platform.kubeconfig();
    writeln!(out, "Ebb {} is up.", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "  Kubernetes API  https://{}", platform.api_address())?;
    writeln!(out, "  requests        {}", platform.example_url("NAME", "NAMESPACE"))?;
    if let Some(why) = platform.passed_over() {
        writeln!(out, "                  ({why}; `--http ADDR` names another address)")?;
    }
    let took_over = match platform.taken_over() {
        0 => String::new(),
        1 => "; took over 1 running container".to_owned(),
        many => format!("; took over {many} running containers"),
    };
    writeln!(out, "  containers      {}{took_over}", platform.runtime_story())?;
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
