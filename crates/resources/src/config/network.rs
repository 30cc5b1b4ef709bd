//! `config-network`: hosts, TLS and which ingress.

use std::{collections::BTreeMap, time::Duration};

use super::data::{ConfigError, Data, Value};
use crate::{
    meta::LabelSelector,
    names::{Template, TemplateValues, dns},
};

/// What happens to plain HTTP where there is TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HttpProtocol {
    /// It is served.
    #[default]
    Enabled,
    /// It is redirected.
    Redirected,
    /// Deprecated; an Ingress then says nothing of it.
    Disabled,
}

/// Whether a service mesh keeps the platform from reaching pods by address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MeshCompatibilityMode {
    /// Found out.
    #[default]
    Auto,
    /// It does.
    Enabled,
    /// It does not.
    Disabled,
}

/// The values of `config-network`; [`Network::default`] is the empty ConfigMap.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// `ingress-class`.
    pub ingress_class: String,
    /// `certificate-class`.
    pub certificate_class: String,
    /// `namespace-wildcard-cert-selector`; `None` selects no namespace.
    pub namespace_wildcard_cert_selector: Option<LabelSelector>,
    /// `domain-template`.
    pub domain_template: Template,
    /// `tag-template`.
    pub tag_template: Template,
    /// `external-domain-tls`, formerly `auto-tls`.
    pub external_domain_tls: bool,
    /// `cluster-local-domain-tls`.
    pub cluster_local_domain_tls: bool,
    /// `system-internal-tls`, formerly `internal-encryption`.
    pub system_internal_tls: bool,
    /// `http-protocol`.
    pub http_protocol: HttpProtocol,
    /// `rollout-duration`, in seconds in the ConfigMap.
    pub rollout_duration: Duration,
    /// `autocreate-cluster-domain-claims`.
    pub autocreate_cluster_domain_claims: bool,
    /// `enable-mesh-pod-addressability`.
    pub enable_mesh_pod_addressability: bool,
    /// `mesh-compatibility-mode`.
    pub mesh_compatibility_mode: MeshCompatibilityMode,
    /// `default-external-scheme`.
    pub default_external_scheme: String,
}

impl Default for Network {
    fn default() -> Self {
        let template = |text: &str| text.parse().expect("upstream's default templates are templates");
        Self {
            ingress_class: "istio.ingress.networking.knative.dev".to_owned(),
            certificate_class: "cert-manager.certificate.networking.knative.dev".to_owned(),
            namespace_wildcard_cert_selector: None,
            domain_template: template("{{.Name}}.{{.Namespace}}.{{.Domain}}"),
            tag_template: template("{{.Tag}}-{{.Name}}"),
            external_domain_tls: false,
            cluster_local_domain_tls: false,
            system_internal_tls: false,
            http_protocol: HttpProtocol::default(),
            rollout_duration: Duration::ZERO,
            autocreate_cluster_domain_claims: false,
            enable_mesh_pod_addressability: false,
            mesh_compatibility_mode: MeshCompatibilityMode::default(),
            default_external_scheme: "http".to_owned(),
        }
    }
}

/// A switch that is spelt out.
struct Switch(bool);

impl Value for Switch {
    const EXPECTED: &'static str = "\"enabled\" or \"disabled\"";
    fn read(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "enabled" => Some(Self(true)),
            "disabled" | "" => Some(Self(false)),
            _ => None,
        }
    }
}

impl Value for HttpProtocol {
    const EXPECTED: &'static str = "\"enabled\", \"redirected\" or \"disabled\"";
    fn read(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "enabled" | "" => Some(Self::Enabled),
            "redirected" => Some(Self::Redirected),
            "disabled" => Some(Self::Disabled),
            _ => None,
        }
    }
}

impl Value for MeshCompatibilityMode {
    const EXPECTED: &'static str = "\"auto\", \"enabled\" or \"disabled\"";
    fn read(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "auto" => Some(Self::Auto),
            "enabled" => Some(Self::Enabled),
            "disabled" => Some(Self::Disabled),
            _ => None,
        }
    }
}

impl Network {
    /// The ConfigMap's name.
    pub const NAME: &str = "config-network";

