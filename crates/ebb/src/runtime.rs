//! The process' tokio runtimes, and the time of day and the random bits that all parts are given as arguments. What
//! measures a span takes tokio's clock, and keys come from where they are made: neither has to be held still by a test.
//!
//! Four kinds. `data` carries requests, one thread per core, each with a runtime of its own. `start` is the one thread
//! that a start from zero passes through, from the decision to the running container. `control` carries everything else
//! on one runtime and gives way to both. `logs` is the one thread that writes what containers print: it waits for the
//! disk, which nobody else may.

use std::{
    hash::{BuildHasher, RandomState},
    io,
    num::NonZero,
    process::ExitCode,
};

use jiff::Timestamp;
use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};

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

/// The threads on which nothing may wait behind what is less urgent. They end when this is dropped, with what still
/// runs on them.
///
/// Each has a runtime of its own; they share nothing and take nothing from each other. Waking a thread to give it half
/// of a request costs more than the request, and the steps of a start, each of which wakes the next, wake no thread.
pub(crate) struct Threads {
    data: Vec<Handle>,
    start: Handle,
    logs: Handle,
    _end: DropGuard,
}

impl Threads {
    /// Starts one data thread per core, the one for starts and the one for logs.
    pub(crate) fn spawn() -> io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let end = CancellationToken::new();
        let data = (0..cores).map(|_| thread("data", end.clone())).collect::<io::Result<_>>()?;
        let start = thread("start", end.clone())?;
        let logs = thread("logs", end.clone())?;
        Ok(Self { data, start, logs, _end: end.drop_guard() })
    }

    /// One for each thread that carries requests; never empty.
    pub(crate) fn data(&self) -> &[Handle] {
        &self.data
    }

    /// The thread that a start from zero passes through.
    pub(crate) fn start(&self) -> &Handle {
        &self.start
    }

    /// The thread that writes containers' logs, and waits for the disk.
    pub(crate) fn logs(&self) -> &Handle {
        &self.logs
    }
}

fn thread(name: &str, end: CancellationToken) -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    let run = move || {
        runtime.block_on(end.cancelled());
        runtime.shutdown_background();
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(run)?;
    Ok(handle)
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
#[allow(clippy::disallowed_methods, reason = "what is passed to everybody else")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Random bits; not for secrets.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(0)
}
