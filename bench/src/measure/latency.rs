//! What the gateway adds to one request after another over one connection.

use std::time::Duration;

use anyhow::Result;

use crate::{
    api::{self, Scale},
    bench::Bench,
    budget::Budget,
    http::Connection,
    pace,
    platform::Platform,
    row::Row,
    samples::Samples,
};

/// Requests in a row before it is the other's turn.
const TURN: usize = 500;
/// The first turns of both are not counted.
const WARM_UP: usize = 2;
/// Between two turns.
const REST: Duration = Duration::from_millis(1);

pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let platform = Platform::up(bench, bench.runtime())?;
    let hosts = platform.deploy(&api::names("warm", 1), Scale::One)?;
    let direct = bench.sample.serve()?;
    let mut through = Connection::open(platform.http, &hosts[0], "/")?;
    let mut beside = Connection::open(direct.address, &hosts[0], "/")?;
    let mut turns = Vec::new();
    for turn in 0..WARM_UP + bench.rounds(100, 20) {
        let (direct, gateway) = (self::turn(&mut beside)?, self::turn(&mut through)?);
        pace::pause(REST)?;
        if turn >= WARM_UP {
            turns.push((gateway, direct));
        }
    }
    // Of each pair of turns, then the median: a moment that is not ours spoils one pair and not the whole tail.
    let median = |of: &dyn Fn(&(Samples, Samples)) -> f64| turns.iter().map(of).collect::<Samples>().median();
    let rows = |percent: u32, bound| {
        let ebb = median(&|(ebb, _)| ebb.percentile(percent));
        let direct = median(&|(_, direct)| direct.percentile(percent));
        let added = median(&|(ebb, direct)| ebb.percentile(percent) - direct.percentile(percent));
        let n = turns.len() * TURN;
        let whole = Row::new(format!("a request, p{percent}"), "µs", ebb, n).against("app directly", direct);
        let added = Row::new(format!("added, p{percent}"), "µs", added, n).budget(Budget::AtMost(bound));
        [whole, added]
    };
    Ok([rows(50, 40.0), rows(99, 150.0)].concat())
}

/// Microseconds of each request.
fn turn(connection: &mut Connection) -> Result<Samples> {
    let call = |_| Ok(connection.call()?.ok()?.first_byte.as_secs_f64() * 1e6);
    (0..TURN).map(call).collect()
}
