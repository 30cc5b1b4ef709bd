//! Plain processes, for the runtime without isolation.

use std::convert::Infallible;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::process::{Signal, chdir, getppid, set_parent_process_death_signal, setsid};

use crate::runtime::protocol::{Notice, ProcessOrder, Report};
use crate::runtime::shell::Program;
use crate::runtime::sys::ChildProcess;
use crate::runtime::{StartFailure, StartTimings, Step, descriptors, sys, wire};

/// Starts a process; returns it with the socket on which it reports.
#[allow(unsafe_code)]
pub(super) fn spawn(
    order: &ProcessOrder,
    sent: std::time::Duration,
    stdout: BorrowedFd<'_>,
    stderr: BorrowedFd<'_>,
) -> io::Result<(ChildProcess, OwnedFd)> {
    let (ours, theirs) = wire::pair_with_child()?;
    let keeper = rustix::process::getpid();
    // SAFETY: the keeper has one thread, which it made sure of when it started.
    let child = unsafe {
        sys::fork(0, None, move || {
            let standard = [rustix::stdio::stdin(), stdout, stderr];
            // SAFETY: nothing but the kept socket is used from here on, and this process ends without destructors.
            let socket = match sys::keep_only(standard, [theirs.as_fd()]) {
                Ok([socket]) => socket,
                Err(errno) => fail(&theirs, StartFailure::new(Step::Shell, "", errno)),
            };
            std::mem::forget(theirs);
            // The keeper may have ended before it could be told apart.
            let orphaned =
                set_parent_process_death_signal(Some(Signal::KILL)).is_err() || getppid() != Some(keeper);
            if orphaned {
                sys::exit_now(1)
            }
            become_program(order, sent, socket)
        })
    }?;
    Ok((child, ours))
}

fn become_program(order: &ProcessOrder, sent: std::time::Duration, socket: OwnedFd) -> Infallible {
    let begun = sys::monotonic();
    sys::reset_signals();
    descriptors::lower();
    let failure = match prepare(order) {
        Ok(program) => {
            let executing = sys::monotonic();
            let shell = begun.saturating_sub(sent);
            let timings =
                StartTimings { shell, confine: executing.saturating_sub(begun), ..StartTimings::default() };
            let report = Report { timings, started_at: sys::wall_clock(), executing, warnings: Vec::new() };
            let _ = wire::send(socket.as_fd(), &Notice::Executing(report), &[], &[]);
            program.exec()
        }
        Err(failure) => failure,
    };
    fail(&socket, failure)
}

/// Says what went wrong, and ends.
fn fail(socket: &OwnedFd, failure: StartFailure) -> ! {
    let _ = wire::send(socket.as_fd(), &Notice::Failed(failure), &[], &[]);
    sys::exit_now(1)
}

fn prepare(order: &ProcessOrder) -> Result<Program, StartFailure> {
    // A session is a process group too: its number is this process's own, and all of it can be killed at once.
    setsid().map_err(|errno| StartFailure::new(Step::Shell, "session", errno))?;
    chdir(&order.cwd)
        .map_err(|errno| StartFailure::new(Step::WorkingDirectory, order.cwd.display().to_string(), errno))?;
    let program = order.program.to_str().ok_or_else(|| StartFailure::new(Step::Exec, "", Errno::INVAL))?;
    let env: Vec<_> = order.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    Program::new(program, &order.argv, &env)
}
