//! Follows one service until it is ready, over as many watches as it takes.

use std::{future::Future, io::Write, pin::pin, time::Duration};

use futures::{Stream, StreamExt, stream::BoxStream};
use kube::{Api, api::WatchEvent};
use resources::serving::Service;
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    Limits, REOPEN_PAUSE,
    readiness::{Readiness, Seen},
    watch_of,
};
use crate::{api::Session, error::Error};

/// The current state of a service and everything after it.
pub(super) type Opened<S> = (Service, S);
/// What happened to it.
pub(super) type Event = Result<WatchEvent<Service>, Error>;

/// Reads the service and watches it from there.
pub(super) async fn open(
    name: &str,
    api: &Api<Service>,
    session: &Session,
) -> Result<Opened<BoxStream<'static, Event>>, Error> {
    let service = session.get::<Service>(name).await?;
    let version = service.metadata.resource_version.clone().unwrap_or_default();
    let events = api.watch(&watch_of(name), &version).await.map_err(|error| session.explain(error))?;
    let url = session.url.clone();
    let events = events.map(move |event| {
        event.map_err(|error| Error::Unreachable { url: url.clone(), reason: error.to_string() })
    });
    Ok((service, events.boxed()))
}

/// Waits until the service is ready and prints what is being waited for. How long that took.
pub(super) async fn watch_until_ready<O, F, S>(
    name: &str,
    limits: Limits,
    mut readiness: Readiness,
    mut open: O,
    out: &mut (dyn Write + Send),
) -> Result<Duration, Error>
where
    O: FnMut() -> F,
    F: Future<Output = Result<Opened<S>, Error>>,
    S: Stream<Item = Event>,
{
    let start = Instant::now();
    let end = start + limits.timeout;
    // When waiting any longer is pointless, whatever is being waited for.
    let until =
        |readiness: &Readiness| readiness.deadline().map_or(end, |deadline| end.min(start + deadline));
    loop {
        let opened = timeout_at(until(&readiness), open()).await;
        let (service, events) = opened.map_err(|_| late(name, limits, &readiness, start, out))??;
        let mut events = pin!(events);
        let mut next = Some(service);
        loop {
            if let Some(service) = next.take() {
                match readiness.observe(&service, start.elapsed()) {
                    Seen::Ready => return Ok(start.elapsed()),
                    Seen::Pending(Some(line)) => writeln!(out, "{line}")?,
                    Seen::Pending(None) => {}
                }
            }
            let event = timeout_at(until(&readiness), events.next()).await;
            match event.map_err(|_| late(name, limits, &readiness, start, out))? {
                Some(Ok(WatchEvent::Modified(service) | WatchEvent::Added(service))) => next = Some(service),
                Some(Ok(WatchEvent::Bookmark(_))) => {}
                Some(Ok(WatchEvent::Deleted(_))) => {
                    return Err(Error::Refused(format!(
                        "service '{name}' was deleted while it was waited for"
                    )));
                }
                // An expired version or a cut connection: the state is read anew.
                Some(Ok(WatchEvent::Error(_)) | Err(_)) | None => break,
            }
        }
        let paused = timeout_at(until(&readiness), sleep(REOPEN_PAUSE)).await;
        paused.map_err(|_| late(name, limits, &readiness, start, out))?;
    }
}

/// Why it is not waited any longer.
fn late(
    name: &str,
    limits: Limits,
    readiness: &Readiness,
    start: Instant,
    out: &mut (dyn Write + Send),
) -> Error {
    let name = name.to_owned();
    if let Some((reason, message)) = readiness.failure()
        && readiness.deadline().is_some_and(|deadline| deadline < limits.timeout)
    {
        return Error::NotReady { name, reason: reason.to_owned(), message: message.to_owned() };
    }
    if let Some(line) = readiness.failure_line(start.elapsed()) {
        // The error is told, whether or not this can be.
        let _ = writeln!(out, "{line}");
    }
    Error::Timeout { kind: "service", name, what: "ready", seconds: limits.timeout.as_secs() }
}
