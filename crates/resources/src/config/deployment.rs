//! `config-deployment`: how a Revision's Deployment is made.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::Deserialize;

use super::data::{ConfigError, Data};
use crate::{image_name::LOCAL_REGISTRIES, meta::Quantity, names::dns, reserved::QUEUE_PROXY_IMAGE};

/// How instances are spread over nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AffinityType {
    /// As Kubernetes will have it.
    None,
    /// Instances of one Revision on different nodes where it can be.
    #[default]
    PreferSpreadRevisionOverNodes,
}

/// The values of `config-deployment`; [`Deployment::default`] is the empty ConfigMap.
#[derive(Clone, Debug, PartialEq)]
pub struct Deployment {
    /// `queue-sidecar-image`: read and checked. Upstream's release manifests name upstream's queue proxy, and Ebb runs its
    /// own ([`QUEUE_PROXY_IMAGE`]).
    pub queue_sidecar_image: String,
    /// `registries-skipping-tag-resolving`.
    pub registries_skipping_tag_resolving: BTreeSet<String>,
    /// `digest-resolution-timeout`.
    pub digest_resolution_timeout: Duration,
    /// `progress-deadline`, whole seconds.
    pub progress_deadline: Duration,
    /// `queue-sidecar-cpu-request`.
    pub queue_sidecar_cpu_request: Option<Quantity>,
    /// `queue-sidecar-cpu-limit`.
    pub queue_sidecar_cpu_limit: Option<Quantity>,
    /// `queue-sidecar-memory-request`.
    pub queue_sidecar_memory_request: Option<Quantity>,
    /// `queue-sidecar-memory-limit`.
    pub queue_sidecar_memory_limit: Option<Quantity>,
    /// `queue-sidecar-ephemeral-storage-request`.
    pub queue_sidecar_ephemeral_storage_request: Option<Quantity>,
    /// `queue-sidecar-ephemeral-storage-limit`.
    pub queue_sidecar_ephemeral_storage_limit: Option<Quantity>,
    /// `queue-sidecar-token-audiences`.
    pub queue_sidecar_token_audiences: BTreeSet<String>,
    /// `queue-sidecar-rootca`: PEM.
    pub queue_sidecar_rootca: String,
    /// `queue-sidecar-tls-min-version`; empty is 1.3.
    pub queue_sidecar_tls_min_version: String,
    /// `queue-sidecar-tls-max-version`.
    pub queue_sidecar_tls_max_version: String,
    /// `queue-sidecar-tls-cipher-suites`.
    pub queue_sidecar_tls_cipher_suites: String,
    /// `queue-sidecar-tls-curve-preferences`.
    pub queue_sidecar_tls_curve_preferences: String,
    /// `default-affinity-type`.
    pub default_affinity_type: AffinityType,
    /// `runtime-class-name`: RuntimeClasses and the labels that a Revision must have for each.
    pub runtime_class_names: BTreeMap<String, BTreeMap<String, String>>,
    /// `pod-is-always-schedulable`: a pod that finds no node yet does not make its Revision fail.
    pub pod_is_always_schedulable: bool,
}

impl Default for Deployment {
    fn default() -> Self {
        Self {
            queue_sidecar_image: QUEUE_PROXY_IMAGE.to_owned(),
            registries_skipping_tag_resolving: LOCAL_REGISTRIES.map(str::to_owned).into(),
            digest_resolution_timeout: Duration::from_secs(10),
            progress_deadline: Duration::from_secs(600),
            queue_sidecar_cpu_request: Some(Quantity("25m".to_owned())),
            queue_sidecar_cpu_limit: None,
            queue_sidecar_memory_request: None,
            queue_sidecar_memory_limit: None,
            queue_sidecar_ephemeral_storage_request: None,
            queue_sidecar_ephemeral_storage_limit: None,
            queue_sidecar_token_audiences: BTreeSet::new(),
            queue_sidecar_rootca: String::new(),
            queue_sidecar_tls_min_version: String::new(),
            queue_sidecar_tls_max_version: String::new(),
            queue_sidecar_tls_cipher_suites: String::new(),
            queue_sidecar_tls_curve_preferences: String::new(),
            default_affinity_type: AffinityType::default(),
            runtime_class_names: BTreeMap::new(),
            pod_is_always_schedulable: false,
        }
    }
}

#[derive(Deserialize)]
struct Selector {
    #[serde(default)]
    selector: BTreeMap<String, String>,
}

impl Deployment {
    /// The ConfigMap's name.
    pub const NAME: &str = "config-deployment";

