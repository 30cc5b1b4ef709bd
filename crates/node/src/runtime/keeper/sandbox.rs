//! Pod sandboxes: network, ipc and uts namespaces that are held as descriptors, without a process.

use std::fs::{self, File};
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space};

use super::netlink::Route;
use crate::runtime::{RuntimeError, dial, sys};

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
    pub(super) addresses: Vec<IpAddr>,
    /// Sockets in its network, for the first connections into it: the daemon need not enter the namespace for those.
    pub(super) sockets: Vec<OwnedFd>,
}

/// One for whoever asks whether the pod is ready, and one for the first request.
const SOCKETS: usize = 2;

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
    pub(super) fn create(&self, addresses: &[IpAddr]) -> io::Result<Sandbox> {
        let _away = Away(&self.home);
        sys::unshare(NEW)?;
        let route = Route::new()?;
        route.raise_loopback()?;
        addresses.iter().try_for_each(|address| route.add_address(*address))?;
        for (file, value) in SETTINGS {
            match fs::write(file, value) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        let sockets = (0..SOCKETS).map(|_| dial::socket()).collect::<io::Result<_>>()?;
        Ok(Sandbox { addresses: addresses.to_vec(), sockets, ..Sandbox::current()? })
    }

    /// Makes a sandbox, which has these addresses or none, a pod's.
    pub(super) fn assign(&self, sandbox: &Sandbox, hostname: &str, addresses: &[IpAddr]) -> io::Result<()> {
        let _away = Away(&self.home);
        sandbox.enter_named()?;
        rustix::system::sethostname(hostname.as_bytes())?;
        if sandbox.addresses == addresses {
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
        let (network, ipc, uts) = (open("net")?, open("ipc")?, open("uts")?);
        Ok(Self { network, ipc, uts, addresses: Vec::new(), sockets: Vec::new() })
    }

    pub(super) fn descriptors(&self) -> [BorrowedFd<'_>; 3] {
        [self.network.as_fd(), self.ipc.as_fd(), self.uts.as_fd()]
    }

    fn enter(&self) -> io::Result<()> {
        self.enter_named()?;
        Ok(move_into_link_name_space(self.ipc.as_fd(), Some(LinkNameSpaceType::InterProcessCommunication))?)
    }

    /// Enters those that have names and addresses.
    fn enter_named(&self) -> io::Result<()> {
        move_into_link_name_space(self.network.as_fd(), Some(LinkNameSpaceType::Network))?;
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
