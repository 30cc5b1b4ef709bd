//! `config-domain`: which domain a Route's hosts are under.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{data::ConfigError, data::Data, maps::EXAMPLE_KEY};
use crate::{
    labels::{VISIBILITY, VISIBILITY_CLUSTER_LOCAL},
    names::{CLUSTER_DOMAIN, dns},
};

/// One domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainConfig {
    /// The labels that a Route must have; none means every Route.
    pub selector: BTreeMap<String, String>,
    /// Whether one wildcard certificate can serve it.
    pub wildcard: bool,
}

/// The values of `config-domain`, and what it does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// The domains by name.
    pub domains: BTreeMap<String, DomainConfig>,
    /// The domain of names inside the cluster, `cluster.local`.
    pub cluster_domain: String,
    /// The domain of Routes that no entry fits; upstream's is `svc.<cluster domain>`, which is cluster-local.
    pub fallback: String,
    cluster_local: String,
}

impl Default for Domain {
    fn default() -> Self {
        Self::new(CLUSTER_DOMAIN, None)
    }
}

#[derive(Default, Deserialize)]
struct Entry {
    #[serde(default)]
    selector: Option<BTreeMap<String, String>>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
}

impl Domain {
    /// The ConfigMap's name.
    pub const NAME: &str = "config-domain";

    /// The empty ConfigMap in a cluster with this domain; `fallback` replaces upstream's default domain.
    pub fn new(cluster_domain: &str, fallback: Option<&str>) -> Self {
        let cluster_local = format!("svc.{cluster_domain}");
        Self {
            domains: BTreeMap::new(),
            cluster_domain: cluster_domain.to_owned(),
            fallback: fallback.unwrap_or(&cluster_local).to_owned(),
            cluster_local,
        }
    }

    /// Reads and checks the ConfigMap's data.
    pub fn from_map(data: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        Self::default().with_map(data)
    }

    /// As [`Domain::from_map`], keeping what the ConfigMap does not say.
    pub fn with_map(&self, data: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let data = Data::new(Self::NAME, data);
        let mut domains = BTreeMap::new();
        for (domain, text) in data.data.iter().filter(|(key, _)| *key != EXAMPLE_KEY) {
            let wrong = dns::subdomain(domain);
            data.check(wrong.is_empty(), domain, || format!("is not a domain: {}", wrong.join(", ")))?;
            let entry = read(text).map_err(|error| {
                let form = "`{selector: {label: value}, type: wildcard}`, or empty for every Route";
                data.wrong(domain, format!("is not YAML of the form {form}: {error}"))
            })?;
            let selector = entry.selector.unwrap_or_default();
            let wildcard = selector.is_empty() || entry.kind.as_deref() == Some("wildcard");
            domains.insert(domain.clone(), DomainConfig { selector, wildcard });
        }
        Ok(Self { domains, ..self.clone() })
    }

    /// The domain for a Route with these labels: the one that asks for the most of them, then the first by name.
    ///
    /// A Route whose visibility is cluster-local gets the cluster's own.
    pub fn select(&self, labels: Option<&BTreeMap<String, String>>) -> &str {
        let has = |label: &str, value: &str| {
            labels.and_then(|labels| labels.get(label)).is_some_and(|found| found == value)
        };
        if has(VISIBILITY, VISIBILITY_CLUSTER_LOCAL) {
            return &self.cluster_local;
        }
        let matching = self
            .domains
            .iter()
            .filter(|(_, config)| config.selector.iter().all(|(label, value)| has(label, value)));
        // `rev` makes the first by name the last of equals, which `max_by_key` takes.
        let best = matching.rev().max_by_key(|(_, config)| config.selector.len());
        best.map_or(&self.fallback, |(domain, _)| domain)
    }

    /// The domain of Services inside the cluster, `svc.cluster.local`.
    pub fn cluster_local(&self) -> &str {
        &self.cluster_local
    }
}

fn read(text: &str) -> Result<Entry, String> {
    if text.trim().is_empty() {
        return Ok(Entry::default());
    }
    serde_saphyr::from_str::<Option<Entry>>(text)
        .map(Option::unwrap_or_default)
        .map_err(|error| error.to_string())
}
