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
use tokio::{sync::Semaphore, task::spawn_blocking, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{backoff, kubelet::Shared, volumes};
use crate::{
    run_dir::{remove_dir, remove_run_dir},
    runtime::{RuntimeError, SandboxId},
};

/// How many removals of files are under way at once. More do not make a disk faster, and the threads that block are
/// also those of the starts' volumes and images.
const REMOVALS_MAX: usize = 4;

/// Where files are removed: never on the thread that starts pass through, which a large directory would hold up.
#[derive(Clone)]
pub(super) struct Removals(Arc<Semaphore>);

impl Default for Removals {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(REMOVALS_MAX)))
    }
}

impl Removals {
    async fn run(&self, work: impl FnOnce() -> io::Result<()> + Send + 'static) -> Result<(), String> {
        // The semaphore is never closed. The turn is over when the work is, whoever still waits for it.
        let turn = Arc::clone(&self.0).acquire_owned().await;
        let done = spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.map_err(io::Error::other).flatten().map_err(|error| error.to_string())
    }

    /// Removes directories with all that is in them. Those that are not there are fine.
    pub(super) async fn dirs(&self, dirs: Vec<PathBuf>) -> Result<(), String> {
        self.run(move || remove(&dirs)).await
    }
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
    shared.removals.run(move || remove_run_dir(&dir)).await
}

/// Removes what a pod that never runs again has written: its volumes, its small files, its logs.
pub(super) async fn remove_files(shared: &Shared, pod: &Arc<Pod>) -> Result<(), String> {
    let (places, pod, own) = (shared.places(pod), Arc::clone(pod), shared.pod_dir(pod));
    let logs = shared.logs.forget(pod.uid());
    let work = move || {
        volumes::clear_memory(&places, &pod)?;
        remove(&[own, places.disk, logs])
    };
    shared.removals.run(work).await
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
