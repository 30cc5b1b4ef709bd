//! All ConfigMaps together.

use std::collections::BTreeMap;

use super::{
    Autoscaler, CertManager, ConfigError, Defaults, Deployment, Domain, Features, GarbageCollection,
    LeaderElection, Logging, Network, Observability, Tracing,
};
/// The platform's configuration. [`Configs::default`] is upstream's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Configs {
    /// `config-autoscaler`
    pub autoscaler: Autoscaler,
    /// `config-certmanager`
    pub certmanager: CertManager,
    /// `config-defaults`
    pub defaults: Defaults,
    /// `config-deployment`
    pub deployment: Deployment,
    /// `config-domain`
    pub domain: Domain,
    /// `config-features`
    pub features: Features,
    /// `config-gc`
    pub gc: GarbageCollection,
    /// `config-leader-election`
    pub leader_election: LeaderElection,
    /// `config-logging`
    pub logging: Logging,
    /// `config-network`
    pub network: Network,
    /// `config-observability`
    pub observability: Observability,
    /// `config-tracing`
    pub tracing: Tracing,
}

impl Configs {
    /// Takes one ConfigMap's data in place of what it held before; a name that is not known changes nothing.
    ///
    /// On an error nothing changes, so that what was good stays in force.
    pub fn apply(&mut self, name: &str, data: &BTreeMap<String, String>) -> Result<(), ConfigError> {
        match name {
            Autoscaler::NAME => self.autoscaler = Autoscaler::from_map(data)?,
            CertManager::NAME => self.certmanager = CertManager::from_map(data)?,
            Defaults::NAME => self.defaults = Defaults::from_map(data)?,
            Deployment::NAME => self.deployment = Deployment::from_map(data)?,
            Domain::NAME => self.domain = self.domain.with_map(data)?,
            Features::NAME => self.features = Features::from_map(data)?,
            GarbageCollection::NAME => self.gc = GarbageCollection::from_map(data)?,
            LeaderElection::NAME => self.leader_election = LeaderElection::from_map(data)?,
            Logging::NAME => self.logging = Logging::from_map(data)?,
            Network::NAME => self.network = Network::from_map(data)?,
            Observability::NAME => self.observability = Observability::from_map(data)?,
            Tracing::NAME => self.tracing = Tracing::from_map(data)?,
            _ => {}
        }
        Ok(())
    }
}