    /// Reads and checks the ConfigMap's data.
    pub fn from_map(data: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let data = Data::new(Self::NAME, data);
        let mut config = Self::default();
        // The camelCase spelling is older; the other one counts where both are there.
        for key in ["queueSidecarImage", "queue-sidecar-image"] {
            data.read(key, &mut config.queue_sidecar_image)?;
        }
        for key in ["progressDeadline", "progress-deadline"] {
            data.read(key, &mut config.progress_deadline)?;
        }
        for key in ["digestResolutionTimeout", "digest-resolution-timeout"] {
            data.read(key, &mut config.digest_resolution_timeout)?;
        }
        for key in ["registriesSkippingTagResolving", "registries-skipping-tag-resolving"] {
            data.read(key, &mut config.registries_skipping_tag_resolving)?;
        }
        config.read_queue_resources(data)?;
        data.read("queue-sidecar-token-audiences", &mut config.queue_sidecar_token_audiences)?;
        data.read("queue-sidecar-rootca", &mut config.queue_sidecar_rootca)?;
        data.read("queue-sidecar-tls-min-version", &mut config.queue_sidecar_tls_min_version)?;
        data.read("queue-sidecar-tls-max-version", &mut config.queue_sidecar_tls_max_version)?;
        data.read("queue-sidecar-tls-cipher-suites", &mut config.queue_sidecar_tls_cipher_suites)?;
        data.read("queue-sidecar-tls-curve-preferences", &mut config.queue_sidecar_tls_curve_preferences)?;
        data.read("pod-is-always-schedulable", &mut config.pod_is_always_schedulable)?;
        config.read_affinity(data)?;
        config.read_runtime_classes(data)?;

        data.check(!config.queue_sidecar_image.is_empty(), "queue-sidecar-image", || {
            "cannot be empty".to_owned()
        })?;
        data.check(!config.progress_deadline.is_zero(), "progress-deadline", || {
            "must be above 0s".to_owned()
        })?;
        data.check(config.progress_deadline.subsec_nanos() == 0, "progress-deadline", || {
            "must be whole seconds".to_owned()
        })?;
        data.check(!config.digest_resolution_timeout.is_zero(), "digest-resolution-timeout", || {
            "must be above 0s".to_owned()
        })?;
        Ok(config)
    }

    fn read_queue_resources(&mut self, data: Data<'_>) -> Result<(), ConfigError> {
        for (older, key, target) in [
            ("queueSidecarCPURequest", "queue-sidecar-cpu-request", &mut self.queue_sidecar_cpu_request),
            ("queueSidecarCPULimit", "queue-sidecar-cpu-limit", &mut self.queue_sidecar_cpu_limit),
            (
                "queueSidecarMemoryRequest",
                "queue-sidecar-memory-request",
                &mut self.queue_sidecar_memory_request,
            ),
            ("queueSidecarMemoryLimit", "queue-sidecar-memory-limit", &mut self.queue_sidecar_memory_limit),
            (
                "queueSidecarEphemeralStorageRequest",
                "queue-sidecar-ephemeral-storage-request",
                &mut self.queue_sidecar_ephemeral_storage_request,
            ),
            (
                "queueSidecarEphemeralStorageLimit",
                "queue-sidecar-ephemeral-storage-limit",
                &mut self.queue_sidecar_ephemeral_storage_limit,
            ),
        ] {
            data.read_option(older, target)?;
            data.read_option(key, target)?;
        }
        Ok(())
    }

    fn read_affinity(&mut self, data: Data<'_>) -> Result<(), ConfigError> {
        const KEY: &str = "default-affinity-type";
        self.default_affinity_type = match data.text(KEY) {
            None | Some("prefer-spread-revision-over-nodes") => AffinityType::PreferSpreadRevisionOverNodes,
            Some("none") => AffinityType::None,
            Some(other) => {
                let message = format!("{other:?} is not \"none\" or \"prefer-spread-revision-over-nodes\"");
                return Err(data.wrong(KEY, message));
            }
        };
        Ok(())
    }

    fn read_runtime_classes(&mut self, data: Data<'_>) -> Result<(), ConfigError> {
        const KEY: &str = "runtime-class-name";
        let Some(text) = data.text(KEY).filter(|text| !text.trim().is_empty()) else { return Ok(()) };
        let classes: BTreeMap<String, Option<Selector>> = serde_saphyr::from_str(text).map_err(|error| {
            data.wrong(
                KEY,
                format!("is not YAML of the form `class: {{selector: {{label: value}}}}`: {error}"),
            )
        })?;
        for (class, selector) in classes {
            let wrong = dns::subdomain(&class);
            data.check(wrong.is_empty(), KEY, || {
                format!("{class:?} is not a class name: {}", wrong.join(", "))
            })?;
            self.runtime_class_names.insert(class, selector.map(|s| s.selector).unwrap_or_default());
        }
        Ok(())
    }

    /// The RuntimeClass for a Revision with these labels: the one that asks for the most of them, then the first by
    /// name.
    pub fn runtime_class(&self, labels: &BTreeMap<String, String>) -> Option<&str> {
        let matching = self
            .runtime_class_names
            .iter()
            .filter(|(_, selector)| selector.iter().all(|(label, value)| labels.get(label) == Some(value)));
        // `rev` makes the first by name the last of equals, which `max_by_key` takes.
        matching.rev().max_by_key(|(_, selector)| selector.len()).map(|(class, _)| class.as_str())
    }
}
