//! The system calls that no safe wrapper offers: making processes, replacing them, filtering their calls.
//!
//! Functions that stay `unsafe` are those that are sound only in a process with one thread, or one that is about to
//! execute a program; their few callers say why they are.
#![allow(unsafe_code)]

use std::ffi::{CString, c_char};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use rustix::io::Errno;
use rustix::thread::UnshareFlags;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

pub(super) const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// The kernel's `struct clone_args`, as of `CLONE_ARGS_SIZE_VER2`.
#[repr(C)]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// A child process as its parent holds it.
pub(super) struct ChildProcess {
    /// Its process id in the parent's pid namespace.
    pub(super) pid: i32,
    /// Its pidfd: readable once it has ended.
    pub(super) pidfd: OwnedFd,
}

/// Forks, with new namespaces (`CLONE_NEW*`) and, with `cgroup`, straight into a version 2 cgroup. The child runs
/// `body` and nothing else: it cannot return into the caller's stack, not even by a panic.
///
/// # Safety
/// The process must have a single thread: the child has only a copy of the calling one, so a lock held by another
/// (the allocator's, say) would stay locked in it for ever.
pub(super) unsafe fn fork(
    namespaces: u64,
    cgroup: Option<BorrowedFd<'_>>,
    body: impl FnOnce() -> std::convert::Infallible,
) -> Result<ChildProcess, Errno> {
    let mut pidfd: i32 = -1;
    let mut args = CloneArgs {
        flags: namespaces | libc::CLONE_PIDFD as u64,
        pidfd: (&raw mut pidfd) as u64,
        exit_signal: libc::SIGCHLD as u64,
        ..CloneArgs::default()
    };
    if let Some(cgroup) = cgroup {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = cgroup.as_raw_fd() as u64;
    }
    // SAFETY: `args` is a valid clone_args of the size given, with a null stack: the child gets a copy-on-write copy
    // of this one, as with fork. The caller vouches that no other thread exists.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw mut args, size_of::<CloneArgs>()) };
    match pid {
        -1 => Err(last_errno()),
        0 => {
            // What would unwind past here would run the parent's code a second time.
            let outcome = catch_unwind(AssertUnwindSafe(body));
            let code = if outcome.is_err() { 101 } else { 0 };
            exit_now(code)
        }
        pid => {
            // SAFETY: with CLONE_PIDFD the kernel has stored a new descriptor that nothing else owns.
            let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
            Ok(ChildProcess { pid: pid as i32, pidfd })
        }
    }
}

/// Forks a child of this process's parent, into the namespaces that children of this process are for. Only the call that
/// every filter allows is made: this process may have one already.
///
/// # Safety
/// As [`fork`].
pub(super) unsafe fn fork_sibling(body: impl FnOnce() -> std::convert::Infallible) -> Result<(), Errno> {
    let flags = libc::CLONE_PARENT as i64;
    // SAFETY: without a stack the child gets a copy-on-write copy of this one, as with fork; the other arguments are
    // not looked at with these flags. The caller vouches that no other thread exists.
    match unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) } {
        -1 => Err(last_errno()),
        0 => {
            let outcome = catch_unwind(AssertUnwindSafe(body));
            let code = if outcome.is_err() { 101 } else { 0 };
            exit_now(code)
        }
        _ => Ok(()),
    }
}

/// Ends the process at once: no destructors, no exit handlers, which belong to the parent.
pub(super) fn exit_now(code: i32) -> ! {
    // SAFETY: _exit has no preconditions.
    unsafe { libc::_exit(code) }
}

/// Replaces the program. Returns only on failure.
pub(super) fn exec(path: &CString, argv: &[CString], env: &[CString]) -> Errno {
    let pointers = |strings: &[CString]| -> Vec<*const c_char> {
        strings.iter().map(|s| s.as_ptr()).chain([std::ptr::null()]).collect()
    };
    let (argv, env) = (pointers(argv), pointers(env));
    // SAFETY: both arrays end with null, and their strings outlive the call.
    unsafe { libc::execve(path.as_ptr(), argv.as_ptr(), env.as_ptr()) };
    last_errno()
}

/// Leaves namespaces for new ones.
pub(super) fn unshare(flags: UnshareFlags) -> Result<(), Errno> {
    debug_assert!(!flags.contains(UnshareFlags::FILES));
    // SAFETY: the descriptor table, the one thing that is dangerous to unshare, stays shared.
    unsafe { rustix::thread::unshare_unsafe(flags) }
}

