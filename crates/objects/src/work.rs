//! Works on the keys of a queue: some at once, none for ever, and in turns with others on the thread.

use std::{future::Future, hash::Hash, time::Duration};

use futures::{StreamExt, stream::FuturesUnordered};
use tokio::{task::yield_now, time::timeout};

use crate::{Action, Error, Queue, Result};

/// How many keys are finished in a row before others on the thread have their turn. What is done in process hardly ever
/// waits, so that thousands of keys would hold up all the rest.
const TURN: u32 = 8;

/// How fast a queue is worked on.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How many keys at once.
    pub at_once: usize,
    /// How long the work on one may take.
    pub limit: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        // The limit is upstream's (pkg, controller).
        Self { at_once: 32, limit: Duration::from_secs(30) }
    }
}

/// Works on keys as they come, until it is dropped. A key that fails comes again after a growing wait, which `failed` is
/// told.
pub async fn work<K, Doing>(
    queue: &Queue<K>,
    pace: Pace,
    does: impl Fn(K) -> Doing,
    failed: impl Fn(&K, &Error, Duration),
) where
    K: Clone + Eq + Hash,
    Doing: Future<Output = Result<Action>>,
{
    let mut working = FuturesUnordered::new();
    let mut in_turn = 0;
    loop {
        tokio::select! {
            biased;
            Some((key, outcome)) = working.next() => {
                match outcome {
                    Ok(action) => {
                        queue.done(&key);
                        if let Action::After(wait) = action {
                            queue.add_after(key, wait);
                        }
                    }
                    Err(error) => failed(&key, &error, queue.failed(&key)),
                }
                in_turn += 1;
                if in_turn == TURN {
                    in_turn = 0;
                    yield_now().await;
                }
            }
            key = queue.next(), if working.len() < pace.at_once => {
                let doing = timeout(pace.limit, does(key.clone()));
                working.push(async move {
                    let late = || Error::Unavailable(format!("not done after {} s", pace.limit.as_secs()));
                    let outcome: Result<Action> = doing.await.unwrap_or_else(|_| Err(late()));
                    (key, outcome)
                });
            }
        }
    }
}

#[cfg(test)]
mod tests;
