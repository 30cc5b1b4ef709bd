//! The process `ebb up`.

use std::{
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::RuntimeKind;

/// The longest that a stop may take.
const STOP_MAX: Duration = Duration::from_secs(30);
/// How much of its log is shown when something went wrong.
const STORY_BYTES_MAX: usize = 2000;

/// A running `ebb up`, its data directory and, beside that, what it prints; all are gone when this is dropped.
pub(crate) struct Daemon {
    child: Child,
    dir: TempDir,
}

impl Daemon {
    /// Executes it on an empty data directory.
    pub(crate) fn spawn(ebb: &Path, runtime: RuntimeKind, api: SocketAddr, http: SocketAddr) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("ebb-bench-").tempdir()?;
        let child = up(ebb, dir.path(), runtime, api, http)?;
        Ok(Self { child, dir })
    }

    /// Stops it and executes it again on what it has left.
    pub(crate) fn restart(
        &mut self,
        ebb: &Path,
        runtime: RuntimeKind,
        api: SocketAddr,
        http: SocketAddr,
    ) -> Result<()> {
        self.stop()?;
        self.child = up(ebb, self.dir.path(), runtime, api, http)?;
        Ok(())
    }

    /// Kills it, as a crash would, and executes it again on what it has left.
    pub(crate) fn crash(
        &mut self,
        ebb: &Path,
        runtime: RuntimeKind,
        api: SocketAddr,
        http: SocketAddr,
    ) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        self.child = up(ebb, self.dir.path(), runtime, api, http)?;
        Ok(())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        data(self.dir.path()).join("kubeconfig")
    }

    /// What it has printed.
    pub(crate) fn output(&self) -> Result<String> {
        fs::read_to_string(self.dir.path().join("bench.out")).context("reading what ebb up prints")
    }

    /// What a person would look at when something went wrong: the end of its log.
    pub(crate) fn story(&self) -> String {
        let log = fs::read(self.dir.path().join("bench.err")).unwrap_or_default();
        let end = log.get(log.len().saturating_sub(STORY_BYTES_MAX)..).unwrap_or_default();
        format!("ebb up says: {}", String::from_utf8_lossy(end).trim())
    }

    fn stop(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let began = Instant::now();
        // Not a pause of `pace`: this must also end when everything else has been told to.
        while began.elapsed() < STOP_MAX {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.child.kill()?;
        self.child.wait()?;
        anyhow::bail!("ebb up did not stop within {} s and was killed", STOP_MAX.as_secs())
    }
}

/// What is not the platform's own would be refused in it.
fn data(dir: &Path) -> PathBuf {
    dir.join("data")
}

fn up(ebb: &Path, dir: &Path, runtime: RuntimeKind, api: SocketAddr, http: SocketAddr) -> Result<Child> {
    let mut command = Command::new(ebb);
    command.arg("up").arg("--data-dir").arg(data(dir)).args(["--runtime", runtime.name(), "--log", "warn"]);
    command.args(["--api", &api.to_string(), "--http", &http.to_string()]).env_remove("EBB_LOG");
    command.stdin(Stdio::null());
    command.stdout(File::create(dir.join("bench.out"))?);
    command.stderr(File::create(dir.join("bench.err"))?);
    command.spawn().with_context(|| format!("starting {}", ebb.display()))
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("{}: {error:#}; {}", self.dir.path().display(), self.story());
        }
    }
}
