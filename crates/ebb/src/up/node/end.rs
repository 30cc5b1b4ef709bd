//! The end of the node, wherever it comes: what was started is ended, and what was kept while it ran is removed.

use std::path::PathBuf;

use anyhow::{Context, Result};
use node::runtime::SharedRuntime;

use crate::up::both;

/// What is to be ended, however far the platform has come.
pub(in crate::up) struct End {
    pub(super) runtime: SharedRuntime,
    pub(super) run_dir: PathBuf,
}

impl End {
    /// Stops all containers and the keeper, which lets go of the listening sockets, and removes the run directory.
    pub(in crate::up) async fn finish(self) -> Result<()> {
        let ended = self.runtime.shutdown().await.context("stopping the containers");
        // Also after a failure: there are Secrets in it, and mounts, which nobody comes back for.
        let removed = tokio::task::spawn_blocking(move || {
            node::remove_run_dir(&self.run_dir).context("removing what was kept while containers ran")
        });
        both(ended, removed.await.context("removing what was kept while containers ran").flatten())
    }
}
