use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::BoxFuture;
use tokio::{sync::watch, time::Instant};

use super::*;

/// Finds nothing until it is told to.
struct Registry {
    there: AtomicUsize,
    asked: AtomicUsize,
    changed: watch::Sender<u64>,
}

impl ImageResolver for Registry {
    fn resolve<'a>(&'a self, query: &'a ImageQuery) -> BoxFuture<'a, Result<Option<String>, String>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let there = self.there.load(Ordering::Relaxed) > 0;
        Box::pin(async move {
            if there { Ok(Some(format!("{}@sha256:1", query.image))) } else { Err("nowhere".to_owned()) }
        })
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

fn revision() -> Revision {
    let mut revision = Revision::default();
    revision.metadata.name = Some("a".to_owned());
    revision.spec.containers = vec![Container {
        name: "c".to_owned(),
        image: Some("example.com/i".to_owned()),
        ..Container::default()
    }];
    revision
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_once_tried_again_and_mended_at_once_on_a_change() {
    let registry = Arc::new(Registry { there: 0.into(), asked: 0.into(), changed: watch::Sender::new(0) });
    let (digests, queue) = (Arc::new(Digests::new()), Arc::new(Queue::new(Backoff::default())));
    let run = {
        let (digests, registry, queue) = (Arc::clone(&digests), Arc::clone(&registry), Arc::clone(&queue));
        tokio::spawn(async move { digests.run(registry, queue).await })
    };
    let revision = revision();
    let outcome = || digests.outcome(&revision, &Configs::default());
    assert_eq!(outcome(), Outcome::Pending);
    let key = queue.next().await;
    queue.done(&key);
    assert_eq!(outcome(), Outcome::Failed("Unable to fetch image \"example.com/i\": nowhere".to_owned()));

    let start = Instant::now();
    while registry.asked.load(Ordering::Relaxed) < 20 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(start.elapsed() <= RETRY.max * 20, "{:?}", start.elapsed());
    assert!(queue.is_empty(), "the same failure is no news");

    registry.there.store(1, Ordering::Relaxed);
    let start = Instant::now();
    registry.changed.send_modify(|version| *version += 1);
    queue.next().await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    let resolved =
        ContainerStatus { name: "c".to_owned(), image_digest: "example.com/i@sha256:1".to_owned() };
    assert_eq!(outcome(), Outcome::Resolved(vec![resolved]));
    run.abort();
}

#[test]
fn registries() {
    let cases = [
        ("nginx", "index.docker.io"),
        ("library/nginx:1", "index.docker.io"),
        ("dev.local/a", "dev.local"),
        ("localhost/a", "localhost"),
        ("host:5000/a/b", "host:5000"),
        ("gcr.io/p/a@sha256:0", "gcr.io"),
    ];
    for (image, expect) in cases {
        assert_eq!(registry(image), expect, "{image}");
    }
}
