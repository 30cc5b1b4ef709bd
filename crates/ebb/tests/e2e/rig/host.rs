//! Machines, as far as the network goes: network namespaces with a cable between two of them.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use super::text;

/// A machine with a loopback interface of its own; gone when dropped.
pub(crate) struct Host {
    name: String,
}

impl Host {
    /// A machine that nobody else reaches.
    pub(crate) fn alone() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("ebbtest-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        ip(&["netns", "add", &name]);
        let host = Self { name };
        ip(&["-n", &host.name, "link", "set", "lo", "up"]);
        host
    }

    /// Two machines with a cable between them, and these addresses.
    pub(crate) fn pair(one: &str, other: &str) -> (Self, Self) {
        let hosts = (Self::alone(), Self::alone());
        let (left, right) = (hosts.0.name.as_str(), hosts.1.name.as_str());
        ip(&["-n", left, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", right]);
        for (host, address) in [(left, one), (right, other)] {
            ip(&["-n", host, "address", "add", &format!("{address}/24"), "dev", "cable"]);
            ip(&["-n", host, "link", "set", "cable", "up"]);
        }
        hosts
    }

    /// A program that runs on this machine.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        // Only the network is another one: `ip netns exec` would hide the cgroups.
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", self.namespace().display())).arg("--").arg(program.as_ref());
        command
    }

    fn namespace(&self) -> PathBuf {
        Path::new("/run/netns").join(&self.name)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // A cable goes with the first of its ends.
        let _ = Command::new("ip").args(["netns", "delete", &self.name]).status();
    }
}

fn ip(arguments: &[&str]) {
    let output = Command::new("ip").args(arguments).output().expect("iproute2 is installed");
    assert!(output.status.success(), "ip {arguments:?}: {}", text(&output.stderr));
}
