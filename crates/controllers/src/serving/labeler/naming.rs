//! Which Routes name which Revisions and Configurations, kept from what the watches tell.

use std::collections::{BTreeMap, BTreeSet};

use objects::Event;
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

    /// Takes in what happened to a Route; returns the Revisions that it concerns. Those that it led to are marked with it,
    /// and so find that it is gone.
    pub(super) fn routes(&self, event: &Event<Route>) -> Vec<ObjectKey> {
        match event {
            Event::Applied(route) => self.learn_route(route),
            Event::Deleted(route) => {
                let concerned = self.learn_route(route);
                self.forget_route(&route.key());
                concerned
            }
            // What is there is told again.
            Event::Restarted => {
                self.route_revisions.clear();
                self.route_configurations.clear();
                // What lingers stays: Revisions may have been read before Routes are, and nothing else calls them again.
                Vec::new()
            }
            Event::Synced => Vec::new(),
        }
    }

    /// Takes in what happened to a Configuration; returns the Revisions that it concerns.
    pub(super) fn configurations(&self, event: &Event<Configuration>) -> Vec<ObjectKey> {
        match event {
            Event::Applied(configuration) => self.learn_configuration(configuration),
            Event::Deleted(configuration) => {
                let concerned = self.learn_configuration(configuration);
                self.forget_configuration(&configuration.key());
                concerned
            }
            Event::Restarted => {
                self.latest.clear();
                Vec::new()
            }
            Event::Synced => Vec::new(),
        }
    }

    /// Takes in a Route; returns the Revisions that it concerns or did before.
    fn learn_route(&self, route: &Route) -> Vec<ObjectKey> {
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
    fn learn_configuration(&self, configuration: &Configuration) -> Vec<ObjectKey> {
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    fn key(name: &str) -> ObjectKey {
        ObjectKey::new("default", name)
    }

    fn route() -> Arc<Route> {
        let spec = json!({"traffic": [{"configurationName": "hello", "percent": 100}]});
        let status = json!({"traffic": [{"revisionName": "hello-00001", "percent": 100}]});
        let metadata = json!({"name": "hello", "namespace": "default"});
        Arc::new(
            serde_json::from_value(json!({"metadata": metadata, "spec": spec, "status": status})).unwrap(),
        )
    }

    fn configuration() -> Arc<Configuration> {
        let mut configuration = Configuration::default();
        configuration.metadata.name = Some("hello".to_owned());
        configuration.metadata.namespace = Some("default".to_owned());
        configuration.status.latest_ready_revision_name = Some("hello-00001".to_owned());
        Arc::new(configuration)
    }

    type Goes<'a> = &'a dyn Fn(&Naming) -> Vec<ObjectKey>;

    #[test]
    fn nothing_is_left_of_what_is_deleted_in_any_order() {
        let route_goes = |naming: &Naming| naming.routes(&Event::Deleted(route()));
        let configuration_goes = |naming: &Naming| naming.configurations(&Event::Deleted(configuration()));
        let both = |order: [Goes<'_>; 2]| {
            let naming = Naming::new();
            naming.routes(&Event::Applied(route()));
            naming.configurations(&Event::Applied(configuration()));
            naming.linger(&key("hello"), &key("hello-00001"));
            for goes in order {
                assert_eq!(goes(&naming), [key("hello-00001")]);
            }
            assert!(naming.route_revisions.is_empty() && naming.route_configurations.is_empty());
            assert!(naming.latest.is_empty() && naming.lingering.lock().is_empty());
        };
        both([&route_goes, &configuration_goes]);
        both([&configuration_goes, &route_goes]);
    }
}
