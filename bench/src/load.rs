//! Makes load: with `wrk` where it is installed, else with connections of our own.

mod own;
mod wrk;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Result;

/// What makes the load.
pub(crate) enum Loader {
    Wrk(PathBuf),
    Own,
}

impl Loader {
    pub(crate) fn find() -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found =
            std::env::split_paths(&path).map(|folder| folder.join("wrk")).find(|program| program.is_file());
        found.map_or(Self::Own, Self::Wrk)
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Wrk(_) => "wrk -t1",
            Self::Own => "a thread per connection",
        }
    }

    /// Requests per second over this many connections; an error when any of them fails.
    pub(crate) fn per_second(
        &self,
        to: SocketAddr,
        host: &str,
        connections: usize,
        long: Duration,
    ) -> Result<f64> {
        match self {
            Self::Wrk(program) => wrk::per_second(program, to, host, connections, long),
            Self::Own => own::per_second(to, host, connections, long),
        }
    }
}