    /// Reads and checks the ConfigMap's data. Of an older and a newer spelling the newer counts.
    pub fn from_map(data: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let data = Data::new(Self::NAME, data);
        let mut config = Self::default();
        for key in ["ingress.class", "ingress-class"] {
            data.read(key, &mut config.ingress_class)?;
        }
        for key in ["certificate.class", "certificate-class"] {
            data.read(key, &mut config.certificate_class)?;
        }
        for key in ["autocreateClusterDomainClaims", "autocreate-cluster-domain-claims"] {
            data.read(key, &mut config.autocreate_cluster_domain_claims)?;
        }
        for key in ["defaultExternalScheme", "default-external-scheme"] {
            data.read(key, &mut config.default_external_scheme)?;
        }
        for key in ["httpProtocol", "http-protocol"] {
            data.read(key, &mut config.http_protocol)?;
        }
        data.read("enable-mesh-pod-addressability", &mut config.enable_mesh_pod_addressability)?;
        data.read("mesh-compatibility-mode", &mut config.mesh_compatibility_mode)?;
        config.read_rollout(data)?;
        config.read_tls(data)?;
        config.read_selector(data)?;
        config.read_templates(data)?;
        Ok(config)
    }

    fn read_rollout(&mut self, data: Data<'_>) -> Result<(), ConfigError> {
        for key in ["rolloutDuration", "rollout-duration"] {
            let mut seconds = 0i64;
            data.read(key, &mut seconds)?;
            let wrong = |_| data.wrong(key, format!("must be 0 or more seconds, was {seconds}"));
            if data.text(key).is_some() {
                self.rollout_duration = Duration::from_secs(u64::try_from(seconds).map_err(wrong)?);
            }
        }
        Ok(())
    }

    fn read_tls(&mut self, data: Data<'_>) -> Result<(), ConfigError> {
        // The older keys never complain: what is not "enabled" is off.
        for key in ["autoTLS", "auto-tls", "external-domain-tls"] {
            if let Some(text) = data.text(key) {
                self.external_domain_tls = text.eq_ignore_ascii_case("enabled");
            }
        }
        let mut local = Switch(false);
        data.read("cluster-local-domain-tls", &mut local)?;
        self.cluster_local_domain_tls = local.0;
        data.read("internal-encryption", &mut self.system_internal_tls)?;
        let mut system = Switch(self.system_internal_tls);
        data.read("system-internal-tls", &mut system)?;
        self.system_internal_tls |= system.0;
        Ok(())
    }

    fn read_selector(&mut self, data: Data<'_>) -> Result<(), ConfigError> {
        const KEY: &str = "namespace-wildcard-cert-selector";
        let Some(text) = data.text(KEY).filter(|text| !text.trim().is_empty()) else { return Ok(()) };
        let selector = serde_saphyr::from_str(text).map_err(|error| {
            data.wrong(KEY, format!("is not a label selector such as `matchLabels: {{key: value}}`: {error}"))
        })?;
        self.namespace_wildcard_cert_selector = Some(selector);
        Ok(())
    }

    fn read_templates(&mut self, data: Data<'_>) -> Result<(), ConfigError> {
        for key in ["domainTemplate", "domain-template"] {
            let Some(text) = data.text(key) else { continue };
            let template: Template = text.parse().map_err(|error| data.wrong(key, error))?;
            let host = template.render(&TemplateValues {
                name: "foo",
                namespace: "bar",
                domain: "baz.com",
                ..TemplateValues::default()
            });
            data.check(!host.is_empty() && !template.names_tag(), key, || {
                "must yield a host, and may not use .Tag, which tag-template does".to_owned()
            })?;
            data.check(!host.contains('/'), key, || {
                format!("must yield a host without a path, not {host:?}")
            })?;
            self.domain_template = template;
        }
        for key in ["tagTemplate", "tag-template"] {
            let Some(text) = data.text(key) else { continue };
            let template: Template = text.parse().map_err(|error| data.wrong(key, error))?;
            let name =
                template.render(&TemplateValues { name: "foo", tag: "v2", ..TemplateValues::default() });
            let wrong = dns::label(&name);
            data.check(wrong.is_empty(), key, || {
                format!("must yield one part of a host: {}", wrong.join(", "))
            })?;
            self.tag_template = template;
        }
        Ok(())
    }
}
