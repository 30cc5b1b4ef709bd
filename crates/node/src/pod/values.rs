//! The ConfigMaps and Secrets that a pod names, read before its containers start.

use std::collections::BTreeMap;

use objects::{Client, Result};
use resources::{
    Object, ObjectKey,
    builtin::{ConfigMap, Pod, Secret},
};

/// What a pod can refer to by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    config_maps: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
    secrets: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
}

/// Something a pod needs that is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Missing(pub(super) String);

impl Values {
    /// Reads what the pod names; what is not there is simply absent.
    pub(super) async fn read(client: &Client, pod: &Pod) -> Result<Self> {
        let mut values = Self::default();
        let Some(spec) = &pod.spec else { return Ok(values) };
        let names = Names::of(spec);
        for name in names.config_maps {
            if let Some(map) = client.find::<ConfigMap>(&ObjectKey::new(pod.namespace(), &name)).await? {
                let text =
                    map.data.iter().flatten().map(|(key, value)| (key.clone(), value.clone().into_bytes()));
                let bytes =
                    map.binary_data.iter().flatten().map(|(key, value)| (key.clone(), value.0.clone()));
                values.config_maps.insert(name, text.chain(bytes).collect());
            }
        }
        for name in names.secrets {
            if let Some(secret) = client.find::<Secret>(&ObjectKey::new(pod.namespace(), &name)).await? {
                let bytes = secret.data.iter().flatten().map(|(key, value)| (key.clone(), value.0.clone()));
                values.secrets.insert(name, bytes.collect());
            }
        }
        Ok(values)
    }

    /// A ConfigMap's keys.
    pub(super) fn config_map(&self, name: &str) -> Result<&BTreeMap<String, Vec<u8>>, Missing> {
        self.config_maps.get(name).ok_or_else(|| Missing(format!("configmap {name:?} not found")))
    }

    /// A Secret's keys.
    pub(super) fn secret(&self, name: &str) -> Result<&BTreeMap<String, Vec<u8>>, Missing> {
        self.secrets.get(name).ok_or_else(|| Missing(format!("secret {name:?} not found")))
    }
}

#[derive(Default)]
struct Names {
    config_maps: Vec<String>,
    secrets: Vec<String>,
}

impl Names {
    fn of(spec: &resources::builtin::PodSpec) -> Self {
        let mut names = Self::default();
        for container in spec.containers.iter().chain(spec.init_containers.iter().flatten()) {
            for source in container.env_from.iter().flatten() {
                names.config_maps.extend(source.config_map_ref.as_ref().map(|source| source.name.clone()));
                names.secrets.extend(source.secret_ref.as_ref().map(|source| source.name.clone()));
            }
            for source in container.env.iter().flatten().filter_map(|variable| variable.value_from.as_ref()) {
                names
                    .config_maps
                    .extend(source.config_map_key_ref.as_ref().map(|source| source.name.clone()));
                names.secrets.extend(source.secret_key_ref.as_ref().map(|source| source.name.clone()));
            }
        }
        for volume in spec.volumes.iter().flatten() {
            names.config_maps.extend(volume.config_map.as_ref().map(|source| source.name.clone()));
            names.secrets.extend(volume.secret.as_ref().and_then(|source| source.secret_name.clone()));
            for source in volume.projected.iter().flat_map(|source| source.sources.iter().flatten()) {
                names.config_maps.extend(source.config_map.as_ref().map(|source| source.name.clone()));
                names.secrets.extend(source.secret.as_ref().map(|source| source.name.clone()));
            }
        }
        names
    }
}