/// Makes `stdio` the standard descriptors, keeps `kept` as 3, 4, … (closed on exec), and closes all others. When it
/// fails, all that were open still are.
///
/// # Safety
/// After success, no other descriptor of the process may be used, through whatever owns it, not even to close it; nor
/// what `kept` borrowed from.
pub(super) unsafe fn keep_only<const N: usize>(
    stdio: [BorrowedFd<'_>; 3],
    kept: [BorrowedFd<'_>; N],
) -> Result<[OwnedFd; N], Errno> {
    let targets = 3 + N as i32;
    let mut duplicates = Vec::with_capacity(3 + N);
    for fd in stdio.iter().chain(&kept).map(AsRawFd::as_raw_fd) {
        // SAFETY: the descriptor is open; its duplicate is clear of all targets.
        let duplicate = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, targets) };
        check(duplicate.into())?;
        duplicates.push(duplicate);
    }
    for (target, fd) in (0..).zip(duplicates) {
        let flags = if target < 3 { 0 } else { libc::O_CLOEXEC };
        // SAFETY: replaces a descriptor that the caller gives up. All of them are duplicated, and 0 to 2 and what is
        // below the duplicates cannot run out, so this fails at none after it has replaced one.
        check(unsafe { libc::dup3(fd, target, flags) }.into())?;
    }
    // SAFETY: closes descriptors that the caller has given up.
    check(unsafe { libc::syscall(libc::SYS_close_range, targets, u32::MAX, 0) })?;
    // SAFETY: these were opened just now, and nothing owns them.
    Ok(std::array::from_fn(|index| unsafe { OwnedFd::from_raw_fd(3 + index as i32) }))
}

/// How much of a tree of mounts is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The mount itself.
    Mount,
    /// With all mounts below it.
    Tree,
}

/// Adds restrictions (`MOUNT_ATTR_*`) to a mount, given as a descriptor of its root. Those that it has stay, which a
/// remount would take away.
pub(super) fn restrict(mount: BorrowedFd<'_>, restrictions: u64, reach: Reach) -> Result<(), Errno> {
    let attributes = libc::mount_attr { attr_set: restrictions, attr_clr: 0, propagation: 0, userns_fd: 0 };
    let recursive = if reach == Reach::Tree { libc::AT_RECURSIVE } else { 0 };
    let flags = libc::AT_EMPTY_PATH | recursive;
    // SAFETY: the path is an empty string, and the size is that of the structure.
    check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    })
}

/// Gives every signal its default action and unblocks all: a program must not start with what its ancestors ignored
/// (Rust's runtime ignores SIGPIPE).
pub(super) fn reset_signals() {
    const SIGNALS: i32 = 64;
    /// The size of the kernel's signal set, in bytes.
    const SET: usize = 8;
    // All zero is the default action, no flags, an empty mask. The system call itself, since libc's function refuses
    // the two signals that it uses, and those may be ignored too.
    let action = [0u64; 4];
    let none = 0u64;
    let null = std::ptr::null_mut::<u64>();
    for signal in 1..=SIGNALS {
        // SAFETY: the action is as large as the kernel's largest, and names no handler. KILL and STOP are refused.
        unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, &raw const action, null, SET) };
    }
    // SAFETY: the set has the size given, and the old one is not asked for.
    unsafe { libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const none, null, SET) };
}

/// Ignores a signal in this process.
pub(super) fn ignore_signal(signal: i32) {
    // SAFETY: ignoring involves no handler.
    unsafe { libc::signal(signal, libc::SIG_IGN) };
}

/// Sends any signal, real-time ones included.
pub(super) fn send_signal(pidfd: BorrowedFd<'_>, signal: i32) -> Result<(), Errno> {
    let no_info = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: the descriptor is open, and a null siginfo means that the kernel fills one in.
    check(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), signal, no_info, 0) })
}

/// Sends a signal to a whole process group. What is no group of a child's is refused: the kernel takes 1 for every
/// process that there is, and 0 for this one's own group.
pub(super) fn kill_group(group: i32, signal: i32) -> Result<(), Errno> {
    if group <= 1 {
        return Err(Errno::INVAL);
    }
    // SAFETY: kill has no memory preconditions.
    check(i64::from(unsafe { libc::kill(-group, signal) }))
}

/// Installs a system call filter in this process.
pub(super) fn install_filter(program: &[libc::sock_filter]) -> Result<(), Errno> {
    let length = u16::try_from(program.len()).map_err(|_| Errno::INVAL)?;
    let program = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
    let flags = libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    // SAFETY: the kernel only reads the program, whose length is right.
    check(unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program)
    })
}

/// Hands a non-blocking descriptor to tokio, to be told when it can be read and written.
pub(crate) fn watch(socket: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    let interest = Interest::READABLE | Interest::WRITABLE;
    // SAFETY: an `OwnedFd` is open, and stays the same descriptor, as long as it exists.
    Ok(unsafe { AsyncFd::register_with_interest(socket, interest) }?)
}

/// The monotonic clock; the same in every process of the machine.
pub(super) fn monotonic() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// The wall clock, since 1970.
pub(super) fn wall_clock() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

fn check(result: i64) -> Result<(), Errno> {
    if result == -1 { Err(last_errno()) } else { Ok(()) }
}

fn last_errno() -> Errno {
    Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_groups_are_killed_as_groups() {
        // Signal 0 only asks whether one could be sent.
        for no_group in [1, 0, -1, i32::MIN] {
            assert_eq!(kill_group(no_group, 0), Err(Errno::INVAL), "{no_group}");
        }
    }
}
