//! The machine, and how busy others keep it: what a figure must be read with.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::usage;

/// What the machine is, in one line.
pub(crate) fn description() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown");
    let kernel = rustix::system::uname();
    let model = model.trim_start_matches([' ', '\t', ':']);
    format!("{cores} × {model}, Linux {}", kernel.release().to_string_lossy())
}

/// Watches the machine during one measurement.
pub(crate) struct Watch {
    began: Instant,
    load: f64,
    busy: Duration,
    own: Duration,
}

/// What was seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    took: Duration,
    /// Load average of the last minute, at the beginning and at the end.
    load: (f64, f64),
    /// Processors that were busy with neither us nor what we had started.
    others: f64,
}

impl Watch {
    pub(crate) fn start() -> Result<Self> {
        Ok(Self { began: Instant::now(), load: load()?, busy: busy()?, own: own()? })
    }

    pub(crate) fn stop(&self) -> Result<Seen> {
        let took = self.began.elapsed();
        let (busy, own) = (busy()? - self.busy, own()?.saturating_sub(self.own));
        let others = busy.saturating_sub(own).as_secs_f64() / took.as_secs_f64();
        Ok(Seen { took, load: (self.load, load()?), others })
    }
}

impl Seen {
    pub(crate) fn line(&self) -> String {
        let Self { took, load: (before, after), others } = self;
        let took = took.as_secs_f64();
        format!("{took:.0} s, load average {before:.2} → {after:.2}, others kept {others:.2} processors busy")
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "seconds": self.took.as_secs_f64(),
            "load_before": self.load.0,
            "load_after": self.load.1,
            "others_processors": self.others,
        })
    }
}

fn load() -> Result<f64> {
    let text = fs::read_to_string("/proc/loadavg").context("reading /proc/loadavg")?;
    let first = text.split(' ').next().unwrap_or_default();
    first.parse().with_context(|| format!("/proc/loadavg says {text:?}"))
}

/// Processor time that was not idle, of all processors since the boot.
fn busy() -> Result<Duration> {
    let text = fs::read_to_string("/proc/stat").context("reading /proc/stat")?;
    let ticks = parse_busy(&text).context("/proc/stat has no line `cpu`")?;
    Ok(usage::ticks_to_time(ticks))
}

/// All but idle and iowait, the fourth and fifth; guests, the last two, are in the first two already.
fn parse_busy(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let fields = line.split_whitespace().take(8).enumerate();
    fields.filter(|(at, _)| *at != 3 && *at != 4).map(|(_, ticks)| ticks.parse::<u64>().ok()).sum()
}

fn own() -> Result<Duration> {
    usage::cpu_of_tree(std::process::id())
}

#[cfg(test)]
mod tests {
    #[test]
    fn busy_is_what_is_not_idle() {
        assert_eq!(
            super::parse_busy("cpu  1 2 4 8 16 32 64 128 256 512\ncpu0 9\n"),
            Some(1 + 2 + 4 + 32 + 64 + 128)
        );
        assert_eq!(super::parse_busy("intr 1\n"), None);
    }
}
