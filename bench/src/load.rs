//! Makes load: with `wrk` where it is installed, else with connections of our own.

mod own;
mod wrk;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Result;

use crate::programs;

/// What the load was answered with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Served {
    pub(crate) per_second: f64,
    /// Microseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// What makes the load.
pub(crate) enum Loader {
    Wrk(PathBuf),
    Own,
}

impl Loader {
    pub(crate) fn find() -> Self {
        programs::find("wrk").map_or(Self::Own, Self::Wrk)
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Wrk(_) => "wrk -t1",
            Self::Own => "a thread per connection",
        }
    }

    /// Asks over this many connections for so long; an error when any request fails.
    pub(crate) fn serve(
        &self,
        to: SocketAddr,
        host: &str,
        connections: usize,
        long: Duration,
    ) -> Result<Served> {
        match self {
            Self::Wrk(program) => wrk::serve(program, to, host, connections, long),
            Self::Own => own::serve(to, host, connections, long),
        }
    }
}
