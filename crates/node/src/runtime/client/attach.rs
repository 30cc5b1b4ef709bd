//! Finding the keeper of a directory, or starting one, and hearing what it keeps.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Child;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::watch;
use tokio::time::timeout;

use super::inventory::{Inventory, Kept};
use super::{Client, END_TIMEOUT, Running, Waiting};
use crate::runtime::keeper::{KeeperOptions, PoolOptions};
use crate::runtime::protocol::{Configuration, Event, Isolation, Request};
use crate::runtime::{Result, RuntimeError, descriptors, rendezvous, sys};

/// How long a keeper may take to greet. It does at once, unless it is busy removing a container, or another daemon is
/// attached to it.
const GREETING_MAX: Duration = Duration::from_secs(10);
/// How many keepers may be found and come to an end before one is started: one of another kind, and one that ended
/// just then.
const ATTEMPTS: usize = 3;

/// What has come of a conversation.
enum Outcome {
    Attached {
        overlay: bool,
        inventory: Inventory,
    },
    /// The keeper has ended, as it does for a daemon of another version.
    Ended,
}

impl Client {
    /// Takes over the keeper of this directory, or starts one; also says whether overlays work.
    pub(in crate::runtime) async fn attach(
        options: &KeeperOptions,
        isolation: Option<Isolation>,
        pools: PoolOptions,
    ) -> Result<(Arc<Self>, bool, Inventory)> {
        let directory = std::path::absolute(&options.directory)
            .map_err(|error| RuntimeError::io(format!("finding {}", options.directory.display()), error))?;
        let configuration = Configuration {
            isolation,
            pools,
            socket: rendezvous::path(&directory),
            grace: options.grace,
            descriptors: descriptors::for_programs(),
        };
        let finding =
            |error| RuntimeError::io(format!("finding the keeper of {}", directory.display()), error);
        for _ in 0..ATTEMPTS {
            let (child, socket) = match rendezvous::connect(&directory).map_err(finding)? {
                Some(socket) => (None, socket),
                None => {
                    let listener = match rendezvous::open(&directory) {
                        // An earlier keeper that was just ending has removed the directory.
                        Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                        other => other.map_err(finding)?,
                    };
                    let child = options.command.spawn(listener)?;
                    let socket = rendezvous::connect(&directory).map_err(finding)?;
                    (Some(child), socket.ok_or(RuntimeError::KeeperGone)?)
                }
            };
            let is_new = child.is_some();
            let client = Self::new(socket, child).map_err(finding)?;
            match client.converse(&configuration).await? {
                Outcome::Attached { overlay, inventory } => {
                    let client = Arc::new(client);
                    // Ends with the keeper, which a daemon that ends leaves to the next one.
                    tokio::spawn(Self::listen(Arc::clone(&client)));
                    return Ok((client, overlay, inventory));
                }
                Outcome::Ended if is_new => return Err(RuntimeError::KeeperGone),
                Outcome::Ended => {}
            }
        }
        Err(finding(io::Error::new(io::ErrorKind::ResourceBusy, "one keeper after the other ended")))
    }

    fn new(socket: OwnedFd, child: Option<Child>) -> io::Result<Self> {
        Ok(Self {
            socket: sys::watch(socket)?,
            next: 0.into(),
            waiting: Waiting::default().into(),
            child: child.into(),
            ended: watch::channel(false).0,
            problem: None.into(),
        })
    }

    /// Greets, configures, and hears what there is.
    async fn converse(&self, configuration: &Configuration) -> Result<Outcome> {
        let talking = |error| RuntimeError::io("talking to the keeper", error);
        let greeted = timeout(GREETING_MAX, greet(&self.socket)).await.map_err(|_| {
            let busy = "it does not answer; another daemon uses it, or it hangs";
            talking(io::Error::new(io::ErrorKind::TimedOut, busy))
        })?;
        match greeted.map_err(talking)? {
            Some(rendezvous::VERSION) => {}
            Some(version) => {
                tracing::warn!(
                    version,
                    "the keeper is of another version and cannot be taken over; its containers are started again"
                );
                return self.see_off().await;
            }
            None => return Ok(Outcome::Ended),
        }
        self.send(&Request::Configure(configuration.clone()), &[], &[]).await?;
        let overlay = match self.receive().await.map_err(talking)? {
            Some((Event::Ready { overlay }, _)) => overlay,
            Some((Event::Refused { reason }, _)) => return Err(RuntimeError::Unsupported(reason)),
            Some((Event::Differs, _)) => {
                tracing::warn!("the keeper isolates in another way; its containers are started again");
                self.tell(Request::End).await?;
                return self.see_off().await;
            }
            _ => return Ok(Outcome::Ended),
        };
        let mut inventory = Inventory::default();
        loop {
            let Some((event, fds)) = self.receive().await.map_err(talking)? else {
                return Ok(Outcome::Ended);
            };
            if matches!(event, Event::Listed) {
                return Ok(Outcome::Attached { overlay, inventory });
            }
            self.note(&mut inventory, event, fds);
        }
    }

    /// Takes in one thing that is kept.
    fn note(&self, inventory: &mut Inventory, event: Event, fds: Vec<OwnedFd>) {
        let mut fds = fds.into_iter();
        match event {
            Event::Sandbox { sandbox, addresses } => {
                inventory.sandboxes.push((sandbox, addresses, fds.next()));
            }
            Event::Container { slot, pid, note, report, exit } => {
                let (Some(app), Some(init)) = (fds.next(), fds.next()) else { return };
                let readers = fds.next().zip(fds.next()).map(|(stdout, stderr)| [stdout, stderr]);
                let (sender, receiver) = watch::channel(exit);
                if exit.is_none() {
                    self.waiting.lock().exits.insert(note.container.clone(), sender);
                }
                let copy = note.copy.clone();
                let running = Running { slot, pid, app, init, exit: receiver, copy, report };
                inventory.containers.push(Kept { running, note, readers });
            }
            Event::Socket { name } => inventory.sockets.extend(fds.next().map(|socket| (name, socket))),
            _ => {}
        }
    }

    /// Waits until a keeper that ends has ended.
    async fn see_off(&self) -> Result<Outcome> {
        let over = async { while matches!(self.receive().await, Ok(Some(_))) {} };
        let in_time = timeout(END_TIMEOUT, over).await;
        in_time.map_err(|_| {
            RuntimeError::io("ending an earlier keeper", io::Error::from(io::ErrorKind::TimedOut))
        })?;
        Ok(Outcome::Ended)
    }
}

/// Says and hears the version; `None` when the keeper has left.
async fn greet(socket: &AsyncFd<OwnedFd>) -> io::Result<Option<u32>> {
    let said = socket.async_io(Interest::WRITABLE, |socket| rendezvous::greet(socket.as_fd())).await;
    if let Err(error) = said {
        let left = matches!(error.raw_os_error(), Some(libc::EPIPE | libc::ECONNRESET));
        return if left { Ok(None) } else { Err(error) };
    }
    socket.async_io(Interest::READABLE, |socket| rendezvous::greeted(socket.as_fd())).await
}
