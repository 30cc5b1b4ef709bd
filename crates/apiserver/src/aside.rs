//! Work on bodies and objects that are long: megabytes keep a processor busy for hundreds of milliseconds and take many times
//! their length in memory. It is done beside the few threads that everything else waits for, and a few pieces at a time.

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::Semaphore,
    task::block_in_place,
};

/// How many bytes of JSON are long: a few milliseconds of work.
pub(crate) const LONG_BYTES: usize = 64 << 10;
/// How many long pieces of work are done at once; others wait for their turn.
const AT_ONCE_MAX: usize = 4;

static PLACES: Semaphore = Semaphore::const_new(AT_ONCE_MAX);

/// Does some work; if it is about something long, when there is a place for it, and while another thread takes this one's
/// place. The work itself cannot wait, so it cannot ask for a second place.
pub(crate) async fn aside<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    if bytes < LONG_BYTES {
        return work();
    }
    let _place = PLACES.acquire().await.expect("nobody closes it");
    let has_others = || {
        let runtime = Handle::try_current();
        runtime.is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread)
    };
    if has_others() { block_in_place(work) } else { work() }
}

#[cfg(test)]
mod tests;
