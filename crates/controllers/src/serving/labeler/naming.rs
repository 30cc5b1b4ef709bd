//! Which Routes name which Revisions and Configurations, kept from what the watches tell.

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;
use resources::{
    Object, ObjectKey,
    serving::{Configuration, Route, TrafficTarget},
};

use crate::serving::references::References;

/// Which Routes name what.
pub(super) struct Naming {
    /// Revisions named in a Route's spec or status.
    route_revisions: References,
    /// Configurations named in a Route's spec.
    route_configurations: References,
    /// A Configuration's latest Revisions.
    latest: References,
    /// Revisions that are still marked with a Route until that has settled.
    lingering: Mutex<BTreeMap<ObjectKey, BTreeSet<ObjectKey>>>,
}

impl Naming {
    pub(super) fn new() -> Self {
        Self {
            route_revisions: References::new(),
            route_configurations: References::new(),
            latest: References::new(),
            lingering: Mutex::new(BTreeMap::new()),
        }
    }

    /// Takes in a Route; returns the Revisions that it concerns or did before.
    pub(super) fn learn_route(&self, route: &Route) -> Vec<ObjectKey> {
        let revisions = targets(route).filter_map(|target| target.revision_name.as_deref());
        let revisions: BTreeSet<_> = revisions.map(|name| ObjectKey::new(route.namespace(), name)).collect();
        let configurations = configurations(route);
        let mut concerned = self.route_revisions.set(&route.key(), revisions.clone());
        concerned.extend(revisions);
        let before = self.route_configurations.set(&route.key(), configurations.clone());
        concerned
            .extend(before.union(&configurations).flat_map(|configuration| self.latest.from(configuration)));
        concerned.extend(self.lingering.lock().remove(&route.key()).unwrap_or_default());
        concerned.into_iter().collect()
    }

    /// A Revision wants to hear of the next change of a Route. Said before the Route is read, so that none is missed.
    pub(super) fn linger(&self, route: &ObjectKey, revision: &ObjectKey) {
        self.lingering.lock().entry(route.clone()).or_default().insert(revision.clone());
    }

    /// A Revision need not hear of a Route after all.
    pub(super) fn cease(&self, route: &ObjectKey, revision: &ObjectKey) {
        let mut lingering = self.lingering.lock();
        if let Some(revisions) = lingering.get_mut(route) {
            revisions.remove(revision);
            if revisions.is_empty() {
                lingering.remove(route);
            }
        }
    }

    /// Takes in a Configuration; returns the Revisions that are or were its latest.
    pub(super) fn learn_configuration(&self, configuration: &Configuration) -> Vec<ObjectKey> {
        let status = &configuration.status;
        let latest = [&status.latest_created_revision_name, &status.latest_ready_revision_name];
        let latest: BTreeSet<_> = latest
            .into_iter()
            .flatten()
            .map(|name| ObjectKey::new(configuration.namespace(), name.clone()))
            .collect();
        let mut concerned = self.latest.set(&configuration.key(), latest.clone());
        concerned.extend(latest);
        concerned.into_iter().collect()
    }

    /// Routes that may lead to a Revision.
    pub(super) fn routes_to_revision(
        &self,
        revision: &ObjectKey,
        configuration: &ObjectKey,
    ) -> BTreeSet<ObjectKey> {
        let named = self.route_revisions.to(revision);
        named.into_iter().chain(self.route_configurations.to(configuration)).collect()
    }

    /// Drops a Route that is gone.
    pub(super) fn forget_route(&self, route: &ObjectKey) {
        self.route_revisions.set(route, BTreeSet::new());
        self.route_configurations.set(route, BTreeSet::new());
    }

    /// Drops a Configuration that is gone.
    pub(super) fn forget_configuration(&self, configuration: &ObjectKey) {
        self.latest.set(configuration, BTreeSet::new());
    }
}

/// The targets of a Route, wanted and in force.
pub(super) fn targets(route: &Route) -> impl Iterator<Item = &TrafficTarget> {
    route.spec.traffic.iter().chain(&route.status.traffic)
}

/// The Configurations whose latest Revision a Route leads to.
pub(super) fn configurations(route: &Route) -> BTreeSet<ObjectKey> {
    let names = route.spec.traffic.iter().filter_map(|target| target.configuration_name.as_deref());
    names.map(|name| ObjectKey::new(route.namespace(), name)).collect()
}
