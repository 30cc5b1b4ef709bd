//! When the parts of each pod's start happened, for those who waited for it.

use std::{collections::HashMap, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

/// The parts of one pod's start.
#[derive(Clone, Copy, Debug)]
pub struct StartRecord {
    /// When the node first saw the pod.
    pub seen_at: Instant,
    /// Making or taking the sandbox, with image and volumes.
    pub sandbox: Duration,
    /// From there until all containers' programs were executed.
    pub start: Duration,
    /// When the pod became ready.
    pub ready_at: Instant,
}

/// The records of the pods that are there now, by uid.
#[derive(Debug, Default)]
pub struct StartRecords {
    records: Mutex<HashMap<String, StartRecord>>,
}

impl StartRecords {
    /// The record of a pod that has been ready.
    pub fn get(&self, uid: &str) -> Option<StartRecord> {
        self.records.lock().get(uid).copied()
    }

    pub(super) fn insert(&self, uid: &str, record: StartRecord) {
        self.records.lock().insert(uid.to_owned(), record);
    }

    pub(super) fn remove(&self, uid: &str) {
        self.records.lock().remove(uid);
    }
}
