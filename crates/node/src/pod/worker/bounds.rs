//! What a pod must not exceed as a whole: its time, and the size of its volumes (upstream: kubernetes, kubelet
//! activeDeadline handler and local storage eviction).

use std::time::Duration;

use super::{Happening, Worker};
use crate::pod::{
    state::Failed,
    volumes::{self, Limited},
};

/// How often the size of volumes is looked at.
const LOOK: Duration = Duration::from_secs(10);

impl Worker {
    /// Ends the pod when it has been there for its `activeDeadlineSeconds`.
    pub(super) fn limit_time(&mut self) {
        let limit = self.pod.spec.as_ref().and_then(|spec| spec.active_deadline_seconds);
        let Some(limit) = limit.and_then(|seconds| u64::try_from(seconds).ok()) else { return };
        let began = self.pod.status.as_ref().and_then(|status| status.start_time.as_ref());
        let now = (self.shared.clock)();
        let spent =
            began.map_or(Duration::ZERO, |began| now.duration_since(began.0).try_into().unwrap_or_default());
        let message = "Pod was active on the node longer than the specified deadline".to_owned();
        let left = Duration::from_secs(limit).saturating_sub(spent);
        self.after(left, Happening::Failed(Failed { reason: "DeadlineExceeded", message }));
    }

    /// Ends the pod when one of its volumes on disk holds more than it may. Memory volumes cannot.
    pub(super) fn limit_volumes(&mut self) {
        let limited = volumes::limited(&self.shared.places(&self.pod), &self.pod);
        if limited.is_empty() {
            return;
        }
        self.happenings.push(Box::pin(async move {
            loop {
                tokio::time::sleep(LOOK).await;
                let looked = limited.clone();
                let excess = move || looked.iter().find_map(Limited::excess);
                if let Ok(Some(message)) = tokio::task::spawn_blocking(excess).await {
                    return Happening::Failed(Failed { reason: "Evicted", message });
                }
            }
        }));
    }
}
