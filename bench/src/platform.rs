//! `ebb up` in a temporary data directory: started, addressed, stopped.

mod daemon;

use std::{
    ffi::OsStr,
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
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
};

/// A free port of the loopback.
const ANY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
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
        let daemon = Daemon::spawn(&bench.ebb, runtime, ANY, ANY)?;
        let http = is_up(&daemon)?;
        let platform = Self { daemon, http, tokio: bench.tokio.handle().clone() };
        platform.load(bench)?;
        platform.with_client(async |client| api::allow_initial_scale_zero(client).await)?;
        Ok(platform)
    }

    fn load(&self, bench: &Bench) -> Result<()> {
        let archive = bench.sample.archive();
        self.user(bench, &[OsStr::new("image"), OsStr::new("load"), archive.as_os_str()]).map(drop)
    }

    /// What a user's command prints.
    pub(crate) fn user(&self, bench: &Bench, arguments: &[&OsStr]) -> Result<String> {
        let mut command = Command::new(&bench.ebb);
        command.args(arguments).env("KUBECONFIG", self.daemon.kubeconfig());
        let output = command.output().with_context(|| format!("running ebb {arguments:?}"))?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "ebb {arguments:?}: {error}");
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Stops it and starts it again on what it has left; returns when it is up.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.daemon.restart()?;
        self.http = is_up(&self.daemon)?;
        Ok(())
    }

    /// Who may use the API, and where it is.
    pub(crate) fn kubeconfig(&self) -> Result<String> {
        fs::read_to_string(self.daemon.kubeconfig()).context("reading the kubeconfig")
    }

    /// Works with the API, and then leaves it: an open watch would cost both sides while something else is timed.
    pub(crate) fn with_client<T>(&self, work: impl AsyncFnOnce(&Client) -> Result<T>) -> Result<T> {
        let kubeconfig = self.kubeconfig()?;
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

/// Where requests arrive, once it says that it is up.
fn is_up(daemon: &Daemon) -> Result<SocketAddr> {
    let http = pace::until("ebb up", LOOK, UP_MAX, || {
        let out = daemon.output()?;
        Ok(out.contains("Ctrl-C").then(|| port(&out)).flatten())
    });
    Ok((Ipv4Addr::LOCALHOST, http.with_context(|| daemon.story())?).into())
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
