//! What all measurements share.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use tokio::runtime::{Builder, Runtime};

use crate::{args::Arguments, pace::Pace, platform::RuntimeKind, sample::Sample};

/// The program under test, the app, and how thorough to be.
pub(crate) struct Bench {
    pub(crate) ebb: PathBuf,
    pub(crate) sample: Sample,
    quick: bool,
    seed: u64,
    /// For the API client and the floors that are asynchronous.
    pub(crate) tokio: Runtime,
}

impl Bench {
    pub(crate) fn new(arguments: &Arguments) -> Result<Self> {
        let ebb = fs::canonicalize(&arguments.ebb)
            .with_context(|| format!("there is no program to measure at {}", arguments.ebb.display()))?;
        ensure!(
            rustls::crypto::ring::default_provider().install_default().is_ok(),
            "another TLS provider is installed"
        );
        crate::pace::stop_on_signals()?;
        Ok(Self {
            ebb,
            sample: Sample::new()?,
            quick: arguments.quick,
            seed: arguments.seed,
            tokio: Builder::new_multi_thread().worker_threads(2).enable_all().build()?,
        })
    }

    /// How many rounds: the first number, or with `--quick` the second.
    pub(crate) fn rounds<T>(&self, thorough: T, quick: T) -> T {
        if self.quick { quick } else { thorough }
    }

    /// The idle gaps of one measurement; the same in each run with the same seed.
    pub(crate) fn pace(&self) -> Pace {
        Pace::seeded(self.seed)
    }

    /// The runtimes that this user can have; says which one it cannot.
    pub(crate) fn runtimes(&self) -> Vec<RuntimeKind> {
        if rustix::process::geteuid().is_root() {
            return vec![RuntimeKind::Container, RuntimeKind::Process];
        }
        eprintln!("skipped: containers: they need root; processes only");
        vec![RuntimeKind::Process]
    }

    /// The best isolated runtime that this user can have.
    pub(crate) fn runtime(&self) -> RuntimeKind {
        self.runtimes()[0]
    }
}
