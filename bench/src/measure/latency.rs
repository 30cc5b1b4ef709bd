//! What the gateway adds to one request after another over one connection.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::{
    api::{self, Scale},
    bench::Bench,
    budget::Budget,
    http::Connection,
    lister::Lister,
    pace,
    platform::Platform,
    row::Row,
    samples::Samples,
};

/// Requests in a row before it is the other's turn.
const TURN: usize = 500;
/// The first turns of both are not counted.
const WARM_UP: usize = 2;
/// What the client lists that is in the way.
const LISTED: usize = 10_000;
const LISTED_PATH: &str = "/api/v1/namespaces/default/configmaps";
/// Between two turns.
const REST: Duration = Duration::from_millis(1);

pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let platform = Platform::up(bench, bench.runtime())?;
    let hosts = platform.deploy(&api::names("warm", 1), Scale::One)?;
    let direct = bench.sample.serve()?;
    let mut through = Connection::open(platform.http, &hosts[0], "/")?;
    let mut beside = Connection::open(direct.address, &hosts[0], "/")?;
    let mut turns = || -> Result<Vec<_>> {
        let mut turns = Vec::new();
        for turn in 0..WARM_UP + bench.rounds(100, 20) {
            let (direct, gateway) = (self::turn(&mut beside)?, self::turn(&mut through)?);
            pace::pause(REST)?;
            if turn >= WARM_UP {
                turns.push((gateway, direct));
            }
        }
        Ok(turns)
    };
    let quiet = turns()?;
    platform.with_client(async |client| api::fill(client, LISTED).await)?;
    let lister = Lister::start(&platform.kubeconfig()?, LISTED_PATH)?;
    let busy = turns()?;
    ensure!(lister.lists() > 0, "no list of {LISTED} objects was read to its end");
    lister.stop()?;
    // Of each pair of turns, then the median: a moment that is not ours spoils one pair and not the whole tail.
    let median =
        |turns: &[Pair], of: &dyn Fn(&Pair) -> f64| turns.iter().map(of).collect::<Samples>().median();
    let n = quiet.len() * TURN;
    let rows = |percent: u32, bound| {
        let ebb = median(&quiet, &|(ebb, _)| ebb.percentile(percent));
        let direct = median(&quiet, &|(_, direct)| direct.percentile(percent));
        let added = median(&quiet, &|(ebb, direct)| ebb.percentile(percent) - direct.percentile(percent));
        let whole = Row::new(format!("a request, p{percent}"), "µs", ebb, n).against("app directly", direct);
        let added = Row::new(format!("added, p{percent}"), "µs", added, n).budget(Budget::AtMost(bound));
        [whole, added]
    };
    let p99 = |turns: &[Pair], of: &dyn Fn(&Pair) -> &Samples| median(turns, &|pair| of(pair).percentile(99));
    let listing = Row::new("p99 while 10,000 objects are listed", "µs", p99(&busy, &|(ebb, _)| ebb), n)
        .against("the same without", p99(&quiet, &|(ebb, _)| ebb))
        .budget(Budget::RatioAtMost(2.0));
    let beside = Row::new("the app directly, p99 meanwhile", "µs", p99(&busy, &|(_, direct)| direct), n)
        .against("the same without", p99(&quiet, &|(_, direct)| direct));
    Ok([rows(50, 40.0).to_vec(), rows(99, 150.0).to_vec(), vec![listing, beside]].concat())
}

/// One turn through the gateway and one directly.
type Pair = (Samples, Samples);

/// Microseconds of each request.
fn turn(connection: &mut Connection) -> Result<Samples> {
    let call = |_| Ok(connection.call()?.ok()?.first_byte.as_secs_f64() * 1e6);
    (0..TURN).map(call).collect()
}
