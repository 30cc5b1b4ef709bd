//! The first process of a container: forks the app, reaps, and reports how the app ended.

use std::convert::Infallible;
use std::os::fd::AsFd;

use rustix::io::Errno;
use rustix::process::{DumpableBehavior, WaitOptions, WaitStatus};

use super::user::Identity;
use super::{Notice, Prepared, Shell, StartFailure, Step, confine, order, sys, tell};
use crate::runtime::Capabilities;

#[allow(unsafe_code)]
pub(super) fn run(shell: Shell<'_>, prepared: Prepared) -> Infallible {
    let Shell { stage, directory, cgroups, filter, control, report, .. } = shell;
    let single_hierarchy = cgroups.single_hierarchy();
    let root = prepared.root.as_ref().map(AsFd::as_fd);
    let surroundings = order::Surroundings { stage, directory, filter, single_hierarchy, root };
    let socket = report.as_fd();
    // SAFETY: this process is itself a fork of the keeper, which has one thread.
    let app = match unsafe { sys::fork(0, None, || order::follow(&surroundings, socket)) } {
        Ok(app) => app,
        Err(errno) => {
            tell(socket, &Notice::Failed(StartFailure::new(Step::Shell, "", errno)), &[]);
            sys::exit_now(1)
        }
    };
    tell(control.as_fd(), &Notice::App, &[app.pidfd.as_fd(), prepared.message.as_fd()]);
    // The app's exec must be what closes the last copy: that is how the keeper knows of it.
    drop(report);
    drop((app.pidfd, prepared));
    confine_self(filter);
    let (code, signal) = reap_until(app.pid);
    tell(control.as_fd(), &Notice::Ended { code, signal }, &[]);
    // The kernel kills what is left in the pid namespace, and the keeper is told of init's end after that.
    sys::exit_now(0)
}

/// Gives up all that reaping does not need. A container that was given SYS_PTRACE can take over its init; it must
/// not win anything by that, nor read from its memory what the keeper's held.
fn confine_self(filter: &[libc::sock_filter]) {
    let nobody_special = Capabilities::from_bits(0);
    let root = Identity { uid: 0, gid: 0, groups: Vec::new(), home: String::new() };
    let confined = confine::confine(&root, nobody_special, true, Some(filter)).is_ok()
        && rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok();
    if !confined {
        sys::exit_now(1)
    }
}

/// Reaps every child that ends, until the app does; returns its exit code and signal.
fn reap_until(app: i32) -> (i32, Option<i32>) {
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid.as_raw_nonzero().get() == app => return how(status),
            Ok(_) | Err(Errno::INTR) => {}
            // Impossible while the app is a child not yet reaped.
            Err(_) => return (1, None),
        }
    }
}

pub(super) fn how(status: WaitStatus) -> (i32, Option<i32>) {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => (code, None),
        (None, Some(signal)) => (128 + signal, Some(signal)),
        (None, None) => (1, None),
    }
}
