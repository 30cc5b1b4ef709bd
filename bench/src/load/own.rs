//! A thread per connection, one request after the other. Less load than wrk makes, the same share.

use std::{
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};

use super::Served;
use crate::{http::Connection, samples::Samples};

pub(super) fn serve(to: SocketAddr, host: &str, connections: usize, long: Duration) -> Result<Served> {
    let opened = (0..connections).map(|_| Connection::open(to, host, "/")).collect::<Result<Vec<_>>>()?;
    let began = Instant::now();
    let work = |mut connection: Connection| {
        move || {
            let mut answers = Vec::new();
            while began.elapsed() < long {
                answers.push(connection.call()?.ok()?.first_byte.as_secs_f64() * 1e6);
            }
            anyhow::Ok(answers)
        }
    };
    let threads: Vec<_> = opened.into_iter().map(|connection| thread::spawn(work(connection))).collect();
    let mut answers = Vec::new();
    for thread in threads {
        answers.extend(thread.join().map_err(|_| anyhow!("a client's thread panicked"))??);
    }
    let answers: Samples = answers.into_iter().collect();
    Ok(Served {
        per_second: answers.n() as f64 / began.elapsed().as_secs_f64(),
        p50: answers.percentile(50),
        p99: answers.percentile(99),
    })
}
