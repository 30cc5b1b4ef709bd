//! What the object store promises, held against a file system that loses, tears and fails, and against SIGKILL.
//!
//! - `disk`: the simulated disk
//! - `history`: what was written, and what may be found again
//! - `crash`, `failure`, `damage`: the power cut, the error and the flipped bit, at every operation or byte
//! - `order`: versions, the queue, group commit
//! - `compaction`: how much disk is used
//! - `sealing`: what is encrypted
//! - `kill`: a real process, a real disk, SIGKILL
#![allow(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

mod compaction;
mod crash;
mod damage;
#[allow(dead_code, reason = "the API server's tests ask more of it")]
mod disk;
mod failure;
mod history;
mod kill;
mod order;
mod sealing;

use std::time::Duration;

use storage::{
    Result,
    objects::{ObjectStore, Options, Version},
};

/// Limits so small that a few writes reach them all.
fn small() -> Options {
    Options {
        segment_bytes_max: 1500,
        cache_bytes_max: 2000,
        commit_bytes_max: 4000,
        compaction_slice_bytes: 300,
        version_block: 64,
        collect_max: Duration::ZERO,
        ..Options::default()
    }
}

fn durable(store: &ObjectStore, version: Version) -> Result<()> {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(store.durable(version))
}
