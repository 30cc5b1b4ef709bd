//! Many services from zero at the same moment: bound by the processors, so their time per start is told too.

use std::{
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};
use futures::future::try_join_all;

use super::ms;
use crate::{
    api::{self, Scale},
    bench::Bench,
    budget::Budget,
    floor::{Alone, Retry},
    http::Connection,
    pace,
    platform::{Platform, RuntimeKind},
    row::Row,
    samples::Samples,
    usage,
};

const SIZES: [usize; 2] = [20, 100];
/// Before each burst: everybody has become quiet, and the pools are full.
const SETTLE: Duration = Duration::from_secs(2);
/// After the last answer, for what a start leaves to be done.
const AFTERMATH: Duration = Duration::from_millis(300);
/// Enough for a client that reads one answer.
const STACK_BYTES: usize = 256 << 10;

pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let runtime = bench.runtime();
    let mut rows = Vec::new();
    for size in SIZES {
        rows.extend(measure(bench, runtime, size)?);
    }
    Ok(rows)
}

fn measure(bench: &Bench, runtime: RuntimeKind, size: usize) -> Result<Vec<Row>> {
    let floor = floor(bench, runtime, size)?;
    let (mut ebb, mut cpu) = (Vec::new(), Duration::ZERO);
    let rounds = bench.rounds(3, 1);
    // A platform per round: instances that stay up would take part in the next one.
    for _ in 0..rounds {
        let platform = Platform::up(bench, runtime)?;
        let hosts = platform.deploy(&api::names("burst", size), Scale::FromZero)?;
        pace::pause(SETTLE)?;
        let before = usage::cpu_of_tree(platform.pid())?;
        ebb.extend(at_once(&platform, &hosts)?);
        pace::pause(AFTERMATH)?;
        cpu += usage::cpu_of_tree(platform.pid())?.saturating_sub(before);
    }
    let samples = |times: Vec<Duration>| times.into_iter().map(ms).collect::<Samples>();
    let (ebb, floor) = (samples(ebb), samples(floor));
    let row = |percent| {
        let row = Row::percentile(&format!("{size} at once"), "ms", &ebb, percent);
        row.against("runtime alone", floor.percentile(percent))
    };
    let per_start = ms(cpu) / (size * rounds) as f64;
    let bounded = if size == 100 { row(95).budget(Budget::AtMost(500.0)) } else { row(95) };
    let what = format!("{size} at once: processor time per start, keeper and app included");
    Ok(vec![row(50), bounded, row(100), Row::new(what, "ms", per_start, size * rounds)])
}

/// Every service is called at the same moment, over connections that are open already.
fn at_once(platform: &Platform, hosts: &[String]) -> Result<Vec<Duration>> {
    let ready = Arc::new(Barrier::new(hosts.len()));
    let client = |host: &String| {
        let mut connection = Connection::open(platform.http, host, "/")?;
        let ready = Arc::clone(&ready);
        anyhow::Ok(move || {
            ready.wait();
            anyhow::Ok(connection.call()?.ok()?.first_byte)
        })
    };
    // All connections first: a client that cannot connect would leave the others at the barrier.
    let clients = hosts.iter().map(client).collect::<Result<Vec<_>>>()?;
    let spawn = |client| thread::Builder::new().stack_size(STACK_BYTES).spawn(client);
    let threads = clients.into_iter().map(spawn).collect::<std::io::Result<Vec<_>>>()?;
    let join = |thread: thread::JoinHandle<Result<Duration>>| {
        thread.join().map_err(|_| anyhow!("a client's thread panicked"))?
    };
    threads.into_iter().map(join).collect()
}

/// As many starts at once in the runtime alone.
fn floor(bench: &Bench, runtime: RuntimeKind, size: usize) -> Result<Vec<Duration>> {
    let alone = Alone::start(bench, runtime)?;
    pace::pause(SETTLE)?;
    let began = Instant::now();
    let start = |number: usize| {
        let starter = alone.starter();
        let start = async move {
            starter.first_byte(&format!("burst-{number}"), Retry::Coarse).await?;
            anyhow::Ok(began.elapsed())
        };
        bench.tokio.spawn(start)
    };
    let starts: Vec<_> = (0..size).map(start).collect();
    bench.tokio.block_on(try_join_all(starts))?.into_iter().collect()
}
