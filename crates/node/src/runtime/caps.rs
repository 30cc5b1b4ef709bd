//! Capabilities: the default set, and what a container adds to it and drops from it.

use rustix::thread::CapabilitySet;

/// What containers get that ask for nothing: the set that OCI engines give (0xa80425fb).
const DEFAULT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::MKNOD)
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

/// A capability name that does not exist.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown capability {0:?}; use a name like NET_ADMIN, or ALL")]
pub struct UnknownCapability(pub String);

impl Default for Capabilities {
    fn default() -> Self {
        Self(DEFAULT.bits())
    }
}

impl Capabilities {
    /// The default set with Kubernetes' `securityContext.capabilities` applied: names as there, without `CAP_`
    /// (with it is taken too), in any case; `ALL` in either list. A name in `add` wins over `ALL` in `drop`; a name
    /// in `drop` wins over everything (upstream: containerd's CRI, which drops last).
    pub fn with<S: AsRef<str>>(add: &[S], drop: &[S]) -> Result<Self, UnknownCapability> {
        let (add_all, add) = parse(add)?;
        let (drop_all, drop) = parse(drop)?;
        let base = match (add_all, drop_all) {
            (_, true) => 0,
            (true, false) => all(),
            (false, false) => DEFAULT.bits(),
        };
        Ok(Self((base | add) & !drop))
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

fn parse<S: AsRef<str>>(names: &[S]) -> Result<(bool, u64), UnknownCapability> {
    let mut every = false;
    let mut bits = 0;
    for name in names {
        let upper = name.as_ref().to_ascii_uppercase();
        match upper.strip_prefix("CAP_").unwrap_or(&upper) {
            "ALL" => every = true,
            known => match CapabilitySet::from_name(known) {
                Some(capability) => bits |= capability.bits(),
                None => return Err(UnknownCapability(name.as_ref().to_owned())),
            },
        }
    }
    Ok((every, bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn add_and_drop() {
        let all = all();
        type Case = (&'static [&'static str], &'static [&'static str], Result<u64, &'static str>);
        let cases: [Case; 9] = [
            (&[], &[], Ok(0xa804_25fb)),
            (&["NET_ADMIN"], &[], Ok(0xa804_25fb | 1 << 12)),
            (&["cap_net_admin"], &[], Ok(0xa804_25fb | 1 << 12)),
            (&[], &["ALL"], Ok(0)),
            (&["NET_BIND_SERVICE"], &["ALL"], Ok(1 << 10)),
            (&["ALL"], &[], Ok(all)),
            (&["ALL"], &["SYS_ADMIN"], Ok(all & !(1 << 21))),
            (&["KILL"], &["KILL"], Ok(0xa804_25fb & !(1 << 5))),
            (&["FLY"], &[], Err("FLY")),
        ];
        for (add, drop, expected) in cases {
            let got = Capabilities::with(add, drop).map(Capabilities::bits);
            assert_eq!(
                got,
                expected.map_err(|name| UnknownCapability(name.into())),
                "add {add:?} drop {drop:?}"
            );
        }
    }
}
