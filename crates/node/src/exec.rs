//! Commands that are run in containers: a program of the runtime's, with the streams that go to it and come from it.

mod stream;

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use resources::Object;
use resources::builtin::Pod;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::termios::{Winsize, tcsetwinsize};

pub use self::stream::ExecStream;
use crate::pod::container_id;
use crate::runtime::{ContainerId, ExecSpec, Executed, Exit, Runtime, RuntimeError};

/// A command, and which of its streams are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecCommand {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Whether it reads what is written to [`Exec::stdin`]; otherwise it reads nothing.
    pub stdin: bool,
    /// Whether its output is read; otherwise it goes nowhere.
    pub stdout: bool,
    /// The same of its standard error. With a terminal there is none.
    pub stderr: bool,
    /// Whether it gets a terminal.
    pub tty: bool,
}

/// A command that runs. It is killed when this is dropped before its end.
#[derive(Debug)]
pub struct Exec {
    /// What it reads; its end is when this is dropped, but a terminal has none.
    pub stdin: Option<ExecStream>,
    /// What it writes.
    pub stdout: Option<ExecStream>,
    /// What it writes as errors.
    pub stderr: Option<ExecStream>,
    /// Itself.
    pub program: ExecProgram,
}

/// The program of a command.
#[derive(Debug)]
pub struct ExecProgram {
    executed: Executed,
    terminal: Option<OwnedFd>,
}

/// Runs a command in a run of a pod's container. `run` is how many runs came before that one.
pub async fn exec(
    runtime: &dyn Runtime,
    pod: &Pod,
    container: &str,
    run: u32,
    command: ExecCommand,
) -> Result<Exec, RuntimeError> {
    debug_assert!(!pod.uid().is_empty());
    in_container(runtime, &container_id(pod, container, run), command).await
}

/// Runs a command in a container.
pub(crate) async fn in_container(
    runtime: &dyn Runtime,
    id: &ContainerId,
    command: ExecCommand,
) -> Result<Exec, RuntimeError> {
    let plumbing = |error| RuntimeError::io("making the streams of a program", error);
    let ExecCommand { argv, stdin, stdout, stderr, tty } = command;
    if tty {
        let mut executed = runtime.exec(id, ExecSpec { argv, stdio: None }).await?;
        let terminal = executed.terminal.take().ok_or(RuntimeError::KeeperGone)?;
        let end = |wanted: bool| wanted.then(|| terminal.try_clone().and_then(ExecStream::new)).transpose();
        let (stdin, stdout) = (end(stdin).map_err(plumbing)?, end(stdout).map_err(plumbing)?);
        let program = ExecProgram { executed, terminal: Some(terminal) };
        return Ok(Exec { stdin, stdout, stderr: None, program });
    }
    let pipe = |wanted: bool, is_input: bool| -> io::Result<(OwnedFd, Option<ExecStream>)> {
        if !wanted {
            return Ok((openat(CWD, "/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?, None));
        }
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
        let (theirs, ours) = if is_input { (reader, writer) } else { (writer, reader) };
        Ok((theirs, Some(ExecStream::new(ours)?)))
    };
    let (input, stdin) = pipe(stdin, true).map_err(plumbing)?;
    let (output, stdout) = pipe(stdout, false).map_err(plumbing)?;
    let (errors, stderr) = pipe(stderr, false).map_err(plumbing)?;
    let executed = runtime.exec(id, ExecSpec { argv, stdio: Some([input, output, errors]) }).await?;
    Ok(Exec { stdin, stdout, stderr, program: ExecProgram { executed, terminal: None } })
}

impl ExecProgram {
    /// Waits for its end. What it wrote before may still be on its way.
    pub async fn wait(&self) -> Result<Exit, RuntimeError> {
        self.executed.wait().await
    }

    /// Says how large the terminal is that is shown to somebody.
    pub fn resize(&self, columns: u16, rows: u16) -> io::Result<()> {
        let Some(terminal) = &self.terminal else { return Ok(()) };
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        Ok(tcsetwinsize(terminal.as_fd(), size)?)
    }
}
