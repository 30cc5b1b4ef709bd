//! Compiles an allow-list to classic BPF.

use libc::sock_filter;

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;
#[cfg(target_arch = "riscv64")]
const ARCHITECTURE: u32 = 0xc000_00f3;

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
const IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const IF_AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const IF_ANY_BIT: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;

/// Offsets in the kernel's `struct seccomp_data`.
const CALL: u32 = 0;
const ARCH: u32 = 4;
/// The low half of the first argument, on a little-endian machine.
const ARGUMENT: u32 = 16;

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const REFUSE: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
const ABSENT: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;
const KILL: u32 = libc::SECCOMP_RET_KILL_PROCESS;

/// A call that is allowed with some arguments.
pub(super) struct Rule {
    pub(super) call: u32,
    pub(super) allow_if: Argument,
}

/// A condition on the low 32 bits of the first argument, all that the kernel looks at in these calls.
pub(super) enum Argument {
    /// None of these bits is set.
    NoneOf(u32),
    /// It is one of these values.
    OneOf(&'static [u32]),
    /// It is below the first, and none of the others.
    Below(u32, &'static [u32]),
}

/// Allows `allowed` (sorted) and what `rules` allow; `absent` and what is after `last_known` answer ENOSYS, all
/// else EPERM. A program of another architecture is killed: every number means something else there.
pub(super) fn compile(allowed: &[u32], rules: &[Rule], absent: &[u32], last_known: u32) -> Vec<sock_filter> {
    let mut program = vec![
        statement(LOAD, ARCH),
        jump(IF_EQUAL, ARCHITECTURE, 1, 0),
        statement(RETURN, KILL),
        statement(LOAD, CALL),
    ];
    for rule in rules {
        let body = rule.allow_if.compile();
        program.push(jump(IF_EQUAL, rule.call, 0, body.len() as u8));
        program.extend(body);
    }
    for call in absent {
        program.extend([jump(IF_EQUAL, *call, 0, 1), statement(RETURN, ABSENT)]);
    }
    program.extend(search(&boundaries(allowed, last_known)));
    program
}

impl Argument {
    fn compile(&self) -> Vec<sock_filter> {
        let mut body = vec![statement(LOAD, ARGUMENT)];
        let (values, found, otherwise) = match self {
            Self::NoneOf(bits) => {
                body.extend([
                    jump(IF_ANY_BIT, *bits, 0, 1),
                    statement(RETURN, REFUSE),
                    statement(RETURN, ALLOW),
                ]);
                return body;
            }
            Self::OneOf(values) => (*values, ALLOW, REFUSE),
            Self::Below(end, values) => {
                body.extend([jump(IF_AT_LEAST, *end, 0, 1), statement(RETURN, REFUSE)]);
                (*values, REFUSE, ALLOW)
            }
        };
        // Each comparison that holds skips the rest and the return of the other case.
        let comparisons = values.len();
        for (index, value) in values.iter().enumerate() {
            body.push(jump(IF_EQUAL, *value, (comparisons - index) as u8, 0));
        }
        body.extend([statement(RETURN, otherwise), statement(RETURN, found)]);
        body
    }
}

/// Where the verdict changes: from the number on, up to the next.
fn boundaries(allowed: &[u32], last_known: u32) -> Vec<(u32, u32)> {
    let mut boundaries: Vec<(u32, u32)> = vec![(0, REFUSE)];
    let mut change = |at: u32, verdict: u32| match boundaries.last_mut() {
        Some(last) if last.0 == at => last.1 = verdict,
        Some(last) if last.1 == verdict => {}
        _ => boundaries.push((at, verdict)),
    };
    for call in allowed {
        change(*call, ALLOW);
        change(call + 1, REFUSE);
    }
    change(last_known + 1, ABSENT);
    merge(boundaries)
}

/// Joins neighbours of the same verdict, which filling gaps one by one leaves.
fn merge(boundaries: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    let mut merged: Vec<(u32, u32)> = Vec::new();
    for boundary in boundaries {
        if merged.last().is_none_or(|last| last.1 != boundary.1) {
            merged.push(boundary);
        }
    }
    merged
}

/// A binary search for the last boundary at or below the call's number.
fn search(boundaries: &[(u32, u32)]) -> Vec<sock_filter> {
    let (below, above) = boundaries.split_at(boundaries.len() / 2);
    let (Some((_, verdict)), Some((middle, _))) = (below.first().or(above.first()), above.first()) else {
        return vec![statement(RETURN, REFUSE)];
    };
    if below.is_empty() {
        return vec![statement(RETURN, *verdict)];
    }
    let (below, above) = (search(below), search(above));
    // A jump reaches 255 instructions; the lower half of the whole search is about 90.
    let skip = u8::try_from(below.len()).expect("the lower half of the search fits a jump");
    let mut program = vec![jump(IF_AT_LEAST, *middle, skip, 0)];
    program.extend(below);
    program.extend(above);
    program
}

fn statement(code: u16, k: u32) -> sock_filter {
    sock_filter { code, jt: 0, jf: 0, k }
}

fn jump(code: u16, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code, jt, jf, k }
}
