//! Pod sandboxes: network, ipc and uts namespaces that are held as descriptors, without a process.

use std::fs::{self, File};
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space};

use super::netlink::Route;
use crate::runtime::{RuntimeError, sys};

const NEW: UnshareFlags = UnshareFlags::NEWNET.union(UnshareFlags::NEWIPC).union(UnshareFlags::NEWUTS);

/// Settings of a new network namespace. Root's privilege over ports below 1024 and over ping protects a host from its
/// users; a pod's namespace has neither (upstream: containerd, enable_unprivileged_ports and _icmp).
const SETTINGS: &[(&str, &str)] = &[
    ("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0"),
    ("/proc/sys/net/ipv4/ping_group_range", "0 2147483647"),
];

/// A pod's namespaces.
pub(super) struct Sandbox {
    pub(super) network: OwnedFd,
    pub(super) ipc: OwnedFd,
    pub(super) uts: OwnedFd,
}

/// Makes sandboxes. Knows the keeper's own namespaces, to come back to.
pub(super) struct Sandboxes {
    home: Sandbox,
}

impl Sandboxes {
    pub(super) fn new() -> Result<Self, RuntimeError> {
        let home = Sandbox::current().map_err(|error| RuntimeError::io("opening /proc/self/ns", error))?;
        Ok(Self { home })
    }

    /// Makes a sandbox with its loopback device up.
    pub(super) fn create(&self) -> io::Result<Sandbox> {
        let _away = Away(&self.home);
        sys::unshare(NEW)?;
        Route::new()?.raise_loopback()?;
        for (file, value) in SETTINGS {
            match fs::write(file, value) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Sandbox::current()
    }

    /// Makes a sandbox a pod's.
    pub(super) fn assign(&self, sandbox: &Sandbox, hostname: &str, addresses: &[IpAddr]) -> io::Result<()> {
        let _away = Away(&self.home);
        sandbox.enter()?;
        rustix::system::sethostname(hostname.as_bytes())?;
        if addresses.is_empty() {
            return Ok(());
        }
        let route = Route::new()?;
        addresses.iter().try_for_each(|address| route.add_address(*address))
    }
}

impl Sandbox {
    /// Those that this process is in.
    fn current() -> io::Result<Self> {
        let open = |name: &str| File::open(format!("/proc/self/ns/{name}")).map(OwnedFd::from);
        Ok(Self { network: open("net")?, ipc: open("ipc")?, uts: open("uts")? })
    }

    pub(super) fn descriptors(&self) -> [BorrowedFd<'_>; 3] {
        [self.network.as_fd(), self.ipc.as_fd(), self.uts.as_fd()]
    }

    fn enter(&self) -> io::Result<()> {
        move_into_link_name_space(self.network.as_fd(), Some(LinkNameSpaceType::Network))?;
        move_into_link_name_space(self.ipc.as_fd(), Some(LinkNameSpaceType::InterProcessCommunication))?;
        Ok(move_into_link_name_space(self.uts.as_fd(), Some(LinkNameSpaceType::HostNameAndNISDomainName))?)
    }
}

/// While this lives, the keeper may be in a pod's namespaces.
struct Away<'a>(&'a Sandbox);

impl Drop for Away<'_> {
    fn drop(&mut self) {
        // Every sandbox made from here on would be a pod's own: better no keeper than that.
        self.0.enter().expect("a process can always return to namespaces that it holds");
    }
}
