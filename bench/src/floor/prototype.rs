//! The floor of an isolated start: `prototype.c`, the least that makes what a container is.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::sample::Sample;

const SOURCE: &str = include_str!("prototype.c");

/// A running prototype; it ends, with what it made, when dropped.
pub(crate) struct Prototype {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// What its containers write.
    _dir: TempDir,
}

impl Prototype {
    /// Compiles and starts it. Needs root and a C compiler, as building Ebb does.
    pub(crate) fn start(sample: &Sample) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("ebb-bench-prototype-").tempdir()?;
        let (program, work) = (dir.path().join("prototype"), dir.path().join("work"));
        std::fs::create_dir(&work)?;
        let mut compiler = Command::new("cc")
            .args(["-O2", "-x", "c", "-", "-o"])
            .arg(&program)
            .stdin(Stdio::piped())
            .spawn()?;
        compiler.stdin.take().context("the compiler's input")?.write_all(SOURCE.as_bytes())?;
        ensure!(compiler.wait()?.success(), "cc could not compile the prototype");
        let mut command = Command::new(&program);
        command.arg(sample.rootfs()).arg(&work).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("starting the prototype")?;
        let (orders, answers) = (child.stdin.take(), child.stdout.take().context("the prototype's output")?);
        let mut prototype = Self { child, orders, answers: BufReader::new(answers), _dir: dir };
        ensure!(prototype.answer()? == "ready", "the prototype is not ready");
        Ok(prototype)
    }

    /// One start, from "go" until the first byte of the app's answer.
    pub(crate) fn first_byte(&mut self) -> Result<Duration> {
        self.orders.as_mut().context("the prototype has ended")?.write_all(b"\n")?;
        let answer = self.answer()?;
        let us: f64 = answer.parse().with_context(|| format!("the prototype says {answer:?}"))?;
        Ok(Duration::from_secs_f64(us / 1e6))
    }

    fn answer(&mut self) -> Result<String> {
        let mut line = String::new();
        ensure!(self.answers.read_line(&mut line)? > 0, "the prototype has ended");
        Ok(line.trim().to_owned())
    }
}

impl Drop for Prototype {
    fn drop(&mut self) {
        // It ends by itself when there are no more orders, and its container with it.
        self.orders = None;
        let _ = self.child.wait();
    }
}
