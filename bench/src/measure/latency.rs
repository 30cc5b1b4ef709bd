//! What the gateway adds to one request after another over one connection.

use anyhow::Result;

use crate::{
    api::{self, Scale},
    bench::Bench,
    budget::Budget,
    http::Connection,
    platform::Platform,
    row::Row,
    samples::Samples,
};

/// Requests in a row before it is the other's turn.
const TURN: usize = 500;
/// The first turns of both are not counted.
const WARM_UP: usize = 2;

pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let platform = Platform::up(bench, bench.runtime())?;
    let hosts = platform.deploy(&api::names("warm", 1), Scale::One)?;
    let direct = bench.sample.serve()?;
    let mut through = Connection::open(platform.http, &hosts[0], "/")?;
    let mut beside = Connection::open(direct.address, &hosts[0], "/")?;
    let (mut ebb, mut peer) = (Vec::new(), Vec::new());
    for turn in 0..WARM_UP + bench.rounds(100, 20) {
        let (direct, gateway) = (self::turn(&mut beside)?, self::turn(&mut through)?);
        crate::pace::pause(std::time::Duration::from_millis(1))?;
        if turn >= WARM_UP {
            peer.extend(direct);
            ebb.extend(gateway);
        }
    }
    let (ebb, peer): (Samples, Samples) = (ebb.into_iter().collect(), peer.into_iter().collect());
    let whole = |percent| {
        let row = Row::percentile("a request", "µs", &ebb, percent);
        row.against("app directly", peer.percentile(percent))
    };
    let added = |percent: u32, bound| {
        let added = ebb.percentile(percent) - peer.percentile(percent);
        Row::new(format!("added, p{percent}"), "µs", added, ebb.n()).budget(Budget::AtMost(bound))
    };
    Ok(vec![whole(50), whole(99), added(50, 40.0), added(99, 150.0)])
}

/// Microseconds of each request.
fn turn(connection: &mut Connection) -> Result<Vec<f64>> {
    let call = |_| Ok(connection.call()?.ok()?.first_byte.as_secs_f64() * 1e6);
    (0..TURN).map(call).collect()
}
