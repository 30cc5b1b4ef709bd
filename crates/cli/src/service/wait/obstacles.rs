//! What holds a long wait up: told beside its progress, which is silent while nothing changes.

use std::{collections::HashSet, future::Future, io::Write, time::Duration};

use resources::{Object, serving::Service};
use tokio::time::{Instant, sleep};

use crate::{
    api::Session,
    service::{describe::obstacle, update::revisions},
};

/// How long a wait may last before it is asked what holds it up, and how often it is asked again.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How many different obstacles one wait tells of.
const TOLD_MAX: usize = 20;

/// Tells of each obstacle that is seen, once; ends when it has told of so many that more would be of no use.
pub(super) async fn tell<L, F>(mut look: L, err: &mut (dyn Write + Send))
where
    L: FnMut() -> F,
    F: Future<Output = Option<String>>,
{
    let start = Instant::now();
    let mut told = HashSet::new();
    while told.len() < TOLD_MAX {
        sleep(LOOK_EVERY).await;
        let Some(obstacle) = look().await else { continue };
        if told.insert(obstacle.clone()) {
            // The wait goes on where it cannot be written: nobody needs it.
            let _ = writeln!(err, "{:7.3}s Waiting for {obstacle}", start.elapsed().as_secs_f64());
        }
    }
}

/// What holds the service up now, in the words of its description; nothing where that cannot be seen.
pub(super) async fn look(name: &str, session: &Session) -> Option<String> {
    let service = session.get::<Service>(name).await.ok()?;
    // What the status says of an older generation is not what is waited for.
    if service.status.observed_generation != Some(service.generation()) {
        return None;
    }
    let revisions = revisions(name, session).await.ok()?;
    obstacle(&service, &revisions)
}
