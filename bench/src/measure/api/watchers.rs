//! Many watchers of the same objects, over several connections.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use h2::RecvStream;
use tokio::{sync::mpsc, task::JoinSet, time::timeout};

use super::side::Side;
use crate::http2::{self, Connection};

/// As client-go's programs share a connection; both servers take at least twice as many.
const PER_CONNECTION: usize = 50;
/// The longest that an event may take to come.
const EVENT_MAX: Duration = Duration::from_secs(30);

/// Watches that have begun; they end when this is dropped.
pub(super) struct Watchers {
    arrivals: mpsc::Receiver<Instant>,
    _tasks: JoinSet<()>,
}

impl Watchers {
    pub(super) async fn begin(side: &Side, count: usize) -> Result<Self> {
        let path = side.watch_path().await?;
        // Room for one event of each: no more are sent before all have been seen.
        let (tell, arrivals) = mpsc::channel(count);
        let mut tasks = JoinSet::new();
        while tasks.len() < count {
            let connection = Connection::open(&side.access).await?;
            for _ in 0..PER_CONNECTION.min(count - tasks.len()) {
                tasks.spawn(watch(connection.begin(&path).await?, tell.clone()));
            }
        }
        Ok(Self { arrivals, _tasks: tasks })
    }

    /// When the next event was there, of whichever watcher.
    pub(super) async fn next(&mut self) -> Result<Instant> {
        let arrived = timeout(EVENT_MAX, self.arrivals.recv()).await;
        let arrived = arrived
            .with_context(|| format!("a watcher was not told of a write within {} s", EVENT_MAX.as_secs()))?;
        arrived.context("all watches have ended")
    }
}

/// Tells when events arrive, until the watch ends or nobody listens.
async fn watch(mut answer: RecvStream, tell: mpsc::Sender<Instant>) {
    while let Ok(Some(piece)) = http2::next(&mut answer).await {
        let arrived = Instant::now();
        for _ in 0..events(&piece) {
            if tell.send(arrived).await.is_err() {
                return;
            }
        }
    }
}

/// How many events end in this piece: each is a line.
fn events(piece: &[u8]) -> usize {
    piece.iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_event_counts_when_it_is_whole() {
        let pieces: [&[u8]; 4] = [b"{\"type\":", b"\"MODIFIED\"}\n", b"{}\n{}\n{", b"}\n"];
        assert_eq!(pieces.map(super::events), [0, 1, 2, 1]);
    }
}
