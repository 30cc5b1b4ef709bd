//! `ebb up` in a temporary data directory: started, addressed, stopped.

mod daemon;

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    process::Command,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use objects::{Access, Client, Remote, RemoteOptions};
use tokio::runtime::Handle;

pub(crate) use self::daemon::Daemon;
use crate::{
    api::{self, Scale},
    bench::Bench,
    pace,
    sample::IMAGE,
};

/// The longest that a start may take.
const UP_MAX: Duration = Duration::from_secs(30);
/// How often is looked whether it is up.
const LOOK: Duration = Duration::from_millis(5);

/// How containers are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RuntimeKind {
    Container,
    Process,
}

impl RuntimeKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Process => "process",
        }
    }
}

/// A platform that is up, with the sample's image; stopped when dropped.
pub(crate) struct Platform {
    daemon: Daemon,
    /// Where requests arrive.
    pub(crate) http: SocketAddr,
    tokio: Handle,
}

impl Platform {
    pub(crate) fn up(bench: &Bench, runtime: RuntimeKind) -> Result<Self> {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let daemon = Daemon::spawn(&bench.ebb, runtime, any, any)?;
        let http = pace::until("ebb up", LOOK, UP_MAX, || {
            let out = daemon.output()?;
            Ok(out.contains("Ctrl-C").then(|| port(&out)).flatten())
        });
        let http = http.with_context(|| daemon.story())?;
        let platform =
            Self { daemon, http: (Ipv4Addr::LOCALHOST, http).into(), tokio: bench.tokio.handle().clone() };
        platform.load(bench)?;
        platform.with_client(async |client| api::allow_initial_scale_zero(client).await)?;
        Ok(platform)
    }

    fn load(&self, bench: &Bench) -> Result<()> {
        let mut command = Command::new(&bench.ebb);
        command
            .args(["image", "load"])
            .arg(bench.sample.archive())
            .env("KUBECONFIG", self.daemon.kubeconfig());
        let output = command.output().context("running ebb image load")?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "loading {IMAGE}: {error}");
        Ok(())
    }

    /// Works with the API, and then leaves it: an open watch would cost both sides while something else is timed.
    pub(crate) fn with_client<T>(&self, work: impl AsyncFnOnce(&Client) -> Result<T>) -> Result<T> {
        let kubeconfig = fs::read_to_string(self.daemon.kubeconfig()).context("reading the kubeconfig")?;
        self.tokio.block_on(async {
            let remote = Remote::connect(Access::Kubeconfig(kubeconfig), RemoteOptions::default()).await?;
            work(&Client::new(Arc::new(remote))).await.with_context(|| self.daemon.story())
        })
    }

    /// Deploys services and waits until they are ready; returns their hosts.
    pub(crate) fn deploy(&self, names: &[String], scale: Scale) -> Result<Vec<String>> {
        self.with_client(async |client| {
            api::deploy(client, names, scale).await?;
            api::ready(client, names).await
        })
    }

    /// The daemon's process; the keeper and all containers are below it.
    pub(crate) fn pid(&self) -> u32 {
        self.daemon.pid()
    }
}

/// The port of the URL that `ebb up` shows as an example.
fn port(out: &str) -> Option<u16> {
    let (_, rest) = out.split_once(".localhost:")?;
    rest.split(|other: char| !other.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_port_that_is_shown() {
        let out = "Ebb is up.\n  requests        http://NAME.NAMESPACE.localhost:38123\n  containers";
        assert_eq!(super::port(out), Some(38123));
        assert_eq!(super::port("http://NAME.NAMESPACE.localhost\n"), None);
    }
}
