use std::{cell::RefCell, collections::VecDeque, time::Duration};

use futures::stream::{self, BoxStream, StreamExt};
use kube::api::WatchEvent;
use serde_json::json;

use super::{watch::Event, *};
use crate::service::wait::readiness::Seen;

fn service(generation: i64, observed: i64, ready: &str, reason: &str, message: &str) -> Service {
    serde_json::from_value(json!({
        "metadata": { "name": "hello", "generation": generation },
        "status": {
            "observedGeneration": observed,
            "conditions": [{ "type": "Ready", "status": ready, "reason": reason, "message": message }],
        },
    }))
    .unwrap()
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn only_the_newest_generation_counts() {
    let mut readiness = Readiness::new(2 * SECOND);
    assert_eq!(readiness.observe(&service(2, 1, "True", "", ""), SECOND), Seen::Pending(None));
    assert_eq!(readiness.observe(&service(2, 1, "False", "R", "m"), SECOND), Seen::Pending(None));
    assert_eq!(readiness.deadline(), None);
    assert_eq!(readiness.observe(&service(2, 2, "True", "", ""), SECOND), Seen::Ready);
}

#[test]
fn a_failure_counts_from_its_first_sight_and_a_recovery_ends_it() {
    let mut readiness = Readiness::new(2 * SECOND);
    readiness.observe(&service(1, 1, "False", "First", "m"), SECOND);
    readiness.observe(&service(1, 1, "False", "Second", "n"), 2 * SECOND);
    assert_eq!((readiness.deadline(), readiness.failure()), (Some(3 * SECOND), Some(("First", "m"))));
    readiness.observe(&service(1, 1, "Unknown", "", ""), 2 * SECOND);
    assert_eq!((readiness.deadline(), readiness.failure()), (None, None));
}

/// One watch: the state it begins with, and what comes when.
type Script = (Service, Vec<(Duration, Event)>);

async fn wait(timeout: u64, watches: Vec<Script>) -> (Result<Duration, String>, String) {
    let watches = RefCell::new(VecDeque::from(watches));
    let open = || {
        let (service, events) = watches.borrow_mut().pop_front().expect("no more watches are opened");
        let events: BoxStream<'static, Event> = stream::iter(events)
            .then(|(after, event)| async move {
                tokio::time::sleep(after).await;
                event
            })
            .boxed();
        async move { Ok((service, events)) }
    };
    let mut out = Vec::new();
    let limits = Limits { timeout: Duration::from_secs(timeout), window: 2 * SECOND };
    let result = watch_until_ready("hello", limits, Readiness::new(limits.window), open, &mut out).await;
    (result.map_err(|error| error.to_string()), String::from_utf8(out).unwrap())
}

fn modified(after: Duration, service: Service) -> (Duration, Event) {
    (after, Ok(WatchEvent::Modified(service)))
}

#[tokio::test(start_paused = true)]
async fn progress_is_told_until_it_is_ready() {
    let deploying = || service(1, 1, "Unknown", "Deploying", "Deploying the revision.");
    let (result, out) = wait(
        600,
        vec![(
            service(1, 0, "True", "", "stale"),
            vec![
                modified(SECOND / 2, deploying()),
                modified(SECOND / 4, deploying()),
                modified(SECOND / 4, service(1, 1, "Unknown", "", "Ingress has not yet been reconciled.")),
                modified(SECOND / 4, service(1, 1, "Unknown", "", "")),
                modified(SECOND, service(1, 1, "True", "", "")),
            ],
        )],
    )
    .await;
    assert_eq!(result, Ok(Duration::from_millis(2250)));
    assert_eq!(
        out,
        "  0.500s Deploying the revision.\n  0.750s ...\n  1.000s Ingress has not yet been reconciled.\n"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_within_the_window_is_forgiven_and_after_it_final() {
    let failed = || service(1, 1, "False", "RevisionFailed", "no image");
    let (result, _) = wait(
        600,
        vec![(
            failed(),
            vec![modified(SECOND, failed()), modified(SECOND / 2, service(1, 1, "True", "", ""))],
        )],
    )
    .await;
    assert_eq!(result, Ok(Duration::from_millis(1500)));

    let (result, out) =
        wait(600, vec![(failed(), vec![modified(3 * SECOND, service(1, 1, "True", "", ""))])]).await;
    assert_eq!(result, Err("RevisionFailed: no image".into()));
    assert_eq!(out, "", "the error says it");
}

#[tokio::test(start_paused = true)]
async fn another_failure_than_the_first_is_told_as_progress() {
    let failed = |message| service(1, 1, "False", "RevisionFailed", message);
    let events = vec![modified(SECOND, failed("no registry")), modified(60 * SECOND, failed("no image"))];
    let (result, out) = wait(600, vec![(failed("no image"), events)]).await;
    assert_eq!(result, Err("RevisionFailed: no image".into()));
    assert_eq!(out, "  1.000s no registry\n");
}

#[tokio::test(start_paused = true)]
async fn the_whole_wait_is_bounded() {
    let pending = || service(1, 1, "Unknown", "", "");
    let (result, _) = wait(5, vec![(pending(), vec![modified(60 * SECOND, pending())])]).await;
    assert_eq!(result, Err("timeout: service 'hello' not ready after 5 seconds".into()));
    // The window is longer than what is left.
    let failed = service(1, 1, "False", "R", "m");
    let (result, out) = wait(1, vec![(failed.clone(), vec![modified(60 * SECOND, failed)])]).await;
    assert_eq!(result, Err("timeout: service 'hello' not ready after 1 seconds".into()));
    assert_eq!(out, "  1.000s m\n", "the error does not say it");
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_cut_is_opened_again() {
    let pending = || service(1, 1, "Unknown", "", "working");
    let (result, out) = wait(
        600,
        vec![(pending(), vec![]), (pending(), vec![modified(SECOND, service(1, 1, "True", "", ""))])],
    )
    .await;
    assert_eq!(result, Ok(2 * SECOND));
    assert_eq!(out, "  0.000s working\n  1.000s ...\n");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_service_is_not_waited_for() {
    let pending = service(1, 1, "Unknown", "", "");
    let (result, _) =
        wait(600, vec![(pending.clone(), vec![(SECOND, Ok(WatchEvent::Deleted(pending)))])]).await;
    assert_eq!(result, Err("service 'hello' was deleted while it was waited for".into()));
}

async fn told_of(looks: impl IntoIterator<Item = Option<String>>, seconds: u64) -> String {
    let mut looks = looks.into_iter();
    let look = || {
        let obstacle = looks.next().flatten();
        async move { obstacle }
    };
    let mut err = Vec::new();
    // Whatever it does not end for is over by then.
    let _ = tokio::time::timeout(Duration::from_secs(seconds), obstacles::tell(look, &mut err)).await;
    String::from_utf8(err).unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_holds_a_wait_up_is_told_once() {
    let seen = [Some("an image"), Some("an image"), None, Some("a probe"), Some("an image")];
    let looks = seen.map(|obstacle| obstacle.map(str::to_owned));
    assert_eq!(told_of(looks.clone(), 4).await, "", "a short wait asks nothing");
    assert_eq!(told_of(looks, 60).await, "  5.000s Waiting for an image\n 20.000s Waiting for a probe\n");
    let endless = (0..).map(|number: u32| Some(number.to_string()));
    assert_eq!(told_of(endless, 600).await.lines().count(), 20);
}
