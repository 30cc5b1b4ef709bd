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
use crate::story;

/// The longest that a stop may take.
const STOP_MAX: Duration = Duration::from_secs(30);

/// A running `ebb up`, its data directory and, beside that, what it prints; all are gone when this is dropped.
pub(crate) struct Daemon {
    up: Up,
    child: Child,
    dir: TempDir,
}

/// How it is executed.
struct Up {
    ebb: PathBuf,
    runtime: RuntimeKind,
    api: SocketAddr,
    http: SocketAddr,
}

impl Daemon {
    /// Executes it on an empty data directory.
    pub(crate) fn spawn(ebb: &Path, runtime: RuntimeKind, api: SocketAddr, http: SocketAddr) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("ebb-bench-").tempdir()?;
        let up = Up { ebb: ebb.to_owned(), runtime, api, http };
        let child = up.execute(dir.path())?;
        Ok(Self { up, child, dir })
    }

    /// Stops it and executes it again on what it has left.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.again()
    }

    /// Kills it, as a crash would, and executes it again on what it has left.
    pub(crate) fn crash(&mut self) -> Result<()> {
        self.kill()?;
        self.again()
    }

    fn again(&mut self) -> Result<()> {
        self.child = self.up.execute(self.dir.path())?;
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
        format!("ebb up says: {}", story::end_of(&self.dir.path().join("bench.err")))
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
        self.kill()?;
        anyhow::bail!("ebb up did not stop within {} s and was killed", STOP_MAX.as_secs())
    }

    fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Up {
    fn execute(&self, dir: &Path) -> Result<Child> {
        let Self { ebb, runtime, api, http } = self;
        let mut command = Command::new(ebb);
        command.arg("up").arg("--data-dir").arg(data(dir)).args([
            "--runtime",
            runtime.name(),
            "--log",
            "warn",
        ]);
        command.args(["--api", &api.to_string(), "--http", &http.to_string()]).env_remove("EBB_LOG");
        command.stdin(Stdio::null());
        command.stdout(File::create(dir.join("bench.out"))?);
        command.stderr(File::create(dir.join("bench.err"))?);
        command.spawn().with_context(|| format!("starting {}", ebb.display()))
    }
}

/// What is not the platform's own would be refused in it.
fn data(dir: &Path) -> PathBuf {
    dir.join("data")
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("{}: {error:#}; {}", self.dir.path().display(), self.story());
        }
    }
}
