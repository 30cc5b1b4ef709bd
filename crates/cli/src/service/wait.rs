//! `--wait`: until a service is ready, until an object is gone.

mod deletion;
mod obstacles;
mod readiness;
mod watch;

use std::{pin::pin, time::Duration};

use kube::api::WatchParams;
use resources::serving::Service;

pub(crate) use self::deletion::delete;
use self::{readiness::Readiness, watch::watch_until_ready};
use super::announce;
use crate::{api::Session, console::Console, error::Error};

/// The pause before a watch that was cut is opened again.
const REOPEN_PAUSE: Duration = Duration::from_secs(1);
/// How long one watch is asked to last; the API allows less than five minutes.
const WATCH_SECONDS: u32 = 290;

/// The options of commands that wait unless told otherwise.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct WaitArgs {
    /// Wait until the service is ready [default]
    #[arg(long, conflicts_with = "no_wait")]
    wait: bool,
    /// Do not wait until the service is ready
    #[arg(long)]
    no_wait: bool,
    /// Seconds to wait at most
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    wait_timeout: u64,
    /// Seconds that a service may be not ready before that counts as failed
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    wait_window: u64,
}

/// The options of commands that delete, and do not wait unless told to.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DeleteWaitArgs {
    /// Wait until everything is deleted
    #[arg(long, conflicts_with = "no_wait")]
    pub(crate) wait: bool,
    /// Do not wait until everything is deleted [default]
    #[arg(long)]
    no_wait: bool,
    /// Seconds to wait at most
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub(crate) wait_timeout: u64,
    /// Accepted as kn does; means nothing for a deletion
    #[arg(long, value_name = "SECONDS", default_value_t = 2, hide = true)]
    wait_window: u64,
}

/// How long is waited.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// In all.
    pub(crate) timeout: Duration,
    /// While Ready is False.
    pub(crate) window: Duration,
}

impl WaitArgs {
    /// Whether to wait, when the command waits by default or not.
    pub(crate) fn wanted(&self, by_default: bool) -> bool {
        if by_default { !self.no_wait } else { self.wait }
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            timeout: Duration::from_secs(self.wait_timeout),
            window: Duration::from_secs(self.wait_window),
        }
    }
}

/// What `service wait` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service's name
    name: String,
    /// Seconds to wait at most
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    wait_timeout: u64,
    /// Seconds that the service may be not ready before that counts as failed
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    wait_window: u64,
}

pub(super) async fn run(args: &Args, session: &Session, console: &mut Console<'_>) -> Result<(), Error> {
    let wait = WaitArgs {
        wait: true,
        no_wait: false,
        wait_timeout: args.wait_timeout,
        wait_window: args.wait_window,
    };
    let (name, namespace) = (&args.name, &session.namespace);
    writeln!(console.out, "Waiting for Service '{name}' in namespace '{namespace}':\n")?;
    announce::ready(name, &wait, session, console).await?;
    writeln!(console.out, "\nService '{name}' in namespace '{namespace}' is ready.")?;
    Ok(())
}

/// A watch of one object.
fn watch_of(name: &str) -> WatchParams {
    WatchParams::default().fields(&format!("metadata.name={name}")).timeout(WATCH_SECONDS)
}

/// Waits until the service is ready; says what is being waited for, and what holds that up. How long that took.
pub(super) async fn wait_until_ready(
    name: &str,
    limits: Limits,
    session: &Session,
    console: &mut Console<'_>,
) -> Result<Duration, Error> {
    let api = session.all::<Service>();
    let open = || watch::open(name, &api, session);
    let look = || obstacles::look(name, session);
    let mut ready = pin!(watch_until_ready(name, limits, Readiness::new(limits.window), open, console.out));
    tokio::select! {
        biased;
        took = &mut ready => took,
        () = obstacles::tell(look, console.err) => ready.await,
    }
}

#[cfg(test)]
mod tests;
