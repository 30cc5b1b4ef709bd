//! Long-lived tasks: one that panics is logged, counted and started again; one that keeps panicking fails /readyz.

use std::{collections::VecDeque, panic::AssertUnwindSafe, time::Duration};

use apiserver::{Health, Scope};
use futures::{FutureExt, future::BoxFuture};
use tokio::time::{Instant, sleep};

/// The first wait before a new start; doubles up to [`RESTART_MAX`].
const RESTART_MIN: Duration = Duration::from_millis(100);
const RESTART_MAX: Duration = Duration::from_secs(10);
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
    let mut wait = RESTART_MIN;
    health.pass(name, Scope::Ready);
    loop {
        let task = AssertUnwindSafe(start()).catch_unwind();
        tokio::pin!(task);
        let ended = tokio::select! {
            ended = &mut task => ended,
            // It has run well for so long that what was before does not count any more.
            () = sleep(WINDOW) => {
                wait = RESTART_MIN;
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
        sleep(wait).await;
        wait = (wait * 2).min(RESTART_MAX);
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

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_comes_back() {
        let starts = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&starts);
        let supervised = supervise("task", Health::default(), move || {
            let count = Arc::clone(&count);
            Box::pin(async move {
                if count.fetch_add(1, Ordering::Relaxed) < 2 {
                    panic!("for the test");
                }
                std::future::pending().await
            })
        });
        let _ = tokio::time::timeout(Duration::from_secs(5), supervised).await;
        assert_eq!(starts.load(Ordering::Relaxed), 3);
    }
}
