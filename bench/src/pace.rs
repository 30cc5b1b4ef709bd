//! Time between measurements: idle gaps, waits for a condition, and the end when somebody asks for it.

use std::{
    sync::{Arc, LazyLock, atomic::AtomicBool, atomic::Ordering},
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use signal_hook::consts::{SIGINT, SIGTERM};

/// Between starts, so that each finds caches as cold as in real life: back to back flatters by 2–8 times.
const GAP_MS: std::ops::Range<f64> = 1.0..50.0;
/// How long a pause may go on after a signal.
const LOOK: Duration = Duration::from_millis(100);

static STOP: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// From now on a signal ends the next pause with an error, so that everything is dropped and thereby stopped.
pub(crate) fn stop_on_signals() -> Result<()> {
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&STOP))?;
    }
    Ok(())
}

/// Whether somebody has asked for the end.
pub(crate) fn interrupted() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// An error when somebody has asked for the end.
pub(crate) fn go_on() -> Result<()> {
    if interrupted() {
        bail!("interrupted");
    }
    Ok(())
}

/// Sleeps; an error when somebody asks for the end.
pub(crate) fn pause(time: Duration) -> Result<()> {
    let end = Instant::now() + time;
    while let Some(piece) = piece(end)? {
        std::thread::sleep(piece);
    }
    Ok(())
}

/// As [`pause`], while what is asynchronous goes on: a connection of ours answers the server's pings.
pub(crate) async fn rest(time: Duration) -> Result<()> {
    let end = Instant::now() + time;
    while let Some(piece) = piece(end)? {
        tokio::time::sleep(piece).await;
    }
    Ok(())
}

/// How long to sleep before the next look whether somebody asks for the end; `None` when the time is over.
fn piece(end: Instant) -> Result<Option<Duration>> {
    go_on()?;
    let left = end.saturating_duration_since(Instant::now());
    Ok((!left.is_zero()).then(|| left.min(LOOK)))
}

/// Looks every `interval` until there is something; an error when that takes longer than `at_most`.
pub(crate) fn until<T>(
    what: &str,
    interval: Duration,
    at_most: Duration,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let began = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if began.elapsed() > at_most {
            bail!("waited {} s for {what}, in vain", at_most.as_secs());
        }
        pause(interval)?;
    }
}

/// Idle gaps, random but the same for the same seed.
pub(crate) struct Pace {
    rng: SmallRng,
}

impl Pace {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self { rng: SmallRng::seed_from_u64(seed) }
    }

    /// Sleeps for the next gap.
    pub(crate) fn gap(&mut self) -> Result<()> {
        pause(self.next())
    }

    /// Log-uniform: short gaps are as frequent as long ones are.
    fn next(&mut self) -> Duration {
        let exponent = self.rng.random_range(GAP_MS.start.ln()..GAP_MS.end.ln());
        Duration::from_secs_f64(exponent.exp() / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_repeat_and_stay_within_their_range() {
        let gaps = |seed| {
            let mut pace = Pace::seeded(seed);
            (0..1000).map(|_| pace.next()).collect::<Vec<_>>()
        };
        assert_eq!(gaps(1), gaps(1));
        assert_ne!(gaps(1), gaps(2));
        let ms = |gap: &Duration| gap.as_secs_f64() * 1000.0;
        assert!(gaps(1).iter().all(|gap| (0.99..50.01).contains(&ms(gap))));
        let short = gaps(1).iter().filter(|gap| ms(gap) < 7.07).count();
        assert!((400..600).contains(&short), "{short} of 1000 below the middle of the logarithm");
    }
}
