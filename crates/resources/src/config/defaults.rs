//! `config-defaults`: what a Revision gets that does not say.

use std::collections::BTreeMap;

use super::data::{ConfigError, Data, Value};
use crate::{
    meta::{ObjectMeta, Quantity},
    names::{Template, TemplateValues},
};

/// The values of `config-defaults`; [`Defaults::default`] is the empty ConfigMap.
#[derive(Clone, Debug, PartialEq)]
pub struct Defaults {
    /// `revision-timeout-seconds`.
    pub revision_timeout_seconds: i64,
    /// `max-revision-timeout-seconds`: what a Revision may ask for at most.
    pub max_revision_timeout_seconds: i64,
    /// `revision-response-start-timeout-seconds`; revision-timeout-seconds unless given.
    pub revision_response_start_timeout_seconds: i64,
    /// `revision-idle-timeout-seconds`; 0 is none.
    pub revision_idle_timeout_seconds: i64,
    /// `revision-cpu-request`.
    pub revision_cpu_request: Option<Quantity>,
    /// `revision-cpu-limit`.
    pub revision_cpu_limit: Option<Quantity>,
    /// `revision-memory-request`.
    pub revision_memory_request: Option<Quantity>,
    /// `revision-memory-limit`.
    pub revision_memory_limit: Option<Quantity>,
    /// `revision-ephemeral-storage-request`.
    pub revision_ephemeral_storage_request: Option<Quantity>,
    /// `revision-ephemeral-storage-limit`.
    pub revision_ephemeral_storage_limit: Option<Quantity>,
    /// `container-name-template`, over the parent's metadata.
    pub container_name_template: Template,
    /// `init-container-name-template`, likewise.
    pub init_container_name_template: Template,
    /// `container-concurrency`.
    pub container_concurrency: i64,
    /// `container-concurrency-max-limit`.
    pub container_concurrency_max_limit: i64,
    /// `allow-container-concurrency-zero`: whether a Revision may be without limit.
    pub allow_container_concurrency_zero: bool,
    /// `enable-service-links`; `None` leaves it to Kubernetes.
    pub enable_service_links: Option<bool>,
}

impl Default for Defaults {
    fn default() -> Self {
        let template = |text: &str| text.parse().expect("a text without actions is a template");
        Self {
            revision_timeout_seconds: 300,
            max_revision_timeout_seconds: 600,
            revision_response_start_timeout_seconds: 300,
            revision_idle_timeout_seconds: 0,
            revision_cpu_request: None,
            revision_cpu_limit: None,
            revision_memory_request: None,
            revision_memory_limit: None,
            revision_ephemeral_storage_request: None,
            revision_ephemeral_storage_limit: None,
            container_name_template: template("user-container"),
            init_container_name_template: template("init-container"),
            container_concurrency: 0,
            container_concurrency_max_limit: 1000,
            allow_container_concurrency_zero: true,
            enable_service_links: Some(false),
        }
    }
}

/// `true`, `false`, or anything else for Kubernetes' own default.
struct TriState(Option<bool>);

impl Value for TriState {
    const EXPECTED: &'static str = "\"true\", \"false\" or \"default\"";
    fn read(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "true" => Some(Self(Some(true))),
            "false" => Some(Self(Some(false))),
            _ => Some(Self(None)),
        }
    }
}

impl Defaults {
    /// The ConfigMap's name.
    pub const NAME: &str = "config-defaults";

    /// Reads and checks the ConfigMap's data.
    pub fn from_map(data: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let data = Data::new(Self::NAME, data);
        let mut config = Self::default();
        data.read("revision-timeout-seconds", &mut config.revision_timeout_seconds)?;
        data.read("max-revision-timeout-seconds", &mut config.max_revision_timeout_seconds)?;
        config.revision_response_start_timeout_seconds = config.revision_timeout_seconds;
        data.read(
            "revision-response-start-timeout-seconds",
            &mut config.revision_response_start_timeout_seconds,
        )?;
        data.read("revision-idle-timeout-seconds", &mut config.revision_idle_timeout_seconds)?;
        data.read_option("revision-cpu-request", &mut config.revision_cpu_request)?;
        data.read_option("revision-cpu-limit", &mut config.revision_cpu_limit)?;
        data.read_option("revision-memory-request", &mut config.revision_memory_request)?;
        data.read_option("revision-memory-limit", &mut config.revision_memory_limit)?;
        data.read_option(
            "revision-ephemeral-storage-request",
            &mut config.revision_ephemeral_storage_request,
        )?;
        data.read_option("revision-ephemeral-storage-limit", &mut config.revision_ephemeral_storage_limit)?;
        template(data, "container-name-template", &mut config.container_name_template)?;
        template(data, "init-container-name-template", &mut config.init_container_name_template)?;
        data.read("container-concurrency", &mut config.container_concurrency)?;
        data.read("container-concurrency-max-limit", &mut config.container_concurrency_max_limit)?;
        data.read("allow-container-concurrency-zero", &mut config.allow_container_concurrency_zero)?;
        let mut links = TriState(config.enable_service_links);
        data.read("enable-service-links", &mut links)?;
        config.enable_service_links = links.0;
        config.check(data)?;
        Ok(config)
    }

    fn check(&self, data: Data<'_>) -> Result<(), ConfigError> {
        let timeout = self.revision_timeout_seconds;
        data.check(timeout > 0, "revision-timeout-seconds", || format!("must be above 0, was {timeout}"))?;
        data.check(timeout <= self.max_revision_timeout_seconds, "revision-timeout-seconds", || {
            format!(
                "({timeout}) cannot be greater than max-revision-timeout-seconds ({})",
                self.max_revision_timeout_seconds
            )
        })?;
        for (key, seconds) in [
            ("revision-response-start-timeout-seconds", self.revision_response_start_timeout_seconds),
            ("revision-idle-timeout-seconds", self.revision_idle_timeout_seconds),
        ] {
            data.check(seconds <= timeout, key, || {
                format!("({seconds}) cannot be greater than revision-timeout-seconds ({timeout})")
            })?;
        }
        let limit = self.container_concurrency_max_limit;
        data.check(limit >= 1, "container-concurrency-max-limit", || {
            format!("must be at least 1, was {limit}")
        })?;
        data.check((0..=limit).contains(&self.container_concurrency), "container-concurrency", || {
            format!(
                "must be from 0 to container-concurrency-max-limit ({limit}), was {}",
                self.container_concurrency
            )
        })
    }

    /// The name of a container that has none, in a Revision of this parent.
    pub fn container_name(&self, parent: &ObjectMeta) -> String {
        self.container_name_template.render(&values(parent))
    }

    /// Likewise, of an init container.
    pub fn init_container_name(&self, parent: &ObjectMeta) -> String {
        self.init_container_name_template.render(&values(parent))
    }
}

fn values(parent: &ObjectMeta) -> TemplateValues<'_> {
    TemplateValues {
        name: parent.name.as_deref().unwrap_or_default(),
        namespace: parent.namespace.as_deref().unwrap_or_default(),
        labels: parent.labels.as_ref(),
        annotations: parent.annotations.as_ref(),
        ..TemplateValues::default()
    }
}

fn template(data: Data<'_>, key: &str, target: &mut Template) -> Result<(), ConfigError> {
    if let Some(text) = data.text(key) {
        let template: Template = text.parse().map_err(|error| data.wrong(key, error))?;
        data.check(!template.names_domain() && !template.names_tag(), key, || {
            "a container's name can depend on .Name, .Namespace, .Labels and .Annotations only".to_owned()
        })?;
        *target = template;
    }
    Ok(())
}
