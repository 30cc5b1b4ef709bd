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

const MANY: usize = 1000;

pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let platform = Platform::up(bench, bench.runtime())?;
    let hosts = platform.deploy(&api::names("called", 1), Scale::BackToZero)?;
    let one = idle(bench, &platform, &hosts[0])?;
    let began = Instant::now();
    platform.deploy(&api::names("idle", MANY - 1), Scale::BackToZero)?;
    let deployed = began.elapsed();
    let many = idle(bench, &platform, &hosts[0])?;

    let mb = |idle: &Idle| idle.usage.pss as f64 / 1e6;
    let share = |idle: &Idle| idle.cpu.as_secs_f64() / idle.watched.as_secs_f64() * 100.0;
    let per_service = (many.usage.pss as f64 - one.usage.pss as f64) / (MANY - 1) as f64 / 1e3;
    let row = |what: &str, unit, value| Row::new(what, unit, value, 1);
    Ok(vec![
        row("1 service at zero: memory (PSS)", "MB", mb(&one)).budget(Budget::AtMost(50.0)),
        row("1 service at zero: processor", "% of a core", share(&one)),
        row("1,000 services at zero: memory (PSS)", "MB", mb(&many)),
        row("1,000 services at zero: processor", "% of a core", share(&many)).budget(Budget::AtMost(2.0)),
        row("an idle service: memory", "kB", per_service).budget(Budget::AtMost(24.0)),
        row("999 further services: all Ready", "s", deployed.as_secs_f64()),
        row("processes", "", many.usage.processes as f64),
    ])
}

struct Idle {
    usage: Usage,
    cpu: Duration,
    watched: Duration,
}

/// Calls a service once, lets it fall to zero, and watches when enough time has passed since.
fn idle(bench: &Bench, platform: &Platform, host: &str) -> Result<Idle> {
    http::get(platform.http, host, "/")?;
    let called = Instant::now();
    platform.with_client(async |client| api::at_zero(client).await)?;
    let quiet = Duration::from_secs(bench.rounds(60, 10));
    // Also after the watch for the last pod has ended.
    pace::pause(quiet.saturating_sub(called.elapsed()).max(Duration::from_secs(2)))?;
    let before = usage::cpu_of_tree(platform.pid())?;
    let began = Instant::now();
    pace::pause(Duration::from_secs(bench.rounds(30, 10)))?;
    let cpu = usage::cpu_of_tree(platform.pid())?.saturating_sub(before);
    Ok(Idle { cpu, watched: began.elapsed(), usage: usage::of_tree(platform.pid())? })
}
