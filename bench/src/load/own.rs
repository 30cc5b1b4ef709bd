//! A thread per connection, one request after the other. Less load than wrk makes, the same share.

use std::{
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};

use crate::http::Connection;

pub(super) fn per_second(to: SocketAddr, host: &str, connections: usize, long: Duration) -> Result<f64> {
    let opened = (0..connections).map(|_| Connection::open(to, host, "/")).collect::<Result<Vec<_>>>()?;
    let began = Instant::now();
    let work = |mut connection: Connection| {
        move || {
            let mut answers = 0_u64;
            while began.elapsed() < long {
                connection.call()?.ok()?;
                answers += 1;
            }
            anyhow::Ok(answers)
        }
    };
    let threads: Vec<_> = opened.into_iter().map(|connection| thread::spawn(work(connection))).collect();
    let mut answers = 0;
    for thread in threads {
        answers += thread.join().map_err(|_| anyhow!("a client's thread panicked"))??;
    }
    Ok(answers as f64 / began.elapsed().as_secs_f64())
}
