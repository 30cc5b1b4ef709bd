//! How many files a process may have open: as many as it can for daemon and keeper, who hold several for each
//! container, and what the daemon was given for the programs in containers.

use std::sync::OnceLock;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The soft limit before it was raised.
static FOR_PROGRAMS: OnceLock<Option<u64>> = OnceLock::new();

/// Raises this process' soft limit to the hard one. Programs in containers start with what it was before: those
/// that still use `select` rely on small numbers. Call it once, early.
pub fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    if FOR_PROGRAMS.set(limit.current).is_ok() {
        // Refused nowhere; where it were, the limit stays what it was.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    }
}

/// What programs start with.
pub(super) fn for_programs() -> Option<u64> {
    *FOR_PROGRAMS.get_or_init(|| getrlimit(Resource::Nofile).current)
}

/// Raises the keeper's limit; programs start with what the daemon's was.
pub(super) fn raise_with(for_programs: Option<u64>) {
    let _ = FOR_PROGRAMS.set(for_programs);
    let maximum = getrlimit(Resource::Nofile).maximum;
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// Gives the limit for programs to this process, which is about to become one.
pub(super) fn lower() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    // Below the hard limit, this cannot be refused.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: for_programs(), maximum });
}
