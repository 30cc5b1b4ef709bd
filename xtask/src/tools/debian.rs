//! Debian packages, installed by `apt-get` when we are root.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use super::{Missing, find_program};
use crate::process;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Test,
    /// Measuring needs what testing needs, and a load generator.
    Bench,
}

struct Package {
    name: &'static str,
    sign: Sign,
    needed_by: &'static str,
    need: Need,
}

/// How to see that a package, or what does the same from elsewhere, is there.
enum Sign {
    Program(&'static str),
    File(&'static str),
}

const PACKAGES: &[Package] = &[
    Package {
        name: "ca-certificates",
        sign: Sign::File("/etc/ssl/certs/ca-certificates.crt"),
        needed_by: "Go modules and Python packages; crates/images: registries over TLS",
        need: Need::Test,
    },
    Package {
        name: "curl",
        sign: Sign::Program("curl"),
        needed_by: "crates/ebb: requests as a user sends them",
        need: Need::Test,
    },
    Package {
        name: "iproute2",
        sign: Sign::Program("ip"),
        needed_by: "crates/node, crates/ebb: network namespaces as hosts",
        need: Need::Test,
    },
    Package {
        name: "etcd-server",
        sign: Sign::Program("etcd"),
        needed_by: "crates/objects, crates/controllers: a real kube-apiserver",
        need: Need::Test,
    },
    Package {
        name: "openssl",
        sign: Sign::Program("openssl"),
        needed_by: "crates/objects, crates/controllers: a real kube-apiserver's certificates",
        need: Need::Test,
    },
    Package {
        name: "wrk",
        sign: Sign::Program("wrk"),
        needed_by: "bench: throughput and latency",
        need: Need::Bench,
    },
];

impl Sign {
    fn is_there(&self) -> bool {
        match self {
            Self::Program(name) => find_program(name).is_some(),
            Self::File(path) => Path::new(path).exists(),
        }
    }
}

/// Installs what `need` asks for and this machine lacks; returns what could not be had.
pub(super) fn install_missing(need: Need) -> Vec<Missing> {
    let lacking = || -> Vec<&Package> {
        let asked = |package: &&Package| package.need == Need::Test || need == Need::Bench;
        PACKAGES.iter().filter(asked).filter(|package| !package.sign.is_there()).collect()
    };
    let names: Vec<&str> = lacking().iter().map(|package| package.name).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let why =
        install(&names).err().map_or_else(|| "installed, but not found".into(), |error| format!("{error:#}"));
    lacking()
        .into_iter()
        .map(|package| Missing { tool: package.name.into(), needed_by: package.needed_by, why: why.clone() })
        .collect()
}

/// `apt-get install`, with the package lists refreshed first.
pub(super) fn install(names: &[&str]) -> Result<()> {
    let packages = names.join(" ");
    ensure!(find_program("apt-get").is_some(), "not a Debian; install by hand what provides: {packages}");
    ensure!(rustix::process::geteuid().is_root(), "not root; run `sudo apt-get install {packages}`");
    println!("installing {packages}");
    apt_get(&["update"])?;
    apt_get(&[&["install", "--yes", "--no-install-recommends"], names].concat())
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command.args(["-qq", "-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=120"]).args(arguments);
    process::output(command.env("DEBIAN_FRONTEND", "noninteractive")).map(drop)
}
