//! The floor of a start: the same program as a plain process, found by trying to connect.

use std::{
    net::TcpStream,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use crate::{http::Connection, sample::Sample};

/// Between two attempts to connect.
const RETRY: Duration = Duration::from_micros(200);
const START_MAX: Duration = Duration::from_secs(5);

/// From before the process is made until the first byte of its answer.
pub(crate) fn first_byte_of_spawned(sample: &Sample) -> Result<Duration> {
    let began = Instant::now();
    let running = sample.spawn()?;
    let stream = loop {
        match TcpStream::connect(running.address) {
            Ok(stream) => break stream,
            Err(error) => ensure!(began.elapsed() < START_MAX, "the sample does not listen: {error}"),
        }
        std::thread::sleep(RETRY);
    };
    let mut connection = Connection::over(stream, "sample", "/")?;
    let connected = began.elapsed();
    Ok(connected + connection.call()?.ok()?.first_byte)
}
