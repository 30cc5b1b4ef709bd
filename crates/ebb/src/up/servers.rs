//! The tasks of the listeners: they run until they are asked to drain. One that ends before that ends the platform, since
//! what it had accepted or not is not known to the one that would follow it.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use tokio::{runtime::Handle, sync::watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The listeners' tasks.
#[derive(Default)]
pub(super) struct Servers {
    tasks: TaskTracker,
    /// What has ended by itself.
    fault: watch::Sender<Option<String>>,
}

impl Servers {
    /// Runs a server, which ends once `drain` is cancelled and its requests are answered.
    pub(super) fn spawn(
        &self,
        name: &'static str,
        drain: CancellationToken,
        server: impl Future<Output = ()> + Send + 'static,
        on: &Handle,
    ) {
        let fault = self.fault.clone();
        let watched = async move {
            let ended = AssertUnwindSafe(server).catch_unwind().await;
            if ended.is_err() {
                fault.send_replace(Some(format!("the {name} crashed (panic); see the log above")));
            } else if !drain.is_cancelled() {
                fault.send_replace(Some(format!("the {name} has stopped listening")));
            }
        };
        self.tasks.spawn_on(watched, on);
    }

    /// Waits until one has ended by itself; says which and how.
    pub(super) async fn failed(&self) -> String {
        let mut fault = self.fault.subscribe();
        let found = fault.wait_for(Option::is_some).await.map(|fault| fault.clone());
        // The sender is in `self`, so there is one.
        found.ok().flatten().unwrap_or_default()
    }

    /// Waits until all have ended.
    pub(super) async fn finished(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_an_end_that_was_not_asked_for_is_a_fault() {
        for (asked, panics, expect) in [
            (false, false, Some("the server has stopped listening")),
            (false, true, Some("the server crashed (panic); see the log above")),
            (true, true, Some("the server crashed (panic); see the log above")),
            (true, false, None),
        ] {
            let (servers, drain) = (Servers::default(), CancellationToken::new());
            if asked {
                drain.cancel();
            }
            let server = async move { assert!(!panics, "for the test") };
            servers.spawn("server", drain, server, &Handle::current());
            servers.finished().await;
            let failed = servers.failed().now_or_never();
            assert_eq!(failed.as_deref(), expect, "asked {asked} panics {panics}");
        }
    }
}
