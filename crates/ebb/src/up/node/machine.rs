//! What there is to know of the machine, as far as it stays the same while Ebb runs.

use std::{collections::BTreeMap, fs, path::Path};

use node::Allocatable;
use resources::{builtin::NodeSystemInfo, meta::Quantity};

use super::PODS_MAX;

const BOOT_ID: &[&str] = &["/proc/sys/kernel/random/boot_id"];
const MACHINE_ID: &[&str] = &["/etc/machine-id", "/var/lib/dbus/machine-id"];
/// Only root may read the first; where there is no firmware that gives one, the machine has but its own id.
const SYSTEM_UUID: &[&str] =
    &["/sys/class/dmi/id/product_uuid", "/proc/device-tree/vm,uuid", "/etc/machine-id"];
const OS_RELEASE: &[&str] = &["/etc/os-release", "/usr/lib/os-release"];

/// The machine.
pub(super) struct Machine {
    pub(super) info: NodeSystemInfo,
    /// What it has, by the names of resources.
    pub(super) resources: BTreeMap<String, Quantity>,
}

impl Machine {
    /// This machine. `disk`: a directory of the file system that has what pods write. Reads a few small files.
    pub(super) fn here(disk: &Path) -> Self {
        let kernel = rustix::system::uname();
        let os_release = OS_RELEASE.iter().find_map(|path| fs::read_to_string(path).ok()).unwrap_or_default();
        let info = NodeSystemInfo {
            architecture: architecture().to_owned(),
            boot_id: first(BOOT_ID),
            container_runtime_version: concat!("ebb://", env!("CARGO_PKG_VERSION")).to_owned(),
            kernel_version: kernel.release().to_string_lossy().into_owned(),
            kubelet_version: concat!("v1.34.0+ebb-", env!("CARGO_PKG_VERSION")).to_owned(),
            machine_id: first(MACHINE_ID),
            operating_system: "linux".to_owned(),
            os_image: pretty_name(&os_release).unwrap_or("Linux").to_owned(),
            system_uuid: first(SYSTEM_UUID),
            ..NodeSystemInfo::default()
        };
        let Allocatable { cpu_millis, memory } = allocatable();
        let cores = cpu_millis / 1000;
        let counts =
            [("cpu", cores.to_string()), ("memory", memory.to_string()), ("pods", PODS_MAX.to_string())];
        let mut resources: BTreeMap<String, Quantity> =
            counts.map(|(name, amount)| (name.to_owned(), Quantity(amount))).into();
        match rustix::fs::statvfs(disk) {
            Ok(disk) => {
                let bytes = disk.f_blocks.saturating_mul(disk.f_frsize);
                resources.insert("ephemeral-storage".to_owned(), Quantity(bytes.to_string()));
            }
            Err(error) => {
                tracing::debug!(%error, disk = %disk.display(), "could not find out how large a file system is");
            }
        }
        Self { info, resources }
    }
}

/// What pods may have of it: all.
pub(super) fn allocatable() -> Allocatable {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let machine = rustix::system::sysinfo();
    let memory = machine.totalram as u64 * u64::from(machine.mem_unit);
    Allocatable { cpu_millis: cores as i64 * 1000, memory: i64::try_from(memory).unwrap_or(i64::MAX) }
}

/// The machine's architecture in Kubernetes' words.
pub(super) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// What the first of these files says that can be read and says anything.
fn first(paths: &[&str]) -> String {
    let said = |path: &&str| {
        let text = fs::read_to_string(path).ok()?;
        let text = text.trim_matches(|char: char| char.is_whitespace() || char == '\0');
        (!text.is_empty()).then(|| text.to_owned())
    };
    paths.iter().find_map(said).unwrap_or_default()
}

/// The name of the system that is for people (os-release(5)).
fn pretty_name(os_release: &str) -> Option<&str> {
    let value = os_release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(value.trim().trim_matches(['"', '\''])).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_called_as_its_people_call_it() {
        for (text, expect) in [
            (
                "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n",
                Some("Debian GNU/Linux 12 (bookworm)"),
            ),
            ("PRETTY_NAME='Alpine Linux v3.20'", Some("Alpine Linux v3.20")),
            ("PRETTY_NAME=Arch\n", Some("Arch")),
            ("PRETTY_NAME=\"\"\n", None),
            ("NAME=Gentoo\n", None),
        ] {
            assert_eq!(pretty_name(text), expect, "{text}");
        }
    }

    #[test]
    fn the_first_file_that_says_something_counts() {
        let dir = tempfile::tempdir().unwrap();
        let [empty, said] = ["empty", "said"].map(|name| dir.path().join(name).to_str().unwrap().to_owned());
        fs::write(&empty, "\n").unwrap();
        fs::write(&said, "an-id\0\n").unwrap();
        assert_eq!(first(&["/nowhere/at/all", &empty, &said]), "an-id");
        assert_eq!(first(&["/nowhere/at/all"]), "");
    }

    #[test]
    fn a_machine_has_a_processor_and_a_disk() {
        let machine = Machine::here(Path::new("/"));
        for resource in ["cpu", "memory", "pods", "ephemeral-storage"] {
            let amount: u64 = machine.resources[resource].0.parse().unwrap();
            assert!(amount > 0, "{resource}");
        }
        assert!(!machine.info.kernel_version.is_empty() && !machine.info.os_image.is_empty());
    }
}
