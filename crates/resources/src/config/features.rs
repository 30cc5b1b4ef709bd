//! `config-features`: what of Kubernetes and of Knative may be used.

use std::collections::BTreeMap;

use super::data::ConfigError;

/// How far a feature may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flag {
    /// Always, or wherever the field is set.
    Enabled,
    /// Where asked for.
    Allowed,
    /// `secure-pod-defaults` alone: secure, but the user may be root.
    AllowRootBounded,
    /// Never.
    #[default]
    Disabled,
}

impl Flag {
    /// Whether the feature may be used at all: the field gets past the mask.
    pub fn is_allowed(self) -> bool {
        self != Self::Disabled
    }

    /// Whether the feature is fully on.
    pub fn is_enabled(self) -> bool {
        self == Self::Enabled
    }
}

macro_rules! features {
    ($( $(#[$doc:meta])* $field:ident = $key:literal, $default:ident; )*) => {
        /// The values of `config-features`; [`Features::default`] is the empty ConfigMap.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Features {
            $( #[doc = concat!("`", $key, "`")] $(#[$doc])* pub $field: Flag, )*
        }

        impl Default for Features {
            fn default() -> Self {
                Self { $( $field: Flag::$default, )* }
            }
        }

        impl Features {
            /// The ConfigMap's keys and their defaults.
            pub const KEYS: &[(&str, Flag)] = &[$( ($key, Flag::$default), )*];

            /// Reads the ConfigMap's data. As upstream does, an unknown value counts as absent.
            pub fn from_map(data: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
                let mut features = Self::default();
                $( read($key, data, &mut features.$field); )*
                Ok(features)
            }
        }
    };
}

features! {
    multi_container = "multi-container", Enabled;
    multi_container_probing = "multi-container-probing", Disabled;
    affinity = "kubernetes.podspec-affinity", Disabled;
    topology_spread_constraints = "kubernetes.podspec-topologyspreadconstraints", Disabled;
    host_aliases = "kubernetes.podspec-hostaliases", Disabled;
    node_selector = "kubernetes.podspec-nodeselector", Disabled;
    tolerations = "kubernetes.podspec-tolerations", Disabled;
    runtime_class_name = "kubernetes.podspec-runtimeclassname", Disabled;
    security_context = "kubernetes.podspec-securitycontext", Disabled;
    share_process_namespace = "kubernetes.podspec-shareprocessnamespace", Disabled;
    host_ipc = "kubernetes.podspec-hostipc", Disabled;
    host_pid = "kubernetes.podspec-hostpid", Disabled;
    host_network = "kubernetes.podspec-hostnetwork", Disabled;
    priority_class_name = "kubernetes.podspec-priorityclassname", Disabled;
    scheduler_name = "kubernetes.podspec-schedulername", Disabled;
    dns_policy = "kubernetes.podspec-dnspolicy", Disabled;
    dns_config = "kubernetes.podspec-dnsconfig", Disabled;
    init_containers = "kubernetes.podspec-init-containers", Disabled;
    field_ref = "kubernetes.podspec-fieldref", Disabled;
    add_capabilities = "kubernetes.containerspec-addcapabilities", Disabled;
    volumes_empty_dir = "kubernetes.podspec-volumes-emptydir", Enabled;
    persistent_volume_claim = "kubernetes.podspec-persistent-volume-claim", Disabled;
    persistent_volume_write = "kubernetes.podspec-persistent-volume-write", Disabled;
    volumes_host_path = "kubernetes.podspec-volumes-hostpath", Disabled;
    volumes_csi = "kubernetes.podspec-volumes-csi", Disabled;
    volumes_ephemeral = "kubernetes.podspec-volumes-ephemeral", Disabled;
    volumes_image = "kubernetes.podspec-volumes-image", Disabled;
    volumes_mount_propagation = "kubernetes.podspec-volumes-mount-propagation", Disabled;
    secure_pod_defaults = "secure-pod-defaults", Disabled;
    tag_header_based_routing = "tag-header-based-routing", Disabled;
    autodetect_http2 = "autodetect-http2", Disabled;
    queue_proxy_mount_pod_info = "queueproxy.mount-podinfo", Disabled;
    queue_proxy_resource_defaults = "queueproxy.resource-defaults", Disabled;
}

impl Features {
    /// The ConfigMap's name.
    pub const NAME: &str = "config-features";

    /// Whether containers are made secure where they do not say.
    pub fn secures_pods(&self) -> bool {
        matches!(self.secure_pod_defaults, Flag::Enabled | Flag::AllowRootBounded)
    }
}

fn read(key: &str, data: &BTreeMap<String, String>, flag: &mut Flag) {
    let secure = key == "secure-pod-defaults";
    match data.get(key).map(|text| text.to_ascii_lowercase()).as_deref() {
        Some("enabled") => *flag = Flag::Enabled,
        Some("disabled") => *flag = Flag::Disabled,
        Some("allowed") if !secure => *flag = Flag::Allowed,
        Some("allowrootbounded") if secure => *flag = Flag::AllowRootBounded,
        _ => {}
    }
}
