//! The ConfigMaps as objects: what is there from the start.

use std::collections::BTreeMap;

use super::{
    Autoscaler, CertManager, Defaults, Deployment, Domain, Features, GarbageCollection, LeaderElection,
    Logging, Network, Observability, Tracing, example::example_checksum,
};
use crate::{
    annotations::EXAMPLE_CHECKSUM,
    builtin::ConfigMap,
    labels::{APP_COMPONENT, APP_NAME},
    meta::ObjectMeta,
    reserved::SYSTEM_NAMESPACE,
};

/// The key of the example, which no reader counts.
pub const EXAMPLE_KEY: &str = "_example";

/// The names of all ConfigMaps that [`super::Configs`] knows.
pub const NAMES: &[&str] = &[
    Autoscaler::NAME,
    CertManager::NAME,
    Defaults::NAME,
    Deployment::NAME,
    Domain::NAME,
    Features::NAME,
    GarbageCollection::NAME,
    LeaderElection::NAME,
    Logging::NAME,
    Network::NAME,
    Observability::NAME,
    Tracing::NAME,
];

/// Whether a ConfigMap is one of those that configure the platform.
pub fn is_platforms(namespace: &str, name: &str) -> bool {
    namespace == SYSTEM_NAMESPACE && NAMES.contains(&name)
}

/// Name, component and example of each.
const MAPS: &[(&str, &str, &str)] = &[
    (Autoscaler::NAME, "autoscaler", include_str!("examples/autoscaler.yaml")),
    (CertManager::NAME, "net-certmanager", include_str!("examples/certmanager.yaml")),
    (Defaults::NAME, "controller", include_str!("examples/defaults.yaml")),
    (Deployment::NAME, "controller", include_str!("examples/deployment.yaml")),
    (Domain::NAME, "controller", include_str!("examples/domain.yaml")),
    (Features::NAME, "controller", include_str!("examples/features.yaml")),
    (GarbageCollection::NAME, "controller", include_str!("examples/gc.yaml")),
    (LeaderElection::NAME, "controller", include_str!("examples/leader_election.yaml")),
    (Logging::NAME, "logging", include_str!("examples/logging.yaml")),
    (Network::NAME, "networking", include_str!("examples/network.yaml")),
    (Observability::NAME, "observability", include_str!("examples/observability.yaml")),
    (Tracing::NAME, "tracing", ""),
];

/// Every ConfigMap as it is at first: an example that explains the keys, and no key set.
pub fn default_config_maps() -> Vec<ConfigMap> {
    MAPS.iter().map(|(name, component, example)| config_map(name, component, example)).collect()
}

fn config_map(name: &str, component: &str, example: &str) -> ConfigMap {
    let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let has_example = !example.is_empty();
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(SYSTEM_NAMESPACE.to_owned()),
            labels: Some(map(&[(APP_NAME, SYSTEM_NAMESPACE), (APP_COMPONENT, component)])),
            annotations: has_example.then(|| map(&[(EXAMPLE_CHECKSUM, &example_checksum(example))])),
            ..ObjectMeta::default()
        },
        data: has_example.then(|| map(&[(EXAMPLE_KEY, example)])),
        ..ConfigMap::default()
    }
}
