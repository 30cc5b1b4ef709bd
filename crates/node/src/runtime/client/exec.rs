//! Asking for further programs in containers.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::watch;

use super::{Answer, Client, Waiting};
use crate::runtime::protocol::Request;
use crate::runtime::{ExecSpec, Executed, Result, RuntimeError};

impl Client {
    /// Runs a program in the container of this number.
    pub(in crate::runtime) async fn exec(&self, slot: u64, spec: ExecSpec) -> Result<Executed> {
        let ExecSpec { argv, stdio } = spec;
        let what = "running a program in a container";
        let terminal = stdio.is_none();
        let fds: Vec<_> = stdio.iter().flatten().map(AsFd::as_fd).collect();
        let request = |request| Request::Exec { request, slot, argv, terminal };
        match self.ask(what, request, &[], &fds, Vec::new()).await? {
            Answer::Executed(executed) => Ok(executed),
            Answer::Failed(failure) => Err(RuntimeError::Exec { failure }),
            Answer::Sandbox(_) | Answer::Running(_) | Answer::Done(_) => Err(RuntimeError::KeeperGone),
        }
    }

    /// Has the keeper kill one. One that cannot be told of it sees this process leave, which does the same.
    pub(in crate::runtime) async fn end_exec(&self, exec: u64) {
        let request = Request::EndExec { exec };
        if let Err(error) = self.send("ending a program in a container", &request, &[], &[]).await {
            tracing::debug!(%error, "a program that was run in a container goes on");
        }
    }

    /// One that has been started. It is killed when nobody waits for it any more.
    pub(super) fn executed(
        self: &Arc<Self>,
        waiting: &mut Waiting,
        exec: u64,
        terminal: Option<OwnedFd>,
    ) -> Executed {
        let (sender, exit) = watch::channel(None);
        waiting.execs.insert(exec, sender);
        Executed { terminal, number: exec, exit, client: Arc::clone(self), handle: Handle::current() }
    }
}
