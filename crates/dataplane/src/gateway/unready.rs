//! Hosts whose Routes are not served yet.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use resources::ObjectKey;

/// The public hosts of Routes that are not served yet: the answer to a request for one says that it exists, and how to find
/// out what it waits for. Cheap to clone; all clones share one state.
#[derive(Clone, Default)]
pub(crate) struct UnreadyRoutes(Arc<RwLock<Hosts>>);

#[derive(Default)]
struct Hosts {
    routes: HashMap<Box<str>, ObjectKey>,
    of_route: HashMap<ObjectKey, Box<str>>,
}

impl UnreadyRoutes {
    /// The Route is not ready and has this host; `None`: it is ready, or gone.
    pub(crate) fn set(&self, route: &ObjectKey, host: Option<&str>) {
        let mut hosts = self.0.write();
        if let Some(before) = hosts.of_route.remove(route) {
            hosts.routes.remove(&before);
        }
        if let Some(host) = host {
            hosts.of_route.insert(route.clone(), host.into());
            hosts.routes.insert(host.into(), route.clone());
        }
    }

    /// Forgets all.
    pub(crate) fn clear(&self) {
        *self.0.write() = Hosts::default();
    }

    /// The Route that is not ready and has this host.
    pub(crate) fn route_of(&self, host: &str) -> Option<ObjectKey> {
        self.0.read().routes.get(host).cloned()
    }
}
