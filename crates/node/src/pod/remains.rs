//! What is left of pods that have ended, removed until nothing is.
//!
//! A removal can fail: a process hangs in the kernel, or somebody has mounted something in a volume. Then it is tried
//! again for as long as the node runs, and until it is done a pod keeps its name, its address and its place. What is
//! left when the node ends goes with the keeper, or is found by the next start.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use resources::{Object, builtin::Pod};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{backoff, kubelet::Shared, volumes};
use crate::{
    removals::Removals,
    run_dir::{remove_dir, remove_run_dir},
    runtime::{RuntimeError, SandboxId},
};

/// Removes directories with all that is in them. Those that are not there are fine.
pub(super) async fn remove_dirs(removals: &Removals, dirs: Vec<PathBuf>) -> Result<(), String> {
    removals.run(move || remove(&dirs)).await.map_err(|error| error.to_string())
}

/// Removes all of them that can be; the error is the first one's, and names it.
fn remove(dirs: &[PathBuf]) -> io::Result<()> {
    dirs.iter().map(|dir| remove_dir(dir)).fold(Ok(()), Result::and)
}

/// Removes a pod's sandbox with all that runs in it, and lets its images go.
pub(super) async fn remove_sandbox(shared: &Shared, id: &SandboxId) -> Result<(), String> {
    match shared.runtime.remove_sandbox(id).await {
        // Without the keeper no container runs, and what they left can only be removed by the next one.
        Ok(()) | Err(RuntimeError::KeeperGone) => {
            shared.images.release_pod(id.as_str());
            Ok(())
        }
        Err(error) => Err(error.to_string()),
    }
}

/// As [`remove_sandbox`], with the pod's own directory and what is mounted in it.
pub(super) async fn remove_sandbox_and_dir(shared: &Shared, id: &SandboxId) -> Result<(), String> {
    remove_sandbox(shared, id).await?;
    let dir = shared.dir_of(id.as_str());
    shared.removals.run(move || remove_run_dir(&dir)).await.map_err(|error| error.to_string())
}

/// Removes what a pod that never runs again has written: its volumes, its small files, its logs.
pub(super) async fn remove_files(shared: &Shared, pod: &Arc<Pod>) -> Result<(), String> {
    let (places, pod, own) = (shared.places(pod), Arc::clone(pod), shared.pod_dir(pod));
    let logs = shared.logs.forget(pod.uid());
    let work = move || {
        volumes::clear_memory(&places, &pod)?;
        remove(&[own, places.disk, logs])
    };
    shared.removals.run(work).await.map_err(|error| error.to_string())
}

/// Tries until it succeeds, and then returns true; false when the node stops before. `told` hears each new reason.
pub(super) async fn until_gone<F: Future<Output = Result<(), String>>>(
    attempt: impl Fn() -> F,
    stop: &CancellationToken,
    mut told: impl FnMut(&str),
) -> bool {
    let (mut failures, mut last) = (0, None);
    loop {
        let Err(why) = attempt().await else { return true };
        if last.as_ref() != Some(&why) {
            told(&why);
            last = Some(why);
        }
        failures += 1;
        tokio::select! {
            () = sleep(backoff::wait_after(failures)) => {}
            () = stop.cancelled() => return false,
        }
    }
}

/// The entries of a directory that are named after no `known` pod.
pub(super) fn unknown(dir: &Path, known: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let is_unknown = |entry: &fs::DirEntry| !entry.file_name().to_str().is_some_and(&known);
    entries.filter(is_unknown).map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests;
