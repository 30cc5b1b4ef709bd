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
    thread::JoinHandle,
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    runtime::{Builder, Handle, Runtime},
    time::Instant,
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Threads of the control runtime: reconcilers are many, but each is over in microseconds.
const CONTROL_THREADS: usize = 2;
/// How much the control runtime gives way.
const CONTROL_NICENESS: i32 = 5;

/// How long work that blocks is waited for at the end of a runtime, where somebody relies on that end.
const BLOCKED_MAX: Duration = Duration::from_secs(1);

/// Runs a long-lived command on the control runtime, and after its end `rest` with what the command has left to do. That
/// is also told whether all has ended that ran on the control runtime.
pub(crate) fn block_on_control<T>(
    work: impl Future<Output = anyhow::Result<Option<T>>>,
    rest: impl FnOnce(T, bool) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(CONTROL_THREADS)
        .thread_name("control")
        .on_thread_start(give_way)
        .enable_all()
        .build()?;
    match runtime.block_on(work) {
        Ok(Some(left)) => rest(left, end(runtime)),
        outcome => {
            // What still runs on blocking threads has nothing to finish.
            runtime.shutdown_background();
            outcome.map(drop)
        }
    }
}

/// The threads on which nothing may wait behind what is less urgent. They end when this is dropped, with what still
/// runs on them.
///
/// Each has a runtime of its own; they share nothing and take nothing from each other. Waking a thread to give it half
/// of a request costs more than the request, and the steps of a start, each of which wakes the next, wake no thread.
pub(crate) struct Threads {
    data: DataThreads,
    start: Thread,
    logs: Thread,
}

/// Those that carry requests. They end when this is dropped, with what still runs on them.
pub(crate) struct DataThreads {
    /// Never empty.
    handles: Vec<Handle>,
    _end: DropGuard,
}

/// One that ends when this is dropped, with what still runs on it.
struct Thread {
    handle: Handle,
    end: DropGuard,
    /// Whether all that ran on it has ended.
    ended: JoinHandle<bool>,
}

impl Threads {
    /// Starts one data thread per core, the one for starts and the one for logs.
    pub(crate) fn spawn() -> io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let end = CancellationToken::new();
        let handles = (0..cores)
            .map(|_| thread("data", end.clone()).map(|(handle, _)| handle))
            .collect::<io::Result<_>>()?;
        let data = DataThreads { handles, _end: end.drop_guard() };
        Ok(Self { data, start: Thread::spawn("start")?, logs: Thread::spawn("logs")? })
    }

    /// One for each thread that carries requests; never empty.
    pub(crate) fn data(&self) -> &[Handle] {
        &self.data.handles
    }

    /// The thread that a start from zero passes through.
    pub(crate) fn start(&self) -> &Handle {
        &self.start.handle
    }

    /// The thread that writes containers' logs, and waits for the disk.
    pub(crate) fn logs(&self) -> &Handle {
        &self.logs.handle
    }

    /// Ends all but those that carry requests; `None`, and those end too, when something on the others does not end.
    /// Blocks.
    pub(crate) fn into_data(self) -> Option<DataThreads> {
        let Self { data, start, logs } = self;
        // Both are told before one is waited for.
        let ended = [start, logs].map(Thread::end);
        ended.into_iter().all(|ended| ended.join().unwrap_or(false)).then_some(data)
    }
}

impl DataThreads {
    /// Waits for what goes on on these threads.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.handles[0].block_on(work)
    }
}

impl Thread {
    fn spawn(name: &str) -> io::Result<Self> {
        let end = CancellationToken::new();
        let (handle, ended) = thread(name, end.clone())?;
        Ok(Self { handle, end: end.drop_guard(), ended })
    }

    /// Tells it to end.
    fn end(self) -> JoinHandle<bool> {
        drop(self.end);
        self.ended
    }
}

fn thread(name: &str, told: CancellationToken) -> io::Result<(Handle, JoinHandle<bool>)> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    let run = move || {
        runtime.block_on(told.cancelled());
        end(runtime)
    };
    let ended = std::thread::Builder::new().name(name.to_owned()).spawn(run)?;
    Ok((handle, ended))
}

/// Ends a runtime with all of its tasks. Whether nothing blocks any more that was begun there: what does cannot be ended.
fn end(runtime: Runtime) -> bool {
    let began = Instant::now();
    runtime.shutdown_timeout(BLOCKED_MAX);
    began.elapsed() < BLOCKED_MAX
}

/// Runs a short command.
pub(crate) fn block_on_current(work: impl Future<Output = ExitCode>) -> ExitCode {
    match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(work),
        Err(_) => ExitCode::FAILURE,
    }
}

/// Lets those who answer requests go first.
pub(crate) fn give_way() {
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};

    use super::*;

    #[test]
    fn what_ran_beside_the_requests_has_ended() {
        let threads = Threads::spawn().unwrap();
        let held = Arc::new(());
        for handle in [threads.start(), threads.logs()] {
            let held = Arc::clone(&held);
            handle.spawn(async move {
                let _held = held;
                std::future::pending::<()>().await;
            });
        }
        let data = threads.into_data().expect("nothing blocks");
        assert_eq!(Arc::strong_count(&held), 1);
        assert_eq!(data.block_on(async { tokio::spawn(async { 5 }).await.unwrap() }), 5);
    }

    #[test]
    fn what_blocks_has_not_ended() {
        let threads = Threads::spawn().unwrap();
        let (begin, begun) = mpsc::channel();
        let (go_on, held) = mpsc::channel::<()>();
        threads.start().spawn_blocking(move || {
            begin.send(()).unwrap();
            let _ended = held.recv();
        });
        begun.recv().unwrap();
        assert!(threads.into_data().is_none());
        drop(go_on);
    }
}
