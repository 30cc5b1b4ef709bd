//! The system call filter: the default profile as a short classic BPF program.
//!
//! A filter's cost at start is its length (a linear list of 335 calls takes 0.6 ms to install), and its cost
//! afterwards is the instructions run on every call. So the allowed numbers become ranges, and the program a binary
//! search over them:
//!
//! ```text
//!   wrong architecture ──▶ kill        clone: namespace flags? ──▶ EPERM
//!   newer than profile ──▶ ENOSYS      socket: odd family?     ──▶ EPERM
//!   search the ranges  ──▶ allow | EPERM     personality: odd? ──▶ EPERM
//! ```

mod program;
mod table;

use rustix::thread::CapabilitySet;

use super::Capabilities;
use program::{Argument, Rule};

/// The namespace flags of clone.
const CLONE_NEW: u32 = 0x7e02_0000;
/// Address families that containers have no use for, and whose kernel code is rarely looked at; with everything from
/// [`FAMILY_END`] on. Among them AF_VSOCK, which reaches past the network namespace, and AF_ALG.
const FAMILIES_DENIED: &[u32] = &[12, 19, 20, 23, 25, 34, 37, 38, 40];
const FAMILY_END: u32 = 46;
/// Linux, uname 2.6, 32-bit address space, and the query.
const PERSONALITIES: &[u32] = &[0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/// The default profile for a container with these capabilities.
pub(super) fn default_profile(capabilities: Capabilities) -> Vec<libc::sock_filter> {
    let mut allowed: Vec<u32> =
        [table::ALLOWED, table::ALLOWED_HERE, table::ALLOWED_NEW].into_iter().flatten().copied().collect();
    for (capability, calls) in table::WITH_CAPABILITY {
        if capabilities.contains(*capability) {
            allowed.extend_from_slice(calls);
        }
    }
    allowed.sort_unstable();
    allowed.dedup();

    let mut rules = vec![
        Rule { call: libc::SYS_socket as u32, allow_if: Argument::Below(FAMILY_END, FAMILIES_DENIED) },
        Rule { call: libc::SYS_personality as u32, allow_if: Argument::OneOf(PERSONALITIES) },
    ];
    let mut absent = Vec::new();
    if !capabilities.contains(CapabilitySet::SYS_ADMIN) {
        rules.push(Rule { call: libc::SYS_clone as u32, allow_if: Argument::NoneOf(CLONE_NEW) });
        // Its flags are behind a pointer, which a filter cannot follow: say that it does not exist, and libc uses
        // clone instead.
        absent.push(libc::SYS_clone3 as u32);
    }
    program::compile(&allowed, &rules, &absent, table::LAST_KNOWN)
}

#[cfg(test)]
mod tests;
