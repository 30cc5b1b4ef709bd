//! `config-certmanager`: who signs which certificates.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::data::{ConfigError, Data};

/// An issuer of cert-manager.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct IssuerRef {
    /// `ClusterIssuer` or `Issuer`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl Default for IssuerRef {
    fn default() -> Self {
        Self { kind: "ClusterIssuer".to_owned(), name: "knative-selfsigned-issuer".to_owned() }
    }
}

/// The values of `config-certmanager`; [`CertManager::default`] is the empty ConfigMap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertManager {
    /// `issuerRef`: for hosts seen from outside.
    pub issuer: IssuerRef,
    /// `clusterLocalIssuerRef`: for hosts inside the cluster.
    pub cluster_local_issuer: IssuerRef,
    /// `systemInternalIssuerRef`: for the platform's own connections.
    pub system_internal_issuer: IssuerRef,
}

impl CertManager {
    /// The ConfigMap's name.
    pub const NAME: &str = "config-certmanager";

    /// Reads and checks the ConfigMap's data.
    pub fn from_map(data: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let data = Data::new(Self::NAME, data);
        let mut config = Self::default();
        for (key, target) in [
            ("issuerRef", &mut config.issuer),
            ("clusterLocalIssuerRef", &mut config.cluster_local_issuer),
            ("systemInternalIssuerRef", &mut config.system_internal_issuer),
        ] {
            if let Some(text) = data.text(key) {
                *target = serde_saphyr::from_str(text).map_err(|error| {
                    data.wrong(
                        key,
                        format!("is not YAML of the form `{{kind: ClusterIssuer, name: NAME}}`: {error}"),
                    )
                })?;
            }
        }
        Ok(config)
    }
}
