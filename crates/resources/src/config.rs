//! The ConfigMaps of namespace `knative-serving`, typed.
//!
//! ```text
//!   ConfigMap.data ── parse, validate ──► one struct per ConfigMap ──► Configs
//! ```
//!
//! A key that is absent has upstream's default, an unknown key is ignored, and a wrong value is refused with a message
//! that names ConfigMap, key, value and what is expected: by the API server when it is written, and by whoever reads
//! a map that got past it, who then keeps the last good one.

mod autoscaler;
mod certmanager;
mod configs;
mod data;
mod defaults;
mod deployment;
mod domain;
mod example;
mod features;
mod gc;
mod leader_election;
mod logging;
mod maps;
mod network;
mod observability;
#[cfg(test)]
mod tests;
mod tracing;
mod without_effect;

pub use self::{
    autoscaler::{Autoscaler, TARGET_MIN, WINDOW_MAX, WINDOW_MIN},
    certmanager::{CertManager, IssuerRef},
    configs::Configs,
    data::ConfigError,
    defaults::Defaults,
    deployment::{AffinityType, Deployment},
    domain::{Domain, DomainConfig},
    example::example_checksum,
    features::{Features, Flag},
    gc::{GarbageCollection, Retention},
    leader_election::LeaderElection,
    logging::Logging,
    maps::{EXAMPLE_KEY, NAMES, default_config_maps, is_platforms},
    network::{HttpProtocol, MeshCompatibilityMode, Network},
    observability::{Metrics, MetricsProtocol, Observability, TracingProtocol},
    tracing::Tracing,
};

pub(crate) use self::{example::check_example, without_effect::without_effect};
