use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Threads with a runtime each, as the data plane has them. They end when this is dropped.
pub(crate) struct Threads {
    pub(crate) runtimes: Vec<Handle>,
    _end: DropGuard,
}

impl Threads {
    pub(crate) fn start(count: usize) -> Self {
        let end = CancellationToken::new();
        let thread = |_| {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            let (handle, end) = (runtime.handle().clone(), end.clone());
            std::thread::spawn(move || runtime.block_on(end.cancelled()));
            handle
        };
        Self { runtimes: (0..count).map(thread).collect(), _end: end.clone().drop_guard() }
    }
}
