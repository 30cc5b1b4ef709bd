//! A further program in a container: what is asked for, and what there is of it.

use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use tokio::runtime::Handle;

use super::client::{self, Client, ExitReceiver};
use super::{Exit, Result};

/// A program to run in a container.
#[derive(Debug)]
pub struct ExecSpec {
    /// The program and its arguments. A name without a slash is looked up as the container's own would be.
    pub argv: Vec<String>,
    /// Its standard input, output and error; `None` gives it a terminal.
    pub stdio: Option<[OwnedFd; 3]>,
}

/// A program that runs in a container. It is killed, with its process group, when this is dropped before its end.
pub struct Executed {
    /// The other end of its terminal, if it has one: what is written there it reads, and the other way round. Does not
    /// block.
    pub terminal: Option<OwnedFd>,
    pub(super) number: u64,
    pub(super) exit: ExitReceiver,
    pub(super) client: Arc<Client>,
    /// Where the word to kill it is sent.
    pub(super) handle: Handle,
}

impl Executed {
    /// Waits for its end. What it has started may go on in the container.
    pub async fn wait(&self) -> Result<Exit> {
        client::wait(self.exit.clone()).await
    }
}

impl Drop for Executed {
    fn drop(&mut self) {
        if self.exit.borrow().is_none() {
            let (client, number) = (Arc::clone(&self.client), self.number);
            self.handle.spawn(async move { client.end_exec(number).await });
        }
    }
}

impl fmt::Debug for Executed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executed").field("number", &self.number).finish_non_exhaustive()
    }
}
