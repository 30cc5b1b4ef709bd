//! Finding the keeper of a directory, or starting one, and hearing what it keeps.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::watch;
use tokio::time::timeout;

use super::inventory::{Inventory, Kept};
use super::{Client, Running, Waiting};
use crate::runtime::keeper::{END_MAX, KeeperOptions, PoolOptions};
use crate::runtime::protocol::{Configuration, Event, Isolation, Request};
use crate::runtime::rendezvous::{self, Directory};
use crate::runtime::wire::Message;
use crate::runtime::{Result, RuntimeError, descriptors, sys};

/// How long a keeper may take to greet. It does at once, unless it is busy removing a container, or another daemon is
/// attached to it.
const GREETING_MAX: Duration = Duration::from_secs(10);
/// How long a keeper may take until it can work: it waits for the end of the one before it, and removes what that has
/// left.
const CONFIGURE_MAX: Duration = END_MAX.saturating_mul(2);
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
            scratch: options.scratch.clone(),
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
                    let child = options.command.spawn(listener, &directory).inspect_err(|_| {
                        // Nobody else would.
                        let _ = Directory::open(&directory).map(|directory| directory.clear());
                    })?;
                    let socket = rendezvous::connect(&directory).map_err(finding)?;
                    (Some(child), socket.ok_or(RuntimeError::KeeperGone)?)
                }
            };
            let is_new = child.is_some();
            let client = Self::new(socket, child, options.answer_max).map_err(finding)?;
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

    pub(super) fn new(socket: OwnedFd, child: Option<Child>, answer_max: Duration) -> io::Result<Self> {
        Ok(Self {
            socket: sys::watch(socket)?,
            next: 0.into(),
            waiting: Waiting::default().into(),
            answer_max,
            pid: child.as_ref().map_or(0, Child::id).into(),
            child: child.into(),
            ended: watch::channel(None).0,
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
        let what = "configuring the keeper";
        self.send(what, &Request::Configure(configuration.clone()), &[], &[]).await?;
        let ready = timeout(CONFIGURE_MAX, self.ready()).await;
        let overlay = match ready.map_err(|_| self.silent(what, CONFIGURE_MAX))?.map_err(talking)? {
            Some(Event::Ready { overlay, pid }) => {
                self.pid.store(pid, Ordering::Relaxed);
                overlay
            }
            Some(Event::Refused { reason }) => return Err(RuntimeError::Unsupported(reason)),
            Some(Event::Differs) => {
                tracing::warn!("the keeper isolates in another way; its containers are started again");
                self.send("ending an earlier keeper", &Request::End, &[], &[]).await?;
                return self.see_off().await;
            }
            _ => return Ok(Outcome::Ended),
        };
        let mut inventory = Inventory::default();
        loop {
            let heard = timeout(self.answer_max, self.receive()).await;
            let heard = heard.map_err(|_| self.silent("hearing what the keeper has", self.answer_max))?;
            match heard.map_err(talking)? {
                None => return Ok(Outcome::Ended),
                Some(message) if matches!(message.header, Event::Listed) => {
                    return Ok(Outcome::Attached { overlay, inventory });
                }
                Some(message) => self.note(&mut inventory, message).map_err(talking)?,
            }
        }
    }

    /// What the keeper says to its configuration, once it knows; until then, what it waits for is logged.
    async fn ready(&self) -> io::Result<Option<Event>> {
        loop {
            match self.receive().await?.map(|message| message.header) {
                Some(Event::Warning { text }) => tracing::warn!("{text}"),
                heard => return Ok(heard),
            }
        }
    }

    /// Takes in one thing that is kept.
    fn note(&self, inventory: &mut Inventory, message: Message<Event>) -> io::Result<()> {
        // Without its descriptors a thing would be lost for good, and it is this process that has room for no more.
        let none_left = || io::Error::from(Errno::MFILE);
        if message.crippled {
            return Err(none_left());
        }
        let mut fds = message.fds.into_iter();
        match message.header {
            Event::Sandbox { sandbox, addresses } => {
                inventory.sandboxes.push((sandbox, addresses, fds.next()));
            }
            Event::Container { slot, pid, note, report, exit, has_message } => {
                let (app, init) = fds.next().zip(fds.next()).ok_or_else(none_left)?;
                let message = if has_message { fds.next().map(File::from) } else { None };
                let readers = fds.next().zip(fds.next()).map(|(stdout, stderr)| [stdout, stderr]);
                let (sender, receiver) = watch::channel(exit);
                if exit.is_none() {
                    self.waiting.lock().exits.insert(slot, sender);
                }
                let copy = note.copy.clone();
                let running = Running { slot, pid, app, init, exit: receiver, copy, message, report };
                inventory.containers.push(Kept { running, note, readers });
            }
            Event::Socket { name } => inventory.sockets.push((name, fds.next().ok_or_else(none_left)?)),
            Event::Warning { text } => tracing::warn!("{text}"),
            _ => {}
        }
        Ok(())
    }

    /// Waits until a keeper that ends has ended.
    async fn see_off(&self) -> Result<Outcome> {
        let over = async { while matches!(self.receive().await, Ok(Some(_))) {} };
        timeout(END_MAX, over).await.map_err(|_| self.silent("ending an earlier keeper", END_MAX))?;
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
