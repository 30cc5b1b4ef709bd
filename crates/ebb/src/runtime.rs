//! The process' tokio runtimes, its clock and its randomness: the only place that asks the machine for them.
//!
//! Two runtimes: `data` carries requests, one thread per core; `control` carries everything else and gives way to it.

use std::{
    hash::{BuildHasher, RandomState},
    num::NonZero,
    process::ExitCode,
};

use jiff::Timestamp;
use tokio::runtime::{Builder, Runtime};

/// Threads of the control runtime: reconcilers are many, but each is over in microseconds.
const CONTROL_THREADS: usize = 2;
/// How much the control runtime gives way.
const CONTROL_NICENESS: i32 = 5;

/// Runs a long-lived command on the control runtime.
pub(crate) fn block_on_control<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(CONTROL_THREADS)
        .thread_name("control")
        .on_thread_start(give_way)
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(work);
    // What still runs on blocking threads has nothing to finish.
    runtime.shutdown_background();
    outcome
}

/// The runtime that carries requests.
pub(crate) fn data() -> std::io::Result<Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    Builder::new_multi_thread().worker_threads(cores).thread_name("data").enable_all().build()
}

/// Runs a short command.
pub(crate) fn block_on_current(work: impl Future<Output = ExitCode>) -> ExitCode {
    match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(work),
        Err(_) => ExitCode::FAILURE,
    }
}

fn give_way() {
    // Refused only where the thread may not even be made nicer, which harms nobody.
    let _ = rustix::process::setpriority_process(None, CONTROL_NICENESS);
}

/// The time of day.
#[allow(clippy::disallowed_methods, reason = "the one place")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Random bits; not for secrets.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(0)
}
