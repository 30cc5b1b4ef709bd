//! Running other programs: plainly, or watched (their output as it comes, a time limit on the whole group).

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

/// From the polite signal to the final one.
const GRACE: Duration = Duration::from_secs(5);
/// For the output of a program that has exited to end too.
const OUTPUT_GRACE: Duration = Duration::from_secs(2);
/// Pieces of output read and not yet looked at.
const BACKLOG_MAX: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// How a watched program ended.
#[derive(Debug)]
pub(crate) enum End {
    Exited(ExitStatus),
    /// It exited, and something it started still held its output after the grace; that was killed.
    LeftProcesses(ExitStatus),
    TimedOut,
    /// We were asked to stop (Ctrl-C, SIGTERM).
    Interrupted,
}

enum Event {
    Output(Stream, Vec<u8>),
    Closed,
    Exited(std::io::Result<ExitStatus>),
    Interrupted,
}

/// Runs a program with our own input and output; an unsuccessful exit is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {}", shown(command)))?;
    ensure!(status.success(), "{} failed ({status})", shown(command));
    Ok(())
}

/// Runs a program and returns what it wrote to stdout; an unsuccessful exit is an error with its stderr.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot run {}", shown(command)))?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} failed ({}): {}", shown(command), output.status, stderr.trim());
    String::from_utf8(output.stdout).with_context(|| format!("{} wrote what is not UTF-8", shown(command)))
}

/// Runs a program in a process group of its own, handing its output on as it comes. When `limit` has passed,
/// or when we are told to stop, the whole group is ended. Nothing the program started in its group survives.
pub(crate) fn watch(
    command: &mut Command,
    limit: Duration,
    mut output: impl FnMut(Stream, &[u8]),
) -> Result<End> {
    let mut child = command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    let group = Pid::from_child(&child);
    let (events, received) = sync_channel(BACKLOG_MAX);
    // A group of its own does not hear the terminal's Ctrl-C, so we do, and pass it on.
    let signals = forward_signals(events.clone())?;
    forward_output(Stream::Stdout, child.stdout.take(), events.clone());
    forward_output(Stream::Stderr, child.stderr.take(), events.clone());
    forward_exit(child, events);
    let end = follow(group, &received, limit, &mut output);
    signals.close();
    end
}

fn follow(
    group: Pid,
    received: &Receiver<Event>,
    limit: Duration,
    output: &mut impl FnMut(Stream, &[u8]),
) -> Result<End> {
    let mut deadline = now() + limit;
    let mut open_streams = 2;
    let mut exited = None;
    let mut stopped: Option<End> = None;
    loop {
        if let Some(status) = exited.filter(|_| open_streams == 0) {
            // Also what closed its output and stayed: a test leaves nothing behind.
            end_group(group, Signal::KILL);
            return Ok(stopped.unwrap_or(End::Exited(status)));
        }
        match received.recv_timeout(deadline.saturating_duration_since(now())) {
            Ok(Event::Output(stream, bytes)) => output(stream, &bytes),
            Ok(Event::Closed) => open_streams -= 1,
            Ok(Event::Exited(status)) => {
                exited = Some(status.context("cannot wait for a program")?);
                deadline = now() + OUTPUT_GRACE;
            }
            Ok(Event::Interrupted) if stopped.is_none() => {
                end_group(group, Signal::TERM);
                stopped = Some(End::Interrupted);
                deadline = now() + GRACE;
            }
            Ok(Event::Interrupted) => end_group(group, Signal::KILL),
            Err(RecvTimeoutError::Timeout) => match (exited, stopped.take()) {
                (None, None) => {
                    end_group(group, Signal::TERM);
                    stopped = Some(End::TimedOut);
                    deadline = now() + GRACE;
                }
                (exited, stopped) => {
                    end_group(group, Signal::KILL);
                    return Ok(stopped.or(exited.map(End::LeftProcesses)).unwrap_or(End::TimedOut));
                }
            },
            Err(RecvTimeoutError::Disconnected) => {
                anyhow::bail!("a thread that watched a program is gone");
            }
        }
    }
}

fn forward_output(stream: Stream, source: Option<impl Read + Send + 'static>, events: SyncSender<Event>) {
    let Some(mut source) = source else { return };
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(length @ 1..) = source.read(&mut buffer) {
            if events.send(Event::Output(stream, buffer[..length].to_vec())).is_err() {
                return;
            }
        }
        // Nobody listens any more once the program was given up on.
        let _ = events.send(Event::Closed);
    });
}

fn forward_exit(mut child: Child, events: SyncSender<Event>) {
    thread::spawn(move || {
        let _ = events.send(Event::Exited(child.wait()));
    });
}

fn forward_signals(events: SyncSender<Event>) -> Result<Handle> {
    let mut signals = Signals::new([SIGINT, SIGTERM]).context("cannot listen for signals")?;
    let handle = signals.handle();
    thread::spawn(move || {
        for _ in signals.forever() {
            if events.send(Event::Interrupted).is_err() {
                return;
            }
        }
    });
    Ok(handle)
}

/// The group may be gone already, which is what we want.
fn end_group(group: Pid, signal: Signal) {
    let _ = kill_process_group(group, signal);
}

#[expect(clippy::disallowed_methods, reason = "the limit of a watched program is real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    format!("`{}`", words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(script: &str, limit: Duration) -> (End, String) {
        let mut heard = String::new();
        let mut shell = Command::new("sh");
        let end = watch(shell.args(["-c", script]), limit, |_, bytes| {
            heard.push_str(&String::from_utf8_lossy(bytes));
        });
        (end.unwrap(), heard)
    }

    #[test]
    fn output_of_both_streams_arrives_and_the_status_is_kept() {
        let (end, heard) = check("echo out; echo err >&2; exit 3", Duration::from_secs(60));
        assert!(matches!(end, End::Exited(status) if status.code() == Some(3)), "{end:?}");
        assert!(heard.contains("out") && heard.contains("err"), "{heard}");
    }

    #[test]
    fn a_hanging_program_is_ended_with_its_children() {
        let (end, heard) = check("echo begun; sleep 600 & wait", Duration::from_millis(300));
        assert!(matches!(end, End::TimedOut), "{end:?}");
        assert_eq!(heard, "begun\n");
    }

    #[test]
    fn a_child_left_behind_is_noticed() {
        let (end, _) = check("sleep 600 & exit 0", Duration::from_secs(60));
        assert!(matches!(end, End::LeftProcesses(status) if status.success()), "{end:?}");
    }
}
