//! Events are deleted an hour after they were last told (upstream: kube-apiserver, `--event-ttl`).
//!
//! Nothing is kept in memory of an event, and there is no timer while there is none: the first one sets it, and each
//! sweep over all of them sets it anew for the oldest that is left.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use objects::{Client, Event as Change, ListOptions, Result};
use resources::{Object, builtin::Event};
use tokio::time::{Instant, sleep_until};

use super::Context;

/// How long an event is kept after it was last told.
const TTL: SignedDuration = SignedDuration::from_hours(1);
/// The least time between two sweeps: many events go at once.
const SWEEP_MIN: Duration = Duration::from_secs(300);
/// Events read at a time.
const PAGE_MAX: usize = 500;

pub(super) async fn run(context: Context) {
    let mut watch = context.client.watch::<Event>(ListOptions::all());
    let mut next: Option<Instant> = None;
    loop {
        tokio::select! {
            change = watch.next() => if let Change::Applied(event) = change {
                let due = Instant::now() + left(&event, (context.clock)()).max(SWEEP_MIN);
                next = Some(next.map_or(due, |next| next.min(due)));
            },
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                let wait = sweep(&context.client, (context.clock)()).await.unwrap_or_else(|error| {
                    tracing::warn!(%error, "could not delete old events; trying again later");
                    Some(SWEEP_MIN)
                });
                next = wait.map(|wait| Instant::now() + wait.max(SWEEP_MIN));
            }
        }
    }
}

/// Deletes what has expired; returns when the next one will, if any is left.
async fn sweep(client: &Client, now: Timestamp) -> Result<Option<Duration>> {
    let mut soonest: Option<Duration> = None;
    let mut options = ListOptions { limit: PAGE_MAX, ..ListOptions::all() };
    loop {
        let page = client.backend().list(Event::kind(), &options).await?;
        for event in page.items.into_iter().filter_map(resources::downcast::<Event>) {
            let left = left(&event, now);
            if left.is_zero() {
                client.delete_exactly(&*event).await?;
            } else {
                soonest = Some(soonest.map_or(left, |soonest| soonest.min(left)));
            }
        }
        match page.next {
            Some(next) => options.continue_token = Some(next),
            None => return Ok(soonest),
        }
    }
}

/// How long an event is kept from now on. Times to come do not count, or it could stay for ever.
fn left(event: &Event, now: Timestamp) -> Duration {
    let told = [
        event.metadata.creation_timestamp.as_ref().map(|at| at.0),
        event.last_timestamp.as_ref().map(|at| at.0),
        event.event_time.as_ref().map(|at| at.0),
        event.series.as_ref().and_then(|series| series.last_observed_time.as_ref()).map(|at| at.0),
    ];
    let last = told.into_iter().flatten().filter(|at| *at <= now).max();
    let left = last.map_or(SignedDuration::ZERO, |last| TTL - now.duration_since(last));
    Duration::try_from(left).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use resources::meta::{MicroTime, ObjectMeta, Time};

    use super::*;

    #[test]
    fn an_hour_after_it_was_last_told() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-01-01T12:00:00Z");
        // (created, last, event time, minutes left)
        let cases = [
            ("11:30:00", None, None, 30),
            ("10:30:00", None, None, 0),
            ("10:30:00", Some("11:50:00"), None, 50),
            ("10:30:00", None, Some("11:01:00"), 1),
            ("11:50:00", Some("10:00:00"), None, 50),
            ("11:30:00", Some("23:00:00"), None, 30),
        ];
        for (created, last, event_time, minutes) in cases {
            let day = |time: &str| at(&format!("2026-01-01T{time}Z"));
            let event = Event {
                metadata: ObjectMeta {
                    creation_timestamp: Some(Time(day(created))),
                    ..ObjectMeta::default()
                },
                last_timestamp: last.map(|time| Time(day(time))),
                event_time: event_time.map(|time| MicroTime(day(time))),
                ..Event::default()
            };
            assert_eq!(left(&event, now), Duration::from_secs(minutes * 60), "{event:?}");
        }
    }
}
