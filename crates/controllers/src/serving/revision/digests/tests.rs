use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures::future::BoxFuture;
use tokio::{task::JoinHandle, time::Instant};

use super::*;

/// A registry that never answers.
const SLOW: &str = "slow.example.com/i";
/// One that has everything.
const GOOD: &str = "good.example.com/i";

/// Finds nothing on this machine until it is told to.
struct Resolver {
    there: AtomicBool,
    asked: AtomicUsize,
    changed: watch::Sender<u64>,
}

impl Resolver {
    fn load(&self) {
        self.there.store(true, Ordering::Relaxed);
        self.changed.send_modify(|version| *version += 1);
    }
}

impl ImageResolver for Resolver {
    fn local(&self, query: &ImageQuery) -> Option<Result<Option<String>, String>> {
        self.there.load(Ordering::Relaxed).then(|| Ok(Some(digest(&query.image))))
    }

    fn resolve<'a>(&'a self, query: &'a ImageQuery) -> BoxFuture<'a, Result<Option<String>, String>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            match query.image.as_str() {
                _ if query.keep_tag => Ok(None),
                SLOW => pending().await,
                GOOD => Ok(Some(digest(GOOD))),
                _ => Err("nowhere".to_owned()),
            }
        })
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

fn digest(image: &str) -> String {
    format!("{image}@sha256:1")
}

struct Lookups {
    digests: Arc<Digests>,
    resolver: Arc<Resolver>,
    revisions: Arc<Queue<ObjectKey>>,
    run: JoinHandle<()>,
}

impl Lookups {
    fn start() -> Self {
        let resolver =
            Arc::new(Resolver { there: false.into(), asked: 0.into(), changed: watch::Sender::new(0) });
        let (digests, revisions) = (Arc::new(Digests::new()), Arc::new(Queue::new(Backoff::default())));
        let run = {
            let (digests, resolver) = (Arc::clone(&digests), Arc::clone(&resolver));
            let revisions = Arc::clone(&revisions);
            tokio::spawn(async move { digests.run(resolver, revisions).await })
        };
        Self { digests, resolver, revisions, run }
    }

    fn outcome(&self, revision: &Revision) -> Outcome {
        self.digests.outcome(revision, &Configs::default())
    }

    /// The next Revision of which there is something new, and how long that takes.
    async fn next(&self) -> (String, Duration) {
        let start = Instant::now();
        let key = self.revisions.next().await;
        self.revisions.done(&key);
        (key.name, start.elapsed())
    }
}

impl Drop for Lookups {
    fn drop(&mut self) {
        self.run.abort();
    }
}

fn revision(name: &str, image: &str) -> Revision {
    let mut revision = Revision::default();
    revision.metadata.name = Some(name.to_owned());
    revision.spec.containers =
        vec![Container { name: "c".to_owned(), image: Some(image.to_owned()), ..Container::default() }];
    revision
}

fn resolved(image_digest: String) -> Outcome {
    Outcome::Resolved(vec![ContainerStatus { name: "c".to_owned(), image_digest }])
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_once_tried_again_and_mended_at_once_on_a_change() {
    let lookups = Lookups::start();
    let revision = revision("a", "example.com/i");
    assert_eq!(lookups.outcome(&revision), Outcome::Pending);
    lookups.next().await;
    let why = "Unable to fetch image \"example.com/i\": nowhere";
    assert_eq!(lookups.outcome(&revision), Outcome::Failed(why.to_owned()));

    let start = Instant::now();
    while lookups.resolver.asked.load(Ordering::Relaxed) < 20 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(start.elapsed() <= RETRY.max * 20, "{:?}", start.elapsed());
    assert!(lookups.revisions.is_empty(), "the same failure is no news");

    lookups.resolver.load();
    assert_eq!(lookups.next().await, ("a".to_owned(), Duration::ZERO));
    assert_eq!(lookups.outcome(&revision), resolved(digest("example.com/i")));
}

#[tokio::test(start_paused = true)]
async fn a_slow_registry_holds_up_neither_others_nor_what_is_on_this_machine() {
    let lookups = Lookups::start();
    let slow: Vec<_> = (0..100).map(|number| revision(&format!("slow-{number}"), SLOW)).collect();
    slow.iter().for_each(|revision| assert_eq!(lookups.outcome(revision), Outcome::Pending));
    lookups.outcome(&revision("good", GOOD));
    assert_eq!(lookups.next().await, ("good".to_owned(), Duration::ZERO));
    lookups.resolver.load();
    for _ in &slow {
        assert_eq!(lookups.next().await.1, Duration::ZERO);
    }
    assert!(slow.iter().all(|revision| lookups.outcome(revision) == resolved(digest(SLOW))));
}

#[tokio::test(start_paused = true)]
async fn other_settings_are_for_what_is_being_looked_up_too() {
    let lookups = Lookups::start();
    let revision = revision("a", SLOW);
    assert_eq!(lookups.outcome(&revision), Outcome::Pending);
    tokio::task::yield_now().await;
    let mut configs = Configs::default();
    configs.deployment.registries_skipping_tag_resolving.insert("slow.example.com".to_owned());
    assert_eq!(lookups.digests.outcome(&revision, &configs), Outcome::Pending);
    assert_eq!(lookups.next().await, ("a".to_owned(), Duration::ZERO));
    assert_eq!(lookups.digests.outcome(&revision, &configs), resolved(String::new()));
}

#[tokio::test(start_paused = true)]
async fn what_names_a_digest_stands_for_itself_and_a_tag_that_is_left_alone_for_nothing() {
    let lookups = Lookups::start();
    let mut configs = Configs::default();
    configs.deployment.registries_skipping_tag_resolving.insert("example.com".to_owned());
    for (name, image, expect) in [
        ("digest", "good.example.com/i@sha256:1", "good.example.com/i@sha256:1"),
        ("both", "good.example.com/i:1@sha256:1", "good.example.com/i:1@sha256:1"),
        ("digest-left-alone", "example.com/i@sha256:1", "example.com/i@sha256:1"),
        ("left-alone", "example.com/i:1", ""),
    ] {
        let revision = revision(name, image);
        assert_eq!(lookups.digests.outcome(&revision, &configs), Outcome::Pending);
        assert_eq!(lookups.next().await.0, name);
        assert_eq!(lookups.digests.outcome(&revision, &configs), resolved(expect.to_owned()), "{image}");
    }
    lookups.resolver.load();
    let here = revision("here", "good.example.com/i@sha256:2");
    assert_eq!(lookups.outcome(&here), Outcome::Pending);
    lookups.next().await;
    assert_eq!(lookups.outcome(&here), resolved("good.example.com/i@sha256:2".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_status_without_the_digest_that_its_image_names_gets_it() {
    let lookups = Lookups::start();
    for (image, stored, expect) in [
        ("example.com/i@sha256:1", "", "example.com/i@sha256:1"),
        ("example.com/i:1@sha256:1", "", "example.com/i:1@sha256:1"),
        ("example.com/i@sha256:1", "example.com/i@sha256:2", "example.com/i@sha256:2"),
        ("example.com/i:1", "", ""),
    ] {
        let mut revision = revision("a", image);
        revision.status.container_statuses =
            vec![ContainerStatus { name: "c".to_owned(), image_digest: stored.to_owned() }];
        assert_eq!(lookups.outcome(&revision), resolved(expect.to_owned()), "{image}");
    }
    assert_eq!(lookups.resolver.asked.load(Ordering::Relaxed), 0, "nothing is looked up for it");
}
