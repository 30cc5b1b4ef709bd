//! Long-lived tasks: one that panics is logged, counted and started again; one that keeps panicking fails /readyz.

use std::{collections::VecDeque, panic::AssertUnwindSafe, time::Duration};

use apiserver::{Health, Scope};
use futures::{FutureExt, future::BoxFuture};
use objects::Backoff;
use tokio::time::{Instant, sleep};

/// How long it waits before a new start.
const RESTART: Backoff = Backoff { min: Duration::from_millis(100), max: Duration::from_secs(10) };
/// So many panics within [`WINDOW`] are too many.
const PANICS_MAX: usize = 3;
const WINDOW: Duration = Duration::from_secs(60);

/// Runs what `start` makes, again and again.
pub(crate) async fn supervise(
    name: &'static str,
    health: Health,
    start: impl Fn() -> BoxFuture<'static, ()>,
) {
    let mut panics = VecDeque::new();
    let mut failures = 0;
    health.pass(name, Scope::Ready);
    loop {
        let task = AssertUnwindSafe(start()).catch_unwind();
        tokio::pin!(task);
        let ended = tokio::select! {
            ended = &mut task => ended,
            // It has run well for so long that what was before does not count any more.
            () = sleep(WINDOW) => {
                failures = 0;
                health.pass(name, Scope::Ready);
                task.await
            }
        };
        let what = match ended {
            Ok(()) => "ended".to_owned(),
            Err(panic) => format!("panicked: {}", text(&*panic)),
        };
        panics.push_back(Instant::now());
        while panics.front().is_some_and(|at| at.elapsed() > WINDOW) {
            panics.pop_front();
        }
        tracing::error!(task = name, recent = panics.len(), "a task {what}; starting it again");
        if panics.len() >= PANICS_MAX {
            health.fail(
                name,
                Scope::Ready,
                format!("{} times within {} s: {what}", panics.len(), WINDOW.as_secs()),
            );
        }
        failures += 1;
        sleep(RESTART.after(failures)).await;
    }
}

fn text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("of an unknown kind")
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_comes_back_and_one_that_keeps_panicking_is_not_ready_until_it_runs_well() {
        let starts = Arc::new(AtomicUsize::new(0));
        let (count, health) = (Arc::clone(&starts), Health::default());
        let mut supervised = std::pin::pin!(supervise("task", health.clone(), move || {
            let count = Arc::clone(&count);
            Box::pin(async move {
                if count.fetch_add(1, Ordering::Relaxed) < PANICS_MAX {
                    panic!("for the test");
                }
                std::future::pending().await
            })
        }));
        let why = "3 times within 60 s: panicked: for the test";
        // (time that passes, starts by then, whether it fails /readyz)
        for (passes, started, fails) in [(0.25, 2, false), (5.0, 4, true), (60.0, 4, false)] {
            let _ = timeout(Duration::from_secs_f64(passes), &mut supervised).await;
            let told = format!("{health:?}");
            assert_eq!((starts.load(Ordering::Relaxed), told.contains(why)), (started, fails), "{told}");
        }
    }
}
