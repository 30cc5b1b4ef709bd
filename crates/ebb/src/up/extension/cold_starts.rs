//! Where the time of a service's last cold starts went.

use dataplane::{ColdStart, Handle};
use objects::{Client, ListOptions};
use resources::{Object, labels, serving::Revision};
use serde_json::{Value, json};

use super::{Answer, Refusal};
use crate::args::RuntimeKind;
use apiserver::Query;

/// The last starts of all revisions of a service, and whether its containers are plain processes.
pub(super) async fn list(handle: &Handle, client: &Client, runtime: RuntimeKind, query: &Query) -> Answer {
    let (namespace, service) =
        (query.get("namespace").unwrap_or("default"), query.get("service").unwrap_or_default());
    let options = ListOptions::namespace(namespace).label(labels::SERVICE, service);
    let revisions = client.list::<Revision>(&options).await;
    let revisions = revisions.map_err(Refusal::internal)?.items;
    let starts = revisions.iter().flat_map(|revision| {
        handle
            .cold_starts(&revision.key())
            .into_iter()
            .map(|start| told(revision.name(), &start))
            .collect::<Vec<_>>()
    });
    Ok(json!({
        "items": starts.collect::<Vec<_>>(),
        "plainProcesses": runtime == RuntimeKind::Process,
    }))
}

fn told(revision: &str, start: &ColdStart) -> Value {
    let ms = |part: std::time::Duration| part.as_secs_f64() * 1000.0;
    let age = jiff::SignedDuration::try_from(start.at.elapsed()).unwrap_or_default();
    json!({
        "revision": revision,
        "time": crate::runtime::now().saturating_sub(age).map(|time| format!("{time:.3}")).unwrap_or_default(),
        "totalMs": ms(start.queue + start.connect),
        "queueMs": ms(start.queue),
        "scheduleMs": start.parts.map(|parts| ms(parts.schedule)),
        "sandboxMs": start.parts.map(|parts| ms(parts.sandbox)),
        "startMs": start.parts.map(|parts| ms(parts.start)),
        "connectMs": ms(start.connect),
    })
}
