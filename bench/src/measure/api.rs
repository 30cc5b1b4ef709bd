//! The embedded API beside etcd + kube-apiserver: the same client, the same objects, the same disk, in turns.

mod recovery;
mod side;
mod watchers;

use std::{
    env,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use rustix::fs::{FsWord, statfs};
use serde_json::Value;
use tokio::runtime::Builder;

use self::{
    side::{LISTED, MANY, Side, WRITTEN},
    watchers::Watchers,
};
use super::ms;
use crate::{
    bench::Bench,
    budget::Budget,
    pace,
    peer::{PEER, Peer},
    row::Row,
    samples::Samples,
};

/// Requests in a row before it is the other's turn.
const TURN: usize = 100;
/// The first turns of both are not counted.
const WARM_UP: usize = 1;
/// Clients that write at once, and how often each does in a turn.
const WRITERS: usize = 32;
const WRITER_TURN: usize = 10;
/// An object that is written and read.
const WRITTEN_BYTES: usize = 2_000;
/// Objects that are listed, and what each holds.
const LISTED_COUNT: usize = 10_000;
const LISTED_BYTES: usize = 1_000;
/// Objects that are there when a server is killed.
const MANY_COUNT: usize = 100_000;
const WATCHERS: usize = 1_000;
/// Before what is used at rest is looked at: garbage is collected, watches have begun.
const SETTLE: Duration = Duration::from_secs(5);
/// Between two writes that all watchers are told of.
const WRITE_GAP: Duration = Duration::from_millis(20);
/// What `statfs` says of a tmpfs (Linux: `linux/magic.h`).
const TMPFS_MAGIC: FsWord = 0x0102_1994;

pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    // One thread: what is timed is a server and not threads of ours that wake each other.
    Builder::new_current_thread().enable_all().build()?.block_on(measure(bench))
}

async fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let mut sides = sides(bench).await?;
    let mut rows = requests(bench, &sides).await?;
    rows.push(memory(&sides).await?);
    let lists = turns(&sides, bench.rounds(20, 5), list).await?;
    rows.push(percentile("list of 10,000 objects of 1 kB", &lists, 50).budget(Budget::RatioAtMost(0.5)));
    rows.extend(watched(bench, &sides).await?);
    rows.push(recovered(bench, &mut sides).await?);
    Ok(rows)
}

/// Ours, and behind it the peer where there can be one.
async fn sides(bench: &Bench) -> Result<Vec<Side>> {
    if is_in_memory(&env::temp_dir()) {
        eprintln!("note: {} is in memory, where fsync costs nothing", env::temp_dir().display());
    }
    // It may have to be built, so it comes first: nobody waits for it over an open connection.
    let peer = Peer::start();
    pace::go_on()?;
    let mut sides = vec![Side::ebb(bench).await?];
    match peer {
        Ok(peer) => sides.push(Side::peer(peer).await.context(PEER)?),
        Err(error) => eprintln!("skipped: {PEER}: {error:#}; nothing to hold the API against"),
    }
    Ok(sides)
}

fn is_in_memory(dir: &Path) -> bool {
    statfs(dir).is_ok_and(|found| found.f_type == TMPFS_MAGIC)
}

async fn requests(bench: &Bench, sides: &[Side]) -> Result<Vec<Row>> {
    for side in sides {
        for number in 0..WRITERS {
            side.create(WRITTEN, &name(number), WRITTEN_BYTES).await?;
        }
    }
    let one = turns(sides, bench.rounds(20, 5), puts).await?;
    let many = turns(sides, bench.rounds(20, 5), puts_at_once).await?;
    let gets = turns(sides, bench.rounds(20, 5), gets).await?;
    let bound = Budget::RatioAtMost(0.25);
    Ok(vec![
        percentile("put of 2 kB, one after the other", &one, 50).budget(bound),
        percentile("put of 2 kB, one after the other", &one, 99),
        percentile("put of 2 kB, 32 at once", &many, 50).budget(bound),
        percentile("get of 2 kB", &gets, 50),
    ])
}

/// Has the sides take turns; returns what was measured of each.
async fn turns(
    sides: &[Side],
    count: usize,
    turn: impl AsyncFn(&Side, usize) -> Result<Vec<f64>>,
) -> Result<Vec<Samples>> {
    let mut values = vec![Vec::<f64>::new(); sides.len()];
    for number in 0..WARM_UP + count {
        for (side, values) in sides.iter().zip(&mut values) {
            pace::go_on()?;
            let measured = turn(side, number).await?;
            if number >= WARM_UP {
                values.extend(measured);
            }
        }
    }
    Ok(values.into_iter().map(Samples::from_iter).collect())
}

/// Each changes the object: a write that changes nothing is none.
async fn puts(side: &Side, turn: usize) -> Result<Vec<f64>> {
    let mut took = Vec::new();
    for number in 0..TURN {
        took.push(timed(side.put(&name(0), WRITTEN_BYTES, &format!("{turn}-{number}"))).await?);
    }
    Ok(took)
}

