//! Privileges: given up in the order in which each step still may.

use rustix::io::Errno;
use rustix::process::{Gid, Uid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, remove_capability_from_bounding_set, set_capabilities,
    set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

use super::user::Identity;
use super::{Outcome, StartFailure, Step, sys};
use crate::runtime::Capabilities;

/// Becomes `identity` with these capabilities, under this filter.
pub(super) fn confine(
    identity: &Identity,
    allowed: Capabilities,
    no_new_privileges: bool,
    filter: Option<&[libc::sock_filter]>,
) -> Outcome<()> {
    // The bounding set first: it also limits what a program with file capabilities could get back.
    for capability in allowed.missing() {
        match remove_capability_from_bounding_set(capability) {
            // An older kernel does not know the newest ones, so nothing can have them.
            Ok(()) | Err(Errno::INVAL) => {}
            Err(errno) => return Err(privileges("bounding set", errno)),
        }
    }
    // Without no_new_privileges, installing a filter takes CAP_SYS_ADMIN, which is gone in a moment; the default
    // profile allows what is still to be done.
    if !no_new_privileges {
        install(filter)?;
    }
    become_user(identity)?;
    keep(allowed, identity)?;
    if no_new_privileges {
        set_no_new_privs(true).map_err(|errno| privileges("no_new_privs", errno))?;
        install(filter)?;
    }
    Ok(())
}

fn become_user(identity: &Identity) -> Outcome<()> {
    let groups: Vec<_> = identity.groups.iter().map(|gid| Gid::from_raw(*gid)).collect();
    let (uid, gid) = (Uid::from_raw(identity.uid), Gid::from_raw(identity.gid));
    set_thread_groups(&groups).map_err(|errno| privileges("groups", errno))?;
    set_thread_res_gid(gid, gid, gid).map_err(|errno| privileges("gid", errno))?;
    // The kernel drops all capabilities with this when the user is not root.
    set_thread_res_uid(uid, uid, uid).map_err(|errno| privileges("uid", errno))
}

/// Reduces root's capabilities to the allowed ones. Another user has none left, and gets none from the default set:
/// Kubernetes has no ambient capabilities.
fn keep(allowed: Capabilities, identity: &Identity) -> Outcome<()> {
    if identity.uid != 0 {
        return Ok(());
    }
    let held = capabilities(None).map_err(|errno| privileges("capabilities", errno))?;
    let kept = held.permitted & CapabilitySet::from_bits_retain(allowed.bits());
    let sets = CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    set_capabilities(None, sets).map_err(|errno| privileges("capabilities", errno))
}

fn install(filter: Option<&[libc::sock_filter]>) -> Outcome<()> {
    let Some(filter) = filter else { return Ok(()) };
    sys::install_filter(filter).map_err(|errno| StartFailure::new(Step::Seccomp, "", errno))
}

fn privileges(subject: &str, errno: Errno) -> StartFailure {
    StartFailure::new(Step::Privileges, subject, errno)
}
