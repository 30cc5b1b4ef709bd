//! A warm service under load, beside the same app called directly.

use std::time::Duration;

use anyhow::Result;

use crate::{
    api::{self, Scale},
    bench::Bench,
    budget::Budget,
    load::Loader,
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
            peer.push(loader.per_second(direct.address, &hosts[0], connections, long)?);
            ebb.push(loader.per_second(platform.http, &hosts[0], connections, long)?);
        }
        let (ebb, peer): (Samples, Samples) = (ebb.into_iter().collect(), peer.into_iter().collect());
        let what = format!("{connections} connections, {}", loader.name());
        let row = Row::new(what, "/s", ebb.median(), ebb.n()).against("app directly", peer.median());
        rows.push(if connections == 32 { row.budget(Budget::RatioAtLeast(0.6)) } else { row });
    }
    Ok(rows)
}
