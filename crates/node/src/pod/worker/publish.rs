//! The pod's status on its way into the API.

use std::time::Duration;

use objects::WriteTarget;
use resources::{
    Object,
    builtin::{Pod, PodStatus},
};
use tokio::time::Instant;

use super::Worker;
use crate::pod::{
    StartRecord,
    status::{self, View},
};

/// How long to wait after the API refused a status.
const STATUS_RETRY: Duration = Duration::from_secs(1);

impl Worker {
    /// Writes the status if it is not what was written last.
    pub(super) async fn publish(&mut self) {
        self.publish_at = None;
        let now = (self.shared.clock)();
        let view = View {
            records: &self.records,
            address: self.address,
            left_out: Some(&self.left_out),
            failed: self.failed.as_ref(),
            unplaced: self.unplaced.as_deref(),
        };
        let status = status::status(&self.pod, &view, now);
        if self.published.as_ref() == Some(&status) {
            return;
        }
        self.note_start(&status);
        let uid = self.pod.uid().to_owned();
        let key = self.pod.key();
        let written = self.shared.client.modify::<Pod>(WriteTarget::Status, &key, |pod| {
            if pod.uid() == uid {
                pod.status = Some(status.clone());
            }
        });
        match written.await {
            Ok(pod) => {
                if pod.uid() == uid {
                    // Later conditions keep the times of these.
                    self.pod = pod;
                }
                self.published = Some(status);
                self.send_news();
            }
            Err(error) if error.is_not_found() => {}
            Err(error) => {
                tracing::warn!(pod = %key, %error, "could not write the pod's status");
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
