//! What the platform costs while nobody uses it.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::{
    api::{self, Scale},
    bench::Bench,
    budget::Budget,
    http, pace,
    platform::Platform,
    row::Row,
    usage::{self, Usage},
};

/// By then what is bounded, such as caches and recent changes, is full: what comes on top belongs to the services.
const HALF: usize = 500;
const MANY: usize = 1000;
/// After the last watch of ours has ended, at the least.
const SETTLE: Duration = Duration::from_secs(2);

pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let platform = Platform::up(bench, bench.runtime())?;
    let hosts = platform.deploy(&api::names("called", 1), Scale::BackToZero)?;
    let watch = |quiet: u64, long: u64| idle(&platform, &hosts[0], quiet, long);
    let (quiet, long) = (bench.rounds(60, 10), bench.rounds(30, 10));

    let one = watch(quiet, long)?;
    let began = Instant::now();
    platform.deploy(&api::names("first", HALF - 1), Scale::BackToZero)?;
    let mut deployed = began.elapsed();
    let half = watch(10, 1)?;
    let began = Instant::now();
    platform.deploy(&api::names("second", MANY - HALF), Scale::BackToZero)?;
    deployed += began.elapsed();
    let many = watch(quiet, long)?;

    let (mb, share) = (Idle::megabytes, Idle::percent_of_a_core);
    let added = (mb(&many) - mb(&half)) * 1e3 / (MANY - HALF) as f64;
    let row = |what: &str, unit, value| Row::new(what, unit, value, 1);
    Ok(vec![
        row("1 service at zero: memory (PSS)", "MB", mb(&one)).budget(Budget::AtMost(50.0)),
        row("1 service at zero: processor", "% of a core", share(&one)),
        row("500 services at zero: memory (PSS)", "MB", mb(&half)),
        row("1,000 services at zero: memory (PSS)", "MB", mb(&many)),
        row("1,000 services at zero: processor", "% of a core", share(&many)).budget(Budget::AtMost(2.0)),
        row("a service at zero, 501st to 1,000th: memory", "kB", added).budget(Budget::AtMost(24.0)),
        row("999 services: all Ready", "s", deployed.as_secs_f64()),
        row("daemon, keeper and pool", "processes", many.usage.processes as f64),
    ])
}

/// A platform while nobody uses it.
pub(super) struct Idle {
    usage: Usage,
    cpu: Duration,
    watched: Duration,
}

impl Idle {
    pub(super) fn megabytes(&self) -> f64 {
        self.usage.pss as f64 / 1e6
    }

    pub(super) fn percent_of_a_core(&self) -> f64 {
        self.cpu.as_secs_f64() / self.watched.as_secs_f64() * 100.0
    }
}

/// Calls a service once, lets it fall to zero, and when it has been `quiet` for so many seconds watches for `long`.
pub(super) fn idle(platform: &Platform, host: &str, quiet: u64, long: u64) -> Result<Idle> {
    http::get(platform.http, host, "/")?;
    let called = Instant::now();
    platform.with_client(async |client| api::at_zero(client).await)?;
    pace::pause(Duration::from_secs(quiet).saturating_sub(called.elapsed()).max(SETTLE))?;
    let before = usage::running_of_tree(platform.pid())?;
    let began = Instant::now();
    pace::pause(Duration::from_secs(long))?;
    let cpu = usage::running_of_tree(platform.pid())?.saturating_sub(before);
    Ok(Idle { cpu, watched: began.elapsed(), usage: usage::of_tree(platform.pid())? })
}
