//! Going on with a pod whose containers an earlier run of the node has left with the keeper.

use std::sync::Arc;

use resources::Object;

use super::{Worker, aside, prepare, take_over::Kept};
use crate::{logs::LogId, pod::state};

impl Worker {
    /// Takes the pod's containers in: their ends are waited for, their output is read, their probes go on.
    pub(super) fn go_on(&mut self, mut kept: Kept) {
        // What was told holds until something has changed; a start that is over is not measured again.
        self.published = self.pod.status.clone();
        self.times.told = true;
        self.ordinary_news = self.ordinary_news.after_start();
        self.address = Some(kept.address);
        self.has_sandbox = true;
        self.prepared = Some(Arc::new(prepare::kept(&self.shared, &self.pod, kept.address)));
        for id in kept.earlier {
            let shared = Arc::clone(&self.shared);
            self.happenings.push(aside(async move {
                if let Err(error) = shared.runtime.remove_container(&id).await {
                    tracing::warn!(container = %id, %error, "could not remove a container that ended");
                }
            }));
        }
        for index in 0..self.records.len() {
            let record = &self.records[index];
            let (name, run) = (record.spec.name.clone(), record.restarts);
            let Some(kept) = kept.runs.remove(&name) else { continue };
            if let Some(readers) = kept.container.readers {
                let log = LogId { pod: self.pod.uid().to_owned(), container: name, run };
                if let Err(error) = self.shared.logs.resume(log, readers) {
                    tracing::warn!(container = %kept.container.id, %error, "could not go on with a log");
                }
            }
            self.follow_end(index, kept.container.id);
        }
        if !state::apps_run(&self.records) {
            self.renew_built_in();
        }
        for index in 0..self.records.len() {
            self.ask(index);
        }
    }
}
