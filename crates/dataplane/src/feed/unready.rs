//! Routes that are not ready → hosts that can say so.

use objects::{Client, Event, ListOptions};
use resources::{
    Object,
    condition::{self, Condition, READY},
    labels,
    serving::Route,
};

use crate::Handle;

pub(super) async fn follow(client: &Client, handle: &Handle) {
    let mut watch = client.watch::<Route>(ListOptions::all());
    let unready = handle.unready();
    loop {
        match watch.next().await {
            Event::Applied(route) => unready.set(&route.key(), host(&route)),
            Event::Deleted(route) => unready.set(&route.key(), None),
            Event::Restarted => unready.clear(),
            Event::Synced => {}
        }
    }
}

/// The host of a Service's Route that is not ready, if everyone may know of it: a cluster-local Route has no other URL
/// than the one inside.
fn host(route: &Route) -> Option<&str> {
    route.label(labels::SERVICE)?;
    let status = &route.status;
    let ready = condition::get(&status.conditions, READY).is_some_and(Condition::is_true);
    let inside = status.address.as_ref().and_then(|address| address.url.as_deref());
    let url = status.url.as_deref().filter(|url| !ready && Some(*url) != inside)?;
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest).split('/').next()?;
    Some(authority.split_once(':').map_or(authority, |(host, _)| host))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_public_routes_that_are_not_ready_have_a_host() {
        const INSIDE: &str = "http://a.n.svc.cluster.local";
        for (url, ready, expect) in [
            (Some("http://a.n.localhost:8080"), "Unknown", Some("a.n.localhost")),
            (Some("http://a.n.example.com"), "False", Some("a.n.example.com")),
            (Some("http://a.n.localhost"), "True", None),
            (Some(INSIDE), "False", None),
            (None, "False", None),
        ] {
            let route = json!({
                "metadata": { "name": "a", "namespace": "n", "labels": { "serving.knative.dev/service": "a" } },
                "status": {
                    "url": url,
                    "address": { "url": INSIDE },
                    "conditions": [{ "type": "Ready", "status": ready }],
                },
            });
            let route: Route = serde_json::from_value(route).unwrap();
            assert_eq!(host(&route), expect, "{url:?} {ready}");
        }
    }
}
