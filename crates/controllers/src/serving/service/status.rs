//! A Service's status from those of its Configuration and Route.

use resources::{
    Object,
    condition::{self, READY},
    meta::Time,
    serving::{
        CONFIGURATIONS_READY, Configuration, ROUTES_READY, Route, SERVICE_CONDITIONS, Service, ServiceStatus,
        TrafficTarget,
    },
};

use crate::serving::{
    child::Child,
    route::{not_migrated, overtaken},
    verdict::{Verdict, mark},
};

/// What became of a Service's children.
pub(super) struct Observed {
    pub(super) configuration: Child<Configuration>,
    pub(super) route: ObservedRoute,
}

impl Observed {
    /// Whether a child's name is somebody else's.
    pub(super) fn has_foreign(&self) -> bool {
        self.configuration.is_foreign() || matches!(self.route, ObservedRoute::Reconciled(Child::Foreign))
    }
}

/// What became of a Service's Route.
pub(super) enum ObservedRoute {
    /// It was left as it was, since the Configuration is not there yet: the condition stays too.
    Held,
    /// It was left as it was, since the name that the template asks for belongs to another Revision.
    RevisionNameTaken(String),
    Reconciled(Child<Route>),
}

/// The status of a Service.
pub(super) fn service_status(service: &Service, observed: &Observed, now: &Time) -> ServiceStatus {
    let mut status = service.status.clone();
    status.observed_generation = Some(service.generation());
    let mut verdicts =
        vec![(CONFIGURATIONS_READY, configurations_ready(service.name(), &observed.configuration))];
    if let Some(configuration) =
        observed.configuration.own().filter(|configuration| is_observed(configuration))
    {
        status.latest_created_revision_name = configuration.status.latest_created_revision_name.clone();
        status.latest_ready_revision_name = configuration.status.latest_ready_revision_name.clone();
    }
    if let Some(verdict) = routes_ready(service.name(), observed) {
        verdicts.push((ROUTES_READY, verdict));
    }
    if let ObservedRoute::Reconciled(Child::Own(route)) = &observed.route
        && is_route_observed(route)
    {
        status.url = route.status.url.clone();
        status.address = route.status.address.clone();
        status.traffic = route.status.traffic.clone();
    }
    mark(&SERVICE_CONDITIONS, &mut status.conditions, verdicts, now);
    status
}

/// Whether a Configuration's status speaks of its present spec.
pub(super) fn is_observed(configuration: &Configuration) -> bool {
    configuration.status.observed_generation == Some(configuration.generation())
}

fn is_route_observed(route: &Route) -> bool {
    route.status.observed_generation == Some(route.generation())
}

fn configurations_ready(service: &str, configuration: &Child<Configuration>) -> Verdict {
    match configuration {
        Child::Foreign => not_owned("Configuration", service),
        Child::Own(configuration) if !is_observed(configuration) => out_of_date("Configuration"),
        Child::Own(configuration) => Verdict::of(condition::get(&configuration.status.conditions, READY)),
    }
}

fn routes_ready(service: &str, observed: &Observed) -> Option<Verdict> {
    let route = match &observed.route {
        ObservedRoute::Held => return None,
        ObservedRoute::RevisionNameTaken(name) => {
            let message = format!(
                "The revision name {name:?} is taken by a conflicting Revision, so traffic will not be migrated"
            );
            return Some(Verdict::no("RevisionNameTaken", message));
        }
        ObservedRoute::Reconciled(Child::Foreign) => return Some(not_owned("Route", service)),
        ObservedRoute::Reconciled(Child::Own(route)) => route,
    };
    if !is_route_observed(route) {
        return Some(out_of_date("Route"));
    }
    let verdict = Verdict::of(condition::get(&route.status.conditions, READY));
    let configuration = observed.configuration.own();
    let migrated = configuration.is_some_and(|configuration| is_migrated(configuration, route));
    if verdict == Verdict::yes() && !migrated {
        return Some(not_migrated());
    }
    // A Route that begins to lead somewhere tells it only once that lasts, and until then has what it said before.
    let since = configuration.and_then(|configuration| overtaken(&verdict, configuration));
    Some(since.unwrap_or(verdict))
}

/// Whether the split in force is the one asked for, with the latest ready Revision in place of the Configuration.
fn is_migrated(configuration: &Configuration, route: &Route) -> bool {
    let wanted = route.spec.traffic.iter().map(|target| match &target.configuration_name {
        Some(name) if name == configuration.name() => {
            shape(target, configuration.status.latest_ready_revision_name.as_deref())
        }
        _ => shape(target, target.revision_name.as_deref()),
    });
    wanted.eq(route.status.traffic.iter().map(|target| shape(target, target.revision_name.as_deref())))
}

/// What counts of a target: not its URL, nor by which way its Revision was found.
fn shape<'a>(
    target: &'a TrafficTarget,
    revision: Option<&'a str>,
) -> (Option<&'a str>, Option<&'a str>, i64) {
    (target.tag.as_deref(), revision, target.percent.unwrap_or(0))
}

fn out_of_date(kind: &str) -> Verdict {
    let message = format!("The {kind} is still working to reflect the latest desired specification.");
    Verdict::unknown("OutOfDate", message)
}

fn not_owned(kind: &str, name: &str) -> Verdict {
    Verdict::no("NotOwned", format!("There is an existing {kind} {name:?} that we do not own."))
}
