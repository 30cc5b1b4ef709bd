use std::time::Duration;

use futures::FutureExt;
use tokio::time::advance;

use super::*;
use crate::{DialTcp, StartTimes, StartTimesOf, StatSink};

/// What the autoscaler was told, in requests at once.
#[derive(Default)]
struct Told(Mutex<Vec<f64>>);

impl StatSink for Told {
    fn report(&self, stats: &[RevisionStat]) {
        self.0.lock().extend(stats.iter().map(|stat| stat.average_concurrency));
    }
}

impl StartTimesOf for Told {
    fn of(&self, _uid: &str, _wished: Instant) -> Option<StartTimes> {
        None
    }
}

#[tokio::test(start_paused = true)]
async fn one_request_is_one_however_often_the_instances_change_while_it_waits() {
    let told = Arc::new(Told::default());
    let context = Context {
        limits: Arc::new(Limits::default()),
        dice: Arc::new(Dice::seeded(1)),
        seams: Seams { dial: Arc::new(DialTcp), stats: told.clone(), starts: told.clone() },
        reports: Reports::default(),
        cold_starts: ColdStarts::default(),
        drained: Drained::default(),
        next: OnceLock::new(),
    };
    let key = Arc::new(RevisionKey::new("default", "hello-00001"));
    let revision = Arc::new(Revision::new(key, Arc::new(context), RevisionConfig::default()));
    let mut visit = revision.enter();
    assert!(visit.admit(None).now_or_never().is_none(), "it waits");
    for _ in 0..2 {
        (0..3).for_each(|_| revision.set_instances(Vec::new()));
        advance(Duration::from_secs(1)).await;
        let (stat, _) = revision.take_stat(Instant::now());
        let told = std::mem::take(&mut *told.0.lock());
        assert_eq!((told, stat.average_concurrency), (vec![1.0], 0.0));
    }
}