async fn puts_at_once(side: &Side, turn: usize) -> Result<Vec<f64>> {
    let writer = |writer: usize| async move {
        let mut took = Vec::new();
        for number in 0..WRITER_TURN {
            let mark = format!("at once, {turn}-{number}");
            took.push(timed(side.put(&name(writer), WRITTEN_BYTES, &mark)).await?);
        }
        anyhow::Ok(took)
    };
    Ok(try_join_all((0..WRITERS).map(writer)).await?.concat())
}

async fn gets(side: &Side, _: usize) -> Result<Vec<f64>> {
    let mut took = Vec::new();
    for _ in 0..TURN {
        took.push(timed(side.get(WRITTEN, &name(0))).await?);
    }
    Ok(took)
}

async fn list(side: &Side, turn: usize) -> Result<Vec<f64>> {
    let began = Instant::now();
    let list = side.list(LISTED).await?;
    let took = ms(began.elapsed());
    if turn == 0 {
        let list: Value = serde_json::from_slice(&list)?;
        let items = list["items"].as_array().map_or(0, Vec::len);
        ensure!(items >= LISTED_COUNT, "a list of {items} items, {LISTED_COUNT} were made");
    }
    Ok(vec![took])
}

async fn memory(sides: &[Side]) -> Result<Row> {
    let mut added = Vec::new();
    for side in sides {
        pace::rest(SETTLE).await?;
        let before = side.memory()?;
        side.fill(LISTED, LISTED_COUNT, LISTED_BYTES).await?;
        pace::rest(SETTLE).await?;
        added.push((side.memory()? as f64 - before as f64) / 1e6);
    }
    let row = row("10,000 objects of 1 kB: memory added (PSS)", "MB", &added, 1);
    Ok(row.budget(Budget::RatioAtMost(0.1)))
}

async fn watched(bench: &Bench, sides: &[Side]) -> Result<Vec<Row>> {
    let (mut delays, mut idle) = (Vec::new(), Vec::new());
    let long = Duration::from_secs(bench.rounds(20, 5));
    for side in sides {
        pace::rest(SETTLE).await?;
        let without = side.percent_of_a_core(long).await?;
        let mut watchers = Watchers::begin(side, WATCHERS).await?;
        pace::rest(SETTLE).await?;
        idle.push(side.percent_of_a_core(long).await? - without);
        delays.push(told(side, &mut watchers, bench.rounds(50, 10)).await?);
    }
    // Nothing that can be measured: by so much one look differs from the next.
    let idle =
        row("1,000 idle watchers: processor added", "% of a core", &idle, 1).budget(Budget::AtMost(0.5));
    Ok(vec![percentile("write → each of 1,000 watchers", &delays, 99), idle])
}

/// From before each write is sent until each watcher has its event.
async fn told(side: &Side, watchers: &mut Watchers, writes: usize) -> Result<Samples> {
    let mut delays = Vec::new();
    for number in 0..writes {
        let sent = Instant::now();
        side.put(&name(0), WRITTEN_BYTES, &format!("watched-{number}")).await?;
        for _ in 0..WATCHERS {
            delays.push(ms(watchers.next().await?.saturating_duration_since(sent)));
        }
        pace::rest(WRITE_GAP).await?;
    }
    Ok(delays.into_iter().collect())
}

async fn recovered(bench: &Bench, sides: &mut [Side]) -> Result<Row> {
    let count = bench.rounds(MANY_COUNT, LISTED_COUNT);
    let mut took = Vec::new();
    for side in sides {
        side.fill(MANY, count - LISTED_COUNT, LISTED_BYTES).await?;
        took.push(recovery::after_a_crash(side).await?.as_secs_f64());
        // What was there is there.
        side.get(LISTED, &side::filling(LISTED_COUNT - 1)).await?;
    }
    let row = row(&format!("{count} objects: kill -9 → /readyz"), "s", &took, 1);
    Ok(row.budget(Budget::AtMost(1.0)))
}

/// One figure of each side, ours first.
fn row(what: &str, unit: &'static str, values: &[f64], n: usize) -> Row {
    let row = Row::new(what, unit, values[0], n);
    match values.get(1) {
        Some(peer) => row.against(PEER, *peer),
        None => row,
    }
}

/// A percentile of milliseconds.
fn percentile(what: &str, samples: &[Samples], percent: u32) -> Row {
    let values: Vec<_> = samples.iter().map(|samples| samples.percentile(percent)).collect();
    row(&format!("{what}, p{percent}"), "ms", &values, samples[0].n())
}

fn name(number: usize) -> String {
    format!("written-{number}")
}

/// How many milliseconds it takes.
async fn timed<T>(work: impl Future<Output = Result<T>>) -> Result<f64> {
    let began = Instant::now();
    work.await?;
    Ok(ms(began.elapsed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_peer_leaves_the_row() {
        let reference = |values: &[f64]| row("put", "ms", values, 3).cells()[1].clone();
        assert_eq!(reference(&[1.0, 4.0]), "4.00 ms (etcd + kube-apiserver)");
        assert_eq!(reference(&[1.0]), "");
    }
}
