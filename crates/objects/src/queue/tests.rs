use std::sync::Arc;

use super::*;

fn queue() -> Queue<&'static str> {
    Queue::new(Backoff { min: Duration::from_secs(1), max: Duration::from_secs(4) })
}

#[tokio::test]
async fn a_key_waits_once() {
    let queue = queue();
    queue.add("a");
    queue.add("b");
    queue.add("a");
    assert_eq!((queue.next().await, queue.next().await, queue.len()), ("a", "b", 0));
}

#[tokio::test]
async fn a_key_that_is_worked_on_comes_again_after() {
    let queue = queue();
    queue.add("a");
    let key = queue.next().await;
    queue.add("a");
    assert_eq!(queue.try_next(), None, "one at a time");
    queue.done(&key);
    assert_eq!(queue.try_next(), Some("a"));
}

#[tokio::test(start_paused = true)]
async fn failures_wait_longer_and_longer() {
    let queue = queue();
    queue.add("a");
    let mut waits = Vec::new();
    for _ in 0..4 {
        let start = Instant::now();
        let key = queue.next().await;
        waits.push(start.elapsed().as_secs());
        queue.failed(&key);
    }
    assert_eq!(waits, [0, 1, 2, 4]);
    let key = queue.next().await;
    queue.done(&key);
    queue.add("a");
    let key = queue.next().await;
    assert_eq!(queue.failed(&key), Duration::from_secs(1), "success forgets the failures");
}

#[tokio::test(start_paused = true)]
async fn the_sooner_wish_counts_and_adding_now_overtakes_both() {
    let queue = queue();
    let start = Instant::now();
    queue.add_after("a", Duration::from_secs(9));
    queue.add_after("a", Duration::from_secs(3));
    queue.add_after("a", Duration::from_secs(6));
    assert_eq!(queue.next().await, "a");
    assert_eq!(start.elapsed(), Duration::from_secs(3));
    queue.add_after("a", Duration::from_secs(9));
    queue.done(&"a");
    queue.add("a");
    assert_eq!(queue.next().await, "a");
    queue.done(&"a");
    assert!(
        tokio::time::timeout(Duration::from_secs(60), queue.next()).await.is_err(),
        "the later wish is gone"
    );
}

#[test]
fn what_is_added_in_bulk_comes_behind_and_comes() {
    let queue = Queue::new(Backoff::default());
    (0..4).for_each(|key| queue.add_in_bulk(key));
    queue.add(2);
    (100..120).for_each(|key| queue.add(key));
    queue.add_in_bulk(100);
    assert_eq!(queue.len(), 24);
    let taken: Vec<i32> = std::iter::from_fn(|| queue.try_next()).collect();
    assert_eq!(taken[..9], [2, 100, 101, 102, 103, 104, 105, 0, 106]);
    assert_eq!((taken[15], taken[23]), (1, 3));
    assert_eq!((taken.len(), queue.is_empty()), (24, true));
}

#[tokio::test(start_paused = true)]
async fn what_waits_in_bulk_comes_for_its_own_sake_when_its_time_has_come() {
    let wait = Duration::from_millis(5);
    for bulk_first in [true, false] {
        let queue = Queue::new(Backoff::default());
        if bulk_first {
            queue.add_in_bulk(0);
            queue.add_in_bulk(1);
            queue.add_after(1, wait);
        } else {
            queue.add_after(1, wait);
            queue.add_in_bulk(0);
            queue.add_in_bulk(1);
        }
        tokio::time::advance(wait).await;
        assert_eq!([queue.try_next(), queue.try_next(), queue.try_next()], [Some(1), Some(0), None]);
    }
}

#[tokio::test]
async fn a_waiter_is_woken() {
    let queue = Arc::new(queue());
    let waiter = tokio::spawn({
        let queue = Arc::clone(&queue);
        async move { queue.next().await }
    });
    tokio::task::yield_now().await;
    queue.add("a");
    assert_eq!(waiter.await.unwrap(), "a");
}

#[tokio::test(start_paused = true)]
async fn what_is_new_waits_while_much_is_begun_at_other_queues() {
    let backlog = Arc::new(Backlog::default());
    let [first, other] = [(); 2].map(|()| Queue::among(Backoff::default(), Arc::clone(&backlog)));
    (0..40).for_each(|key| other.add(key));
    (0..3).for_each(|key| first.add_in_bulk(key));
    assert_eq!(first.try_next(), None, "40 keys wait elsewhere");
    first.add(9);
    assert_eq!([first.try_next(), first.try_next()], [Some(9), None], "what is begun does not wait");

    let start = Instant::now();
    let (key, taken) =
        tokio::join!(first.next(), async { std::iter::from_fn(|| other.try_next()).take(8).count() });
    assert_eq!(
        (key, taken, start.elapsed()),
        (0, 8, Duration::ZERO),
        "it comes when the others are down to 32"
    );

    other.add(50);
    assert_eq!(first.next().await, 1);
    assert_eq!(start.elapsed(), HELD_BACK_MAX, "and in the end even if they do not get on");

    drop(other);
    assert_eq!(first.try_next(), Some(2), "a queue that is gone holds nobody up");
}
