//! The platform's configuration, kept as the ConfigMaps have it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use objects::Error;
use parking_lot::Mutex;
use resources::{
    Object, ObjectKey, builtin::ConfigMap, config::Configs, downcast, reserved::SYSTEM_NAMESPACE,
};
use tokio::sync::watch;

use crate::store::{PageOptions, Selection, Store, Stored};

/// Keeps the typed configuration; every write of a ConfigMap passes by.
pub(crate) struct Keeper {
    configs: watch::Sender<Arc<Configs>>,
    /// The version of each map that is in force, since two writes may pass by in the wrong order.
    versions: Mutex<HashMap<String, u64>>,
}

impl Keeper {
    pub(crate) fn new() -> Self {
        Self { configs: watch::Sender::new(Arc::default()), versions: Mutex::default() }
    }

    /// What is in force now.
    pub(crate) fn current(&self) -> Arc<Configs> {
        Arc::clone(&self.configs.borrow())
    }

    /// What is in force, and every change of it.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Arc<Configs>> {
        self.configs.subscribe()
    }

    /// Reads the maps that are stored.
    pub(crate) async fn load(&self, store: &Store) -> Result<(), Error> {
        let selection = Selection { namespace: Some(SYSTEM_NAMESPACE.into()), ..Selection::default() };
        let all = PageOptions { limit: 0, from: crate::store::Start::Now };
        for stored in store.page(ConfigMap::kind(), &selection, all).await?.items {
            self.observe(&stored);
        }
        Ok(())
    }

    /// Takes what was written, if it is configuration.
    pub(crate) fn observe(&self, stored: &Stored) {
        self.take(stored, false);
    }

    /// Goes back to the defaults of what was deleted, if it is configuration.
    pub(crate) fn forget(&self, stored: &Stored) {
        self.take(stored, true);
    }

    fn take(&self, stored: &Stored, gone: bool) {
        if stored.kind != ConfigMap::kind() {
            return;
        }
        let Some(map) = stored.object().ok().and_then(downcast::<ConfigMap>) else { return };
        let ObjectKey { namespace, name } = map.key();
        if namespace != SYSTEM_NAMESPACE {
            return;
        }
        let mut versions = self.versions.lock();
        let known = versions.entry(name.clone()).or_default();
        if *known >= stored.version {
            return;
        }
        *known = stored.version;
        let none = BTreeMap::new();
        let data = map.data.as_ref().filter(|_| !gone).unwrap_or(&none);
        let mut configs = Configs::clone(&self.configs.borrow());
        match configs.apply(&name, data) {
            Ok(()) => {
                self.configs.send_if_modified(|current| {
                    let changed = **current != configs;
                    if changed {
                        *current = Arc::new(configs);
                    }
                    changed
                });
            }
            // Admission refuses such a map; one from an older version of Ebb may still be there.
            Err(error) => {
                tracing::warn!(config_map = name, %error, "a ConfigMap cannot be used; its last good state stays in force")
            }
        }
    }
}
