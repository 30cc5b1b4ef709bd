use super::*;

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const REFUSE: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
const ABSENT: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;
const KILL: u32 = libc::SECCOMP_RET_KILL_PROCESS;

#[cfg(target_arch = "x86_64")]
const NATIVE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const NATIVE: u32 = 0xc000_00b7;
const FOREIGN: u32 = 0x4000_0003;

/// Runs a filter as the kernel would.
fn run(program: &[libc::sock_filter], architecture: u32, call: u32, argument: u32) -> u32 {
    let (mut at, mut accumulator) = (0, 0);
    loop {
        let instruction = program[at];
        at += 1;
        let condition = match instruction.code {
            0x20 => {
                accumulator = match instruction.k {
                    0 => call,
                    4 => architecture,
                    16 => argument,
                    other => panic!("load from {other}"),
                };
                continue;
            }
            0x06 => return instruction.k,
            0x15 => accumulator == instruction.k,
            0x35 => accumulator >= instruction.k,
            0x45 => accumulator & instruction.k != 0,
            other => panic!("instruction {other:#x}"),
        };
        at += usize::from(if condition { instruction.jt } else { instruction.jf });
    }
}

#[test]
fn verdicts_of_the_default_profile() {
    let program = default_profile(Capabilities::default());
    let cases = [
        ("read", libc::SYS_read, 0, ALLOW),
        ("execve", libc::SYS_execve, 0, ALLOW),
        ("chroot, by capability", libc::SYS_chroot, 0, ALLOW),
        ("futex_wait", 455, 0, ALLOW),
        ("mount", libc::SYS_mount, 0, REFUSE),
        ("bpf", libc::SYS_bpf, 0, REFUSE),
        ("keyctl", libc::SYS_keyctl, 0, REFUSE),
        ("io_uring_setup", libc::SYS_io_uring_setup, 0, REFUSE),
        ("unshare", libc::SYS_unshare, 0, REFUSE),
        ("kexec_load", libc::SYS_kexec_load, 0, REFUSE),
        ("a call of the future", 480, 0, ABSENT),
        ("an x32 call", 0x4000_0000, 0, ABSENT),
        ("clone of a thread", libc::SYS_clone, 0x003d_0f00, ALLOW),
        ("clone with a user namespace", libc::SYS_clone, 0x1000_0000, REFUSE),
        ("clone with a cgroup namespace", libc::SYS_clone, 0x0200_0000, REFUSE),
        ("clone3", libc::SYS_clone3, 0, ABSENT),
        ("socket inet", libc::SYS_socket, 2, ALLOW),
        ("socket netlink", libc::SYS_socket, 16, ALLOW),
        ("socket xdp", libc::SYS_socket, 44, ALLOW),
        ("socket alg", libc::SYS_socket, 38, REFUSE),
        ("socket vsock", libc::SYS_socket, 40, REFUSE),
        ("socket of no family", libc::SYS_socket, 46, REFUSE),
        ("personality linux", libc::SYS_personality, 0, ALLOW),
        ("personality query", libc::SYS_personality, 0xffff_ffff, ALLOW),
        ("personality no randomisation", libc::SYS_personality, 0x4_0000, REFUSE),
    ];
    for (name, call, argument, expected) in cases {
        assert_eq!(run(&program, NATIVE, call as u32, argument), expected, "{name}");
    }
    assert_eq!(run(&program, FOREIGN, 1, 0), KILL);
}

#[test]
fn every_call_gets_the_verdict_of_the_table() {
    let program = default_profile(Capabilities::from_bits(0));
    let special =
        [libc::SYS_clone, libc::SYS_clone3, libc::SYS_socket, libc::SYS_personality].map(|n| n as u32);
    let listed = |call: u32| {
        [table::ALLOWED, table::ALLOWED_HERE, table::ALLOWED_NEW].iter().any(|calls| calls.contains(&call))
    };
    for call in (0..600).filter(|call| !special.contains(call)) {
        let expected = match call {
            _ if listed(call) => ALLOW,
            _ if call > table::LAST_KNOWN => ABSENT,
            _ => REFUSE,
        };
        assert_eq!(run(&program, NATIVE, call, 0), expected, "call {call}");
    }
}

#[test]
fn capabilities_open_their_calls() {
    let admin = default_profile(Capabilities::with(&["SYS_ADMIN"], &[]).unwrap());
    for call in [libc::SYS_mount, libc::SYS_clone3, libc::SYS_unshare] {
        assert_eq!(run(&admin, NATIVE, call as u32, 0), ALLOW);
    }
    assert_eq!(run(&admin, NATIVE, libc::SYS_clone as u32, 0x1000_0000), ALLOW);
    let none = default_profile(Capabilities::with(&[], &["ALL"]).unwrap());
    assert_eq!(run(&none, NATIVE, libc::SYS_chroot as u32, 0), REFUSE);
}

#[test]
fn the_program_is_short() {
    let program = default_profile(Capabilities::default());
    assert!(program.len() < 200, "{} instructions", program.len());
}
