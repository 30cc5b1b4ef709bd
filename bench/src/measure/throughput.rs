//! A warm service under load, beside the same app called directly.

use std::time::Duration;

use anyhow::Result;

use crate::{
    api::{self, Scale},
    bench::Bench,
    budget::Budget,
    load::{Loader, Served},
    platform::Platform,
    row::Row,
    samples::Samples,
};

const CONNECTIONS: [usize; 2] = [1, 32];

pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let loader = Loader::find();
    let platform = Platform::up(bench, bench.runtime())?;
    let hosts = platform.deploy(&api::names("warm", 1), Scale::One)?;
    let direct = bench.sample.serve()?;
    let long = Duration::from_secs(bench.rounds(5, 2));
    let mut rows = Vec::new();
    for connections in CONNECTIONS {
        let (mut ebb, mut peer) = (Vec::new(), Vec::new());
        for _ in 0..bench.rounds(5, 2) {
            peer.push(loader.serve(direct.address, &hosts[0], connections, long)?);
            ebb.push(loader.serve(platform.http, &hosts[0], connections, long)?);
        }
        let median =
            |all: &[Served], of: fn(&Served) -> f64| all.iter().map(of).collect::<Samples>().median();
        let row = |what: &str, unit, of| {
            let name = format!("{connections} connections, {}{what}", loader.name());
            Row::new(name, unit, median(&ebb, of), ebb.len()).against("app directly", median(&peer, of))
        };
        let served = row("", "/s", |served| served.per_second);
        rows.push(if connections == 32 { served.budget(Budget::RatioAtLeast(0.6)) } else { served });
        rows.push(row(": a request, p50", "µs", |served| served.p50));
        rows.push(row(": a request, p99", "µs", |served| served.p99));
    }
    Ok(rows)
}
