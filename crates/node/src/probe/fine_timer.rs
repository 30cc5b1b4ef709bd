//! A timer finer than tokio's, whose unit is a millisecond: a start is over in two.

use std::{io, time::Duration};

use rustix::{
    fd::OwnedFd,
    time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    },
};
use tokio::io::unix::AsyncFd;

use crate::runtime::sys::watch;

/// A timer descriptor of the kernel's.
pub(crate) struct FineTimer(AsyncFd<OwnedFd>);

impl FineTimer {
    /// A timer that is not set.
    pub(crate) fn new() -> io::Result<Self> {
        let timer =
            timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        Ok(Self(watch(timer)?))
    }

    /// Waits as long, to a few tens of microseconds.
    pub(crate) async fn wait(&mut self, wait: Duration) -> io::Result<()> {
        // Zero would disarm it.
        let nanoseconds = wait.subsec_nanos().max(u32::from(wait.as_secs() == 0));
        let value = Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: nanoseconds.into() };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
        timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &once)?;
        loop {
            let mut ready = self.0.readable().await?;
            let mut expirations = [0u8; 8];
            if ready.try_io(|timer| Ok(rustix::io::read(timer.get_ref(), &mut expirations)?)).is_ok() {
                return Ok(());
            }
        }
    }
}
