//! Ten thousand services that nobody uses.

use std::{
    ffi::OsStr,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use super::idle::idle;
use crate::{
    api::{self, Scale},
    bench::Bench,
    budget::Budget,
    platform::Platform,
    row::Row,
};

/// Sent at once, as somebody does who moves from one cluster to another.
const SERVICES: usize = 10_000;

pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let mut platform = Platform::up(bench, bench.runtime())?;
    let services = bench.rounds(SERVICES, SERVICES / 10);
    let began = Instant::now();
    let hosts = platform.deploy(&api::names("crowd", services), Scale::BackToZero)?;
    let ready = began.elapsed();
    let quiet = idle(&platform, &hosts[0], bench.rounds(60, 10), bench.rounds(60, 10))?;
    let listed = list(&platform, bench, services)?;
    let began = Instant::now();
    platform.restart()?;
    let restarted = began.elapsed();

    let row = |what: &str, unit, value| Row::new(format!("{services} services: {what}"), unit, value, 1);
    Ok(vec![
        row("all Ready", "s", ready.as_secs_f64()).budget(Budget::AtMost(60.0)),
        row("memory at zero (PSS)", "MB", quiet.megabytes()).budget(Budget::AtMost(300.0)),
        row("processor at zero", "% of a core", quiet.percent_of_a_core()).budget(Budget::AtMost(2.0)),
        row("ebb service list", "s", listed.as_secs_f64()),
        row("stopped and up again", "s", restarted.as_secs_f64()),
    ])
}

fn list(platform: &Platform, bench: &Bench, services: usize) -> Result<Duration> {
    let began = Instant::now();
    let lines = platform.user(bench, &["service", "list"].map(OsStr::new))?.lines().count();
    ensure!(lines > services, "ebb service list has {lines} lines for {services} services");
    Ok(began.elapsed())
}
