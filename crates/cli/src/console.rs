//! What a command may see of the machine it runs on.

use std::{ffi::OsString, fmt, io::Write, path::PathBuf};

use jiff::Timestamp;

/// Where a command writes, and the time, the environment and the randomness it may use. Nothing else of the machine
/// shows in its output, so a test can hold all of it still.
///
/// Output is plain text: no colour, no cursor movement, the same on a terminal and in a pipe.
pub struct Console<'a> {
    /// Results; what a script reads.
    pub out: &'a mut (dyn Write + Send),
    /// Errors.
    pub err: &'a mut (dyn Write + Send),
    /// The time of day, for ages and update stamps.
    pub clock: fn() -> Timestamp,
    /// Random bits, for `{{.Random n}}` in revision names.
    pub random: fn() -> u64,
    /// The environment variables that say where kubeconfigs are.
    pub environment: Environment,
}

/// The data directory of an `ebb up` that root started.
const SYSTEM_DATA: &str = "/var/lib/ebb";

/// Where this machine may have kubeconfigs: the environment variables that commands heed, and root's Ebb.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `$HOME`.
    pub home: Option<PathBuf>,
    /// `$KUBECONFIG`: a list of files, by colon.
    pub kubeconfig: Option<OsString>,
    /// `$XDG_DATA_HOME`.
    pub data_home: Option<PathBuf>,
    /// The data directory of the machine's own Ebb.
    pub system_data: Option<PathBuf>,
}

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        Self {
            home: variable("HOME").map(PathBuf::from),
            kubeconfig: variable("KUBECONFIG"),
            data_home: variable("XDG_DATA_HOME").map(PathBuf::from),
            system_data: Some(PathBuf::from(SYSTEM_DATA)),
        }
    }
}

impl Console<'_> {
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

impl fmt::Debug for Console<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("environment", &self.environment).finish_non_exhaustive()
    }
}
