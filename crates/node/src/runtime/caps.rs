//! Capabilities: the default set, and what a container adds to it and drops from it.

use rustix::thread::CapabilitySet;

/// What containers get that ask for nothing: the set that OCI engines give (0xa80425fb), but for MKNOD. Engines pair
/// that with a device cgroup; here, who could make a device node could open the host's disks.
const DEFAULT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::NET_RAW)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETFCAP)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::SYS_CHROOT)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::AUDIT_WRITE);

/// The last capability of the kernel this is written for, CAP_CHECKPOINT_RESTORE.
const LAST: u32 = 40;

/// A set of capabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities(u64);

/// Why a container cannot have the capabilities it asks for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CapabilityError {
    /// A name that does not exist.
    #[error("unknown capability {0:?}; use a name like NET_ADMIN, or ALL")]
    Unknown(String),
    /// MKNOD, by its name or by `ALL`.
    #[error("capability MKNOD is not given: this node gives no access to devices; with ALL, drop MKNOD")]
    Devices,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self(DEFAULT.bits())
    }
}

impl Capabilities {
    /// The default set with Kubernetes' `securityContext.capabilities` applied: names as there, without `CAP_`
    /// (with it is taken too), in any case; `ALL` in either list. A name in `add` wins over `ALL` in `drop`; a name
    /// in `drop` wins over everything (upstream: containerd's CRI, which drops last). A set that would then have MKNOD
    /// is refused.
    pub fn with<S: AsRef<str>>(add: &[S], drop: &[S]) -> Result<Self, CapabilityError> {
        let (add_all, add) = parse(add)?;
        let (drop_all, drop) = parse(drop)?;
        let base = match (add_all, drop_all) {
            (_, true) => 0,
            (true, false) => all(),
            (false, false) => DEFAULT.bits(),
        };
        let set = Self((base | add) & !drop);
        if set.contains(CapabilitySet::MKNOD) { Err(CapabilityError::Devices) } else { Ok(set) }
    }

    /// The set as the kernel's bit mask.
    pub fn bits(self) -> u64 {
        self.0
    }

    pub(super) fn from_bits(bits: u64) -> Self {
        Self(bits & all())
    }

    pub(super) fn contains(self, capability: CapabilitySet) -> bool {
        self.0 & capability.bits() == capability.bits()
    }

    /// The capabilities that are not in the set, one at a time.
    pub(super) fn missing(self) -> impl Iterator<Item = CapabilitySet> {
        (0..=LAST)
            .map(|number| CapabilitySet::from_bits_retain(1 << number))
            .filter(move |capability| !self.contains(*capability))
    }
}

fn all() -> u64 {
    (1 << (LAST + 1)) - 1
}

fn parse<S: AsRef<str>>(names: &[S]) -> Result<(bool, u64), CapabilityError> {
    let mut every = false;
    let mut bits = 0;
    for name in names {
        let upper = name.as_ref().to_ascii_uppercase();
        match upper.strip_prefix("CAP_").unwrap_or(&upper) {
            "ALL" => every = true,
            known => match CapabilitySet::from_name(known) {
                Some(capability) => bits |= capability.bits(),
                None => return Err(CapabilityError::Unknown(name.as_ref().to_owned())),
            },
        }
    }
    Ok((every, bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0xa80425fb is what OCI engines give; bit 27, MKNOD, is what this node does not.
    const BASE: u64 = 0xa804_25fb & !(1 << 27);

    #[test]
    fn add_and_drop() {
        let all = all();
        type Case = (&'static [&'static str], &'static [&'static str], Result<u64, CapabilityError>);
        let cases: [Case; 14] = [
            (&[], &[], Ok(BASE)),
            (&["NET_ADMIN"], &[], Ok(BASE | 1 << 12)),
            (&["cap_net_admin"], &[], Ok(BASE | 1 << 12)),
            (&[], &["ALL"], Ok(0)),
            (&["NET_BIND_SERVICE"], &["ALL"], Ok(1 << 10)),
            (&["ALL"], &["MKNOD"], Ok(all & !(1 << 27))),
            (&["ALL"], &["MKNOD", "SYS_ADMIN"], Ok(all & !(1 << 27 | 1 << 21))),
            (&["KILL"], &["KILL"], Ok(BASE & !(1 << 5))),
            (&[], &["MKNOD"], Ok(BASE)),
            (&["MKNOD"], &["MKNOD"], Ok(BASE)),
            (&["MKNOD"], &["ALL"], Err(CapabilityError::Devices)),
            (&["cap_mknod"], &[], Err(CapabilityError::Devices)),
            (&["ALL"], &[], Err(CapabilityError::Devices)),
            (&["FLY"], &[], Err(CapabilityError::Unknown("FLY".into()))),
        ];
        for (add, drop, expected) in cases {
            let got = Capabilities::with(add, drop).map(Capabilities::bits);
            assert_eq!(got, expected, "add {add:?} drop {drop:?}");
        }
    }
}
