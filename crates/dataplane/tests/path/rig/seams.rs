use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use dataplane::{Dial, Instance, RevisionStat, StartTimes, StartTimesOf, StatSink};
use futures::future::BoxFuture;
use tokio::net::TcpStream;

/// Keeps every report; knows the start times of every pod.
#[derive(Default)]
pub(crate) struct Stats {
    pub(crate) reports: Mutex<Vec<RevisionStat>>,
}

impl Stats {
    /// (average concurrency, request count) of every report so far.
    pub(crate) fn all(&self) -> Vec<(f64, f64)> {
        self.reports
            .lock()
            .unwrap()
            .iter()
            .map(|stat| (stat.average_concurrency, stat.request_count))
            .collect()
    }
}

impl StatSink for Stats {
    fn report(&self, stats: &[RevisionStat]) {
        self.reports.lock().unwrap().extend_from_slice(stats);
    }
}

impl StartTimesOf for Stats {
    fn of(&self, _uid: &str, _wished: tokio::time::Instant) -> Option<StartTimes> {
        let ms = Duration::from_millis;
        Some(StartTimes { schedule: ms(1), sandbox: ms(2), start: ms(3) })
    }
}

/// Dials over loopback, unless it is told to refuse.
#[derive(Default)]
pub(crate) struct Dialer {
    pub(crate) refuses: AtomicBool,
    pub(crate) refused: AtomicUsize,
}

impl Dial for Dialer {
    fn dial<'a>(&'a self, instance: &'a Instance) -> BoxFuture<'a, io::Result<TcpStream>> {
        Box::pin(async {
            let stream = match self.refuses.load(SeqCst) {
                true => Err(io::ErrorKind::ConnectionRefused.into()),
                false => TcpStream::connect(instance.socket()).await,
            };
            self.refused.fetch_add(usize::from(stream.is_err()), SeqCst);
            stream
        })
    }
}
