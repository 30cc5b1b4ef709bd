//! The Route of a Service.

use resources::{
    Object, labels,
    serving::{Route, RouteSpec, Service, TrafficTarget},
};

use crate::serving::child::{self, take_metadata};

/// The Route that a Service asks for: its targets, where the latest Revision is that of its own Configuration.
pub(super) fn desired_route(service: &Service) -> Route {
    let mut labels = child::labels(&service.metadata);
    labels.insert(labels::SERVICE.to_owned(), service.name().to_owned());
    let annotations = child::annotations(&service.metadata);
    let mut traffic: Vec<_> = service.spec.traffic.iter().map(|target| of_service(target, service)).collect();
    if traffic.is_empty() {
        let all = TrafficTarget { percent: Some(100), ..TrafficTarget::default() };
        traffic.push(of_service(&all, service));
    }
    Route::new(
        child::metadata(service, service.name().to_owned(), labels, annotations),
        RouteSpec { traffic },
    )
}

fn of_service(target: &TrafficTarget, service: &Service) -> TrafficTarget {
    let latest = target.revision_name.is_none();
    TrafficTarget {
        configuration_name: latest.then(|| service.name().to_owned()),
        latest_revision: Some(target.latest_revision.unwrap_or(latest)),
        ..target.clone()
    }
}

/// `existing` as `desired` asks.
pub(super) fn merge(existing: &Route, desired: Route) -> Route {
    let mut merged = existing.clone();
    take_metadata(&mut merged.metadata, desired.metadata, &[]);
    merged.spec = desired.spec;
    merged
}
