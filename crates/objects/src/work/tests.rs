use std::{
    cell::{Cell, RefCell},
    future::{pending, ready},
};

use super::*;
use crate::Backoff;

#[tokio::test]
async fn many_keys_leave_others_their_turn() {
    let queue = Queue::new(Backoff::default());
    (0..1000).for_each(|key| queue.add(key));
    let done = Cell::new(0);
    let does = |_| {
        done.set(done.get() + 1);
        ready(Ok(Action::Wait))
    };
    tokio::select! {
        biased;
        () = work(&queue, Pace::default(), does, |_, _, _| {}) => {}
        () = ready(()) => {}
    }
    assert!((1..100).contains(&done.get()), "{} in one turn", done.get());
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_has_failed() {
    let queue = Queue::new(Backoff::default());
    queue.add(1);
    let told = RefCell::new(Vec::new());
    let failed = |key: &i32, error: &Error, _| told.borrow_mut().push((*key, error.to_string()));
    let pace = Pace { limit: Duration::from_secs(7), ..Pace::default() };
    let working = work(&queue, pace, |_| pending(), failed);
    assert!(timeout(Duration::from_secs(8), working).await.is_err());
    let told = told.into_inner();
    assert!(matches!(&told[..], [(1, why)] if why.contains("not done after 7 s")), "{told:?}");
}
