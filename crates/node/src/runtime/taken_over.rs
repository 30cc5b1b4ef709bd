//! What a runtime finds with a keeper that an earlier daemon has left.

use std::net::IpAddr;
use std::os::fd::OwnedFd;

use parking_lot::Mutex;

use super::client::{Estate, Inventory};
use super::{ContainerId, SandboxId, Started};

/// A sandbox of an earlier daemon, with its containers.
#[derive(Debug)]
pub struct TakenOver {
    /// Its name.
    pub sandbox: SandboxId,
    /// The pod's addresses. None where only containers were left, which wait to be removed.
    pub addresses: Vec<IpAddr>,
    /// Those that run, and those that have ended and were not removed: [`Runtime::wait`](super::Runtime::wait) tells.
    pub containers: Vec<TakenOverContainer>,
}

/// A container of an earlier daemon.
#[derive(Debug)]
pub struct TakenOverContainer {
    /// Its name.
    pub id: ContainerId,
    /// How it was started.
    pub started: Started,
    /// Whether it runs, as far as is known.
    pub runs: bool,
    /// What its output can be read from, where its spec had that; from where the earlier daemon stopped.
    pub readers: Option<[OwnedFd; 2]>,
    /// What its spec said of its root file system.
    pub content: String,
}

/// What has not been asked for yet.
#[derive(Default)]
pub(super) struct Legacy {
    pods: Mutex<Vec<TakenOver>>,
    sockets: Mutex<Vec<(String, OwnedFd)>>,
}

impl Legacy {
    /// Notes what there is, and hands each sandbox to `book`.
    pub(super) fn fill(&self, inventory: Inventory, mut book: impl FnMut(&SandboxId, Estate)) {
        let mut pods = self.pods.lock();
        let (sockets, estates) = inventory.settle();
        for (name, mut estate) in estates {
            let sandbox = SandboxId::from(name);
            let told = estate.containers.iter_mut().map(|kept| TakenOverContainer {
                id: kept.note.container.clone().into(),
                started: kept.running.started(),
                runs: kept.running.exit.borrow().is_none(),
                readers: kept.readers.take(),
                content: kept.note.content.clone(),
            });
            let containers = told.collect();
            let addresses = estate.addresses.clone();
            pods.push(TakenOver { sandbox: sandbox.clone(), addresses, containers });
            book(&sandbox, estate);
        }
        *self.sockets.lock() = sockets;
    }

    pub(super) fn take_pods(&self) -> Vec<TakenOver> {
        std::mem::take(&mut self.pods.lock())
    }

    pub(super) fn take_sockets(&self) -> Vec<(String, OwnedFd)> {
        std::mem::take(&mut self.sockets.lock())
    }
}
