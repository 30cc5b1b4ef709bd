//! What the user asks of the running process.

use anyhow::{Context, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that are listened to, from now on until the process ends.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hand_over: Signal,
    /// A hand-over was asked for when it could not be done yet.
    hand_over_later: bool,
}

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// SIGTERM, SIGINT: end, and leave nothing behind.
    Stop,
    /// SIGUSR2: end, and leave containers and sockets to the next daemon.
    HandOver,
}

impl Signals {
    pub(crate) fn listen() -> Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("listening for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("listening for SIGINT")?,
            hand_over: signal(SignalKind::user_defined2()).context("listening for SIGUSR2")?,
            hand_over_later: false,
        })
    }

    /// Waits for the next one, or says what was put off.
    pub(crate) async fn next(&mut self) -> Asked {
        if std::mem::take(&mut self.hand_over_later) { Asked::HandOver } else { self.heard().await }
    }

    async fn heard(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.hand_over.recv() => Asked::HandOver,
        }
    }

    /// Waits until it is asked to stop; a hand-over is put off.
    pub(crate) async fn stop(&mut self) {
        while self.heard().await != Asked::Stop {
            self.hand_over_later = true;
        }
    }

    /// As [`Signals::stop`], unless that was asked before.
    pub(crate) async fn stop_unless(&mut self, told: bool) {
        if !told {
            self.stop().await;
        }
    }
}
