//! What is told of the Deployments and ReplicaSets of users: how they were scaled, which pods were made and deleted.
//!
//! ```text
//!   deployment, replicaset (on the thread of starts) ──► Recorder, bounded ──► write (elsewhere) ──► Events
//! ```
//!
//! Of a Revision's nothing is told: they scale all the time, and between a request at zero and its instance no event is
//! written. News are no state: what does not fit, or cannot be written, is let go.

use std::sync::Arc;

use parking_lot::Mutex;
use resources::{Object, builtin::ObjectReference, events::Correlator, labels, meta::Time};
use tokio::sync::mpsc;

use super::Context;
use crate::serving::events;
pub(super) use crate::serving::events::News;

/// The most news that wait to be written.
const WAITING_MAX: usize = 256;

/// Where the controllers tell. Cheap to clone.
#[derive(Clone)]
pub struct Recorder {
    sender: mpsc::Sender<Waiting>,
    /// Taken by whoever writes, as long as it does.
    waiting: Arc<tokio::sync::Mutex<mpsc::Receiver<Waiting>>>,
}

/// What was told and is not written yet.
struct Waiting {
    about: ObjectReference,
    news: News,
    at: Time,
}

impl Default for Recorder {
    fn default() -> Self {
        let (sender, waiting) = mpsc::channel(WAITING_MAX);
        Self { sender, waiting: Arc::new(tokio::sync::Mutex::new(waiting)) }
    }
}

impl Context {
    /// Tells of a Deployment or ReplicaSet, unless it is a Revision's; never waits.
    pub(super) fn tell<K: Object>(&self, about: &K, news: impl FnOnce() -> News) {
        if about.label(labels::REVISION_UID).is_some() {
            return;
        }
        let waiting = Waiting { about: events::reference(about), news: news(), at: self.now() };
        if let Err(error) = self.news.sender.try_send(waiting) {
            tracing::debug!(%error, "an event is lost");
        }
    }
}

/// Writes what is told, one after the other; does not end.
pub(super) async fn write(context: Context) {
    let lately = Mutex::new(Correlator::default());
    let mut waiting = context.news.waiting.lock().await;
    while let Some(Waiting { about, news, at }) = waiting.recv().await {
        events::write(&context.client, &lately, about, news, &at).await;
    }
}
