//! The pod's status on its way into the API.

use std::{sync::Arc, time::Duration};

use objects::{Client, WriteTarget};
use resources::{
    Object,
    builtin::{Pod, PodStatus},
};
use tokio::time::Instant;

use super::{Worker, take_over};
use crate::pod::{
    StartRecord,
    kubelet::Shared,
    status::{self, View},
};

/// How long to wait after the API refused a status.
const STATUS_RETRY: Duration = Duration::from_secs(1);

/// Takes back what was told of a pod before the node was restarted, while it waits for a place.
pub(in crate::pod) async fn take_back(shared: Arc<Shared>, pod: Arc<Pod>) {
    if !take_over::is_outdated(pod.status.as_ref()) {
        return;
    }
    let now = take_over::Now { time: (shared.clock)(), instant: Instant::now() };
    let records = take_over::records(&pod, None, now);
    let view = View { records: &records, ..View::default() };
    let status = status::status(&pod, &view, now.time);
    if let Err(error) = write(&shared.client, &pod, &status).await {
        tracing::warn!(pod = %pod.key(), %error, "could not write that a pod waits for a place");
    }
}

async fn write(client: &Client, pod: &Pod, status: &PodStatus) -> objects::Result<Arc<Pod>> {
    client
        .modify::<Pod>(WriteTarget::Status, &pod.key(), |present| {
            if present.uid() == pod.uid() {
                present.status = Some(status.clone());
            }
        })
        .await
}

impl Worker {
    /// Writes the status if it is not what was written last.
    pub(super) async fn publish(&mut self) {
        self.publish_at = None;
        let now = (self.shared.clock)();
        let view = View {
            records: &self.records,
            address: self.address,
            has_sandbox: self.has_sandbox,
            left_out: Some(&self.left_out),
            failed: self.failed.as_ref(),
            unplaced: self.unplaced.as_deref(),
            node_stops: self.shared.stop.is_cancelled()
                && self.records.iter().any(|record| record.running().is_some()),
        };
        let status = status::status(&self.pod, &view, now);
        if self.published.as_ref() == Some(&status) {
            return;
        }
        self.note_start(&status);
        match write(&self.shared.client, &self.pod, &status).await {
            Ok(pod) => {
                if pod.uid() == self.pod.uid() {
                    // Later conditions keep the times of these.
                    self.pod = pod;
                }
                self.published = Some(status);
                self.send_news();
            }
            Err(error) if error.is_not_found() => {}
            Err(error) => {
                tracing::warn!(pod = %self.pod.key(), %error, "could not write the pod's status");
                self.publish_at = Some(Instant::now() + STATUS_RETRY);
            }
        }
    }

    /// Notes the parts of the start the first time the pod is ready.
    fn note_start(&mut self, status: &PodStatus) {
        let ready = status
            .conditions
            .iter()
            .flatten()
            .any(|condition| condition.type_ == "Ready" && condition.status == "True");
        if ready && !std::mem::replace(&mut self.times.told, true) {
            let record = StartRecord {
                seen_at: self.seen_at,
                sandbox: self.times.sandbox,
                start: self.times.start,
                ready_at: Instant::now(),
            };
            self.shared.records.insert(self.pod.uid(), record);
        }
    }
}
