use std::{pin::pin, sync::mpsc, time::Duration};

use tokio::time::timeout;

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

/// Whether others get their turn during work on so many bytes.
async fn others_go_on(bytes: usize) -> bool {
    let (tell, told) = mpsc::channel();
    let work = tokio::spawn(async move {
        tokio::spawn(async move { tell.send(()) });
        let patience = if bytes >= LONG_BYTES { PATIENCE } else { Duration::from_millis(100) };
        aside(bytes, move || told.recv_timeout(patience).is_ok()).await
    });
    work.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn others_do_not_wait_for_long_work() {
    assert!(others_go_on(LONG_BYTES).await);
    assert!(!others_go_on(LONG_BYTES - 1).await, "what is short is not worth a thread");
}

#[tokio::test]
async fn a_thread_alone_does_its_work_itself() {
    assert_eq!(aside(LONG_BYTES, || 7).await, 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn few_pieces_of_long_work_are_done_at_once() {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let mut gates = Vec::new();
    for _ in 0..AT_ONCE_MAX {
        let (gate, opened) = mpsc::channel::<()>();
        gates.push(gate);
        let tell = tell.clone();
        let piece = move || {
            tell.send(()).unwrap();
            // Until the gates go.
            _ = opened.recv();
        };
        tokio::spawn(aside(LONG_BYTES, piece));
    }
    for _ in 0..AT_ONCE_MAX {
        timeout(PATIENCE, told.recv()).await.expect("so many are done at once");
    }
    let mut further = pin!(aside(LONG_BYTES, || ()));
    assert!(futures::poll!(further.as_mut()).is_pending(), "there is no place for one more");
    drop(gates);
    timeout(PATIENCE, further).await.expect("places are given back");
}
