//! What the keeper has of an earlier daemon.

use std::collections::HashMap;
use std::net::IpAddr;
use std::os::fd::OwnedFd;

use super::Running;
use crate::runtime::ContainerId;
use crate::runtime::protocol::Note;

/// As the keeper tells it.
#[derive(Default)]
pub(in crate::runtime) struct Inventory {
    /// Sandboxes, their pods' addresses, and their network namespaces where there is isolation.
    pub(super) sandboxes: Vec<(String, Vec<IpAddr>, Option<OwnedFd>)>,
    pub(in crate::runtime) containers: Vec<Kept>,
    /// Listening sockets by name.
    pub(super) sockets: Vec<(String, OwnedFd)>,
}

/// A container of an earlier daemon, which may have ended since.
pub(in crate::runtime) struct Kept {
    pub(in crate::runtime) running: Running,
    pub(in crate::runtime) note: Note,
    /// The other ends of its output, where they were given to be kept.
    pub(in crate::runtime) readers: Option<[OwnedFd; 2]>,
}

/// A pod of an earlier daemon.
#[derive(Default)]
pub(in crate::runtime) struct Estate {
    /// Whether it has a sandbox: containers can be left without theirs.
    pub(in crate::runtime) has_sandbox: bool,
    pub(in crate::runtime) addresses: Vec<IpAddr>,
    /// Its network namespace, where there is isolation.
    pub(in crate::runtime) network: Option<OwnedFd>,
    pub(in crate::runtime) containers: Vec<Kept>,
}

impl Inventory {
    /// The sockets, and everything else by sandbox.
    pub(in crate::runtime) fn settle(self) -> (Vec<(String, OwnedFd)>, HashMap<String, Estate>) {
        let mut all: HashMap<String, Estate> = HashMap::new();
        for (name, addresses, network) in self.sandboxes {
            all.insert(name, Estate { has_sandbox: true, addresses, network, containers: Vec::new() });
        }
        for container in self.containers {
            all.entry(container.note.sandbox.clone()).or_default().containers.push(container);
        }
        (self.sockets, all)
    }
}

impl Estate {
    /// The ports that its programs were meant to have, and those that they were given, in the order of their starts: the
    /// last one to be given a port has it.
    pub(in crate::runtime) fn ports(&self) -> impl Iterator<Item = (u16, u16)> {
        let mut ports: Vec<_> =
            self.containers.iter().map(|kept| (kept.running.slot, kept.note.ports)).collect();
        ports.sort_unstable();
        ports.into_iter().filter_map(|(_, ports)| ports)
    }

    /// Its containers, for a runtime's books.
    pub(in crate::runtime) fn running(self) -> Vec<(ContainerId, Running)> {
        let containers = self.containers.into_iter();
        containers.map(|kept| (ContainerId::from(kept.note.container), kept.running)).collect()
    }
}
