//! Children that nobody knows: programs that were made and ended before they were known, or that a program of a
//! container has made children of the keeper.

use std::fs;
use std::os::fd::AsFd;

use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process, pidfd_open, waitid};

use super::super::children::Children;
use super::REAP_MAX;
use super::running::{Reaped, Running, reap};
use crate::runtime::sys::{self, ChildProcess};

/// How often it is looked for them until there are none.
const ROUNDS_MAX: usize = 8;

impl Children {
    /// Whether what says to be the app of this one can be: a process that may trace others can make it say anything.
    pub(super) fn is_unknown_child(&self, number: u64, app: &ChildProcess) -> bool {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let others = self.execs.running.iter().filter(|(other, _)| **other != number);
        let mut others = others.filter_map(|(_, running)| running.app.as_ref());
        !self.is_known(app.pid)
            && !others.any(|other| other.pid == app.pid)
            && waitid(WaitId::PidFd(app.pidfd.as_fd()), look).is_ok()
    }

    fn is_known(&self, pid: i32) -> bool {
        let mut helpers = self.execs.running.values().filter(|running| running.helper.is_some());
        self.children.values().any(|child| child.process.pid == pid)
            || helpers.any(|running| running.helper_pid == pid)
    }

    /// Ends the children that nobody knows, once those who are just being made are known. A container's pid namespace
    /// does not end before all that was in it is reaped.
    pub(in crate::runtime::keeper) fn end_strangers(&mut self) {
        let being_made = |running: &Running| running.app.is_none();
        if !self.execs.strangers || self.execs.running.values().any(being_made) {
            return;
        }
        self.execs.strangers = false;
        // What is killed may have made another one just before.
        for _ in 0..ROUNDS_MAX {
            let strangers = self.strangers();
            if strangers.is_empty() {
                return;
            }
            for stranger in &strangers {
                let _ = kill_process(*stranger, Signal::KILL);
            }
            let until = sys::monotonic() + REAP_MAX;
            for stranger in strangers {
                let reaped =
                    pidfd_open(stranger, PidfdFlags::empty()).map(|child| reap(child.as_fd(), until));
                // One that is traced stays its tracer's, and is looked for again when something else ends.
                self.execs.strangers |= matches!(reaped, Ok(Reaped::Held));
            }
            if self.execs.strangers {
                return;
            }
        }
        self.execs.strangers = true;
    }

    fn strangers(&self) -> Vec<Pid> {
        let children = fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
        let pids = children.split_whitespace().filter_map(|pid| pid.parse().ok()).filter_map(Pid::from_raw);
        let is_stranger = |pid: &Pid| {
            let number = pid.as_raw_nonzero().get();
            let mut apps = self.execs.running.values().filter_map(|running| running.app.as_ref());
            !self.is_known(number) && !apps.any(|app| app.pid == number)
        };
        pids.filter(is_stranger).collect()
    }
}
