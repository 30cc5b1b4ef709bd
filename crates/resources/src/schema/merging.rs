//! How lists and maps of the core kinds are merged, which their types do not say (upstream: `k8s.io/api`, the markers
//! `listType`, `listMapKey`, `structType`, `mapType`, and the tags `patchStrategy` and `patchMergeKey`).

use serde_json::{Value, json};

use super::{Definitions, LIST_MAP_KEYS, LIST_TYPE, MAP_TYPE, PATCH_MERGE_KEY, PATCH_STRATEGY};

/// How one field is merged.
#[derive(Clone, Copy)]
enum Rule {
    /// A list of objects; apply matches its items by these fields, a strategic merge patch by the first of them.
    Keyed(&'static [&'static str]),
    /// The same, and a patched item may say which of its fields are kept.
    KeyedRetaining(&'static [&'static str]),
    /// A list of objects that only apply merges.
    KeyedInApply(&'static [&'static str]),
    /// A list of objects that only a strategic merge patch merges.
    KeyedInPatch(&'static str),
    /// A list of values without order.
    Set,
    /// The same, but a strategic merge patch replaces it.
    SetInApply,
    /// An object that a patch can reduce to the fields it names.
    Retaining,
    /// A map that apply replaces as a whole.
    Whole,
}

use Rule::{Keyed, KeyedInApply, KeyedInPatch, KeyedRetaining, Retaining, Set, SetInApply, Whole};

/// Type, field, rule.
const FIELDS: &[(&str, &str, Rule)] = &[
    ("api.admissionregistration.v1.MutatingWebhook", "matchConditions", Keyed(&["name"])),
    ("api.admissionregistration.v1.MutatingWebhookConfiguration", "webhooks", Keyed(&["name"])),
    ("api.admissionregistration.v1.ValidatingWebhook", "matchConditions", Keyed(&["name"])),
    ("api.admissionregistration.v1.ValidatingWebhookConfiguration", "webhooks", Keyed(&["name"])),
    ("api.apps.v1.DeploymentSpec", "strategy", Retaining),
    ("api.apps.v1.DeploymentStatus", "conditions", Keyed(&["type"])),
    ("api.apps.v1.ReplicaSetStatus", "conditions", Keyed(&["type"])),
    ("api.apps.v1.StatefulSetStatus", "conditions", Keyed(&["type"])),
    ("api.autoscaling.v2.HorizontalPodAutoscalerStatus", "conditions", Keyed(&["type"])),
    ("api.batch.v1.PodFailurePolicyOnExitCodesRequirement", "values", SetInApply),
    ("api.core.v1.Container", "env", Keyed(&["name"])),
    ("api.core.v1.Container", "ports", Keyed(&["containerPort", "protocol"])),
    ("api.core.v1.Container", "volumeDevices", Keyed(&["devicePath"])),
    ("api.core.v1.Container", "volumeMounts", Keyed(&["mountPath"])),
    ("api.core.v1.ContainerRestartRuleOnExitCodes", "values", SetInApply),
    ("api.core.v1.ContainerStatus", "allocatedResourcesStatus", Keyed(&["name"])),
    ("api.core.v1.ContainerStatus", "volumeMounts", Keyed(&["mountPath"])),
    ("api.core.v1.EphemeralContainer", "env", Keyed(&["name"])),
    ("api.core.v1.EphemeralContainer", "ports", Keyed(&["containerPort", "protocol"])),
    ("api.core.v1.EphemeralContainer", "volumeDevices", Keyed(&["devicePath"])),
    ("api.core.v1.EphemeralContainer", "volumeMounts", Keyed(&["mountPath"])),
    ("api.core.v1.NamespaceStatus", "conditions", Keyed(&["type"])),
    ("api.core.v1.NodeSpec", "podCIDRs", Set),
    ("api.core.v1.NodeStatus", "addresses", Keyed(&["type"])),
    ("api.core.v1.NodeStatus", "conditions", Keyed(&["type"])),
    ("api.core.v1.PersistentVolumeClaimStatus", "conditions", Keyed(&["type"])),
    ("api.core.v1.PodSpec", "containers", Keyed(&["name"])),
    ("api.core.v1.PodSpec", "ephemeralContainers", Keyed(&["name"])),
    ("api.core.v1.PodSpec", "hostAliases", Keyed(&["ip"])),
    ("api.core.v1.PodSpec", "imagePullSecrets", Keyed(&["name"])),
    ("api.core.v1.PodSpec", "initContainers", Keyed(&["name"])),
    ("api.core.v1.PodSpec", "nodeSelector", Whole),
    ("api.core.v1.PodSpec", "resourceClaims", KeyedRetaining(&["name"])),
    ("api.core.v1.PodSpec", "schedulingGates", Keyed(&["name"])),
    ("api.core.v1.PodSpec", "topologySpreadConstraints", Keyed(&["topologyKey", "whenUnsatisfiable"])),
    ("api.core.v1.PodSpec", "volumes", KeyedRetaining(&["name"])),
    ("api.core.v1.PodStatus", "conditions", Keyed(&["type"])),
    ("api.core.v1.PodStatus", "hostIPs", KeyedInPatch("ip")),
    ("api.core.v1.PodStatus", "podIPs", Keyed(&["ip"])),
    ("api.core.v1.PodStatus", "resourceClaimStatuses", KeyedRetaining(&["name"])),
    ("api.core.v1.ResourceRequirements", "claims", KeyedInApply(&["name"])),
    ("api.core.v1.ResourceStatus", "resources", KeyedInApply(&["resourceID"])),
    ("api.core.v1.ServiceAccount", "secrets", Keyed(&["name"])),
    ("api.core.v1.ServiceSpec", "ports", Keyed(&["port", "protocol"])),
    ("api.core.v1.ServiceSpec", "selector", Whole),
    ("api.core.v1.ServiceStatus", "conditions", Keyed(&["type"])),
    ("api.discovery.v1.Endpoint", "addresses", SetInApply),
    ("api.policy.v1.PodDisruptionBudgetStatus", "conditions", Keyed(&["type"])),
    (
        "apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionStatus",
        "conditions",
        KeyedInApply(&["type"]),
    ),
    (
        "apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps",
        "x-kubernetes-validations",
        Keyed(&["rule"]),
    ),
    ("apimachinery.pkg.apis.meta.v1.ObjectMeta", "finalizers", Set),
    ("apimachinery.pkg.apis.meta.v1.ObjectMeta", "ownerReferences", Keyed(&["uid"])),
];

/// Types whose objects apply replaces as a whole.
const WHOLE: &[&str] = &[
    "api.autoscaling.v1.CrossVersionObjectReference",
    "api.core.v1.ConfigMapKeySelector",
    "api.core.v1.EndpointAddress",
    "api.core.v1.EndpointPort",
    "api.core.v1.FileKeySelector",
    "api.core.v1.LocalObjectReference",
    "api.core.v1.NodeSelector",
    "api.core.v1.NodeSelectorTerm",
    "api.core.v1.ObjectFieldSelector",
    "api.core.v1.ObjectReference",
    "api.core.v1.ResourceFieldSelector",
    "api.core.v1.SecretKeySelector",
    "api.core.v1.TypedLocalObjectReference",
    "api.discovery.v1.EndpointPort",
    "api.rbac.v1.RoleRef",
    "api.rbac.v1.Subject",
    "apimachinery.pkg.apis.meta.v1.LabelSelector",
    "apimachinery.pkg.apis.meta.v1.OwnerReference",
];

/// Fields that are keys and may be left out, and what they are then.
const KEY_DEFAULTS: &[(&str, &str, &str)] = &[
    ("api.core.v1.Container", "name", ""),
    ("api.core.v1.ContainerPort", "protocol", "TCP"),
    ("api.core.v1.EnvVar", "name", ""),
    ("api.core.v1.EphemeralContainer", "name", ""),
    ("api.core.v1.LocalObjectReference", "name", ""),
    ("api.core.v1.ServicePort", "protocol", "TCP"),
    ("api.core.v1.Volume", "name", ""),
    ("api.core.v1.VolumeMount", "mountPath", ""),
];

/// Objects that are there, empty, where nobody gave them: they come neither by a write nor go by one.
const ALWAYS_THERE: &[(&str, &[&str])] = &[
    ("api.apps.v1.Deployment", &["spec", "status"]),
    ("apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition", &["spec", "status"]),
    ("apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec", &["names"]),
    ("api.apps.v1.DeploymentSpec", &["strategy", "template"]),
    ("api.apps.v1.ReplicaSet", &["spec", "status"]),
    ("api.apps.v1.ReplicaSetSpec", &["template"]),
    ("api.apps.v1.StatefulSet", &["spec", "status"]),
    ("api.apps.v1.StatefulSetSpec", &["template", "updateStrategy"]),
    ("api.autoscaling.v1.HorizontalPodAutoscaler", &["spec", "status"]),
    ("api.autoscaling.v2.HorizontalPodAutoscaler", &["spec", "status"]),
    ("api.batch.v1.Job", &["spec", "status"]),
    ("api.policy.v1.PodDisruptionBudget", &["spec", "status"]),
    ("api.coordination.v1.Lease", &["spec"]),
    ("api.core.v1.Container", &["resources"]),
    ("api.core.v1.ContainerStatus", &["lastState", "state"]),
    ("api.core.v1.EphemeralContainer", &["resources"]),
    ("api.core.v1.Event", &["involvedObject", "source"]),
    ("api.core.v1.Namespace", &["spec", "status"]),
    ("api.core.v1.Node", &["spec", "status"]),
    ("api.core.v1.NodeDaemonEndpoints", &["kubeletEndpoint"]),
    ("api.core.v1.NodeStatus", &["daemonEndpoints", "nodeInfo"]),
    ("api.core.v1.PersistentVolumeClaim", &["spec", "status"]),
    ("api.core.v1.PersistentVolumeClaimSpec", &["resources"]),
    ("api.core.v1.Pod", &["spec", "status"]),
    ("api.core.v1.PodTemplateSpec", &["metadata", "spec"]),
    ("api.core.v1.PreferredSchedulingTerm", &["preference"]),
    ("api.core.v1.Service", &["spec", "status"]),
    ("api.core.v1.ServiceStatus", &["loadBalancer"]),
    ("api.core.v1.WeightedPodAffinityTerm", &["podAffinityTerm"]),
    ("api.discovery.v1.Endpoint", &["conditions"]),
];

impl Rule {
    fn extensions(self) -> Vec<(&'static str, Value)> {
        let keyed = |keys: &[&str]| vec![(LIST_TYPE, json!("map")), (LIST_MAP_KEYS, json!(keys))];
        let merged =
            |key: &str, strategy: &str| [(PATCH_MERGE_KEY, json!(key)), (PATCH_STRATEGY, json!(strategy))];
        match self {
            Keyed(keys) => [keyed(keys), merged(keys[0], "merge").to_vec()].concat(),
            KeyedRetaining(keys) => [keyed(keys), merged(keys[0], "merge,retainKeys").to_vec()].concat(),
            KeyedInApply(keys) => keyed(keys),
            KeyedInPatch(key) => merged(key, "merge").to_vec(),
            Set => vec![(LIST_TYPE, json!("set")), (PATCH_STRATEGY, json!("merge"))],
            SetInApply => vec![(LIST_TYPE, json!("set"))],
            Retaining => vec![(PATCH_STRATEGY, json!("retainKeys"))],
            Whole => vec![(MAP_TYPE, json!("atomic"))],
        }
    }
}

/// Writes the table into the definitions that it speaks of.
pub(super) fn extend(definitions: &mut Definitions) {
    for (name, field, rule) in FIELDS {
        if let Some(Value::Object(field)) = field_of(definitions, name, field) {
            field.extend(rule.extensions().into_iter().map(|(name, value)| (name.to_owned(), value)));
        }
    }
    for name in WHOLE {
        if let Some(Value::Object(definition)) = definitions.get_mut(&full(name)) {
            definition.insert(MAP_TYPE.into(), json!("atomic"));
        }
    }
    let always_there =
        ALWAYS_THERE.iter().flat_map(|(name, fields)| fields.iter().map(move |field| (*name, *field)));
    for (name, field) in always_there {
        if let Some(Value::Object(field)) = field_of(definitions, name, field) {
            field.insert("default".into(), json!({}));
        }
    }
    for (name, field, default) in KEY_DEFAULTS {
        if let Some(Value::Object(field)) = field_of(definitions, name, field) {
            field.insert("default".into(), json!(default));
        }
    }
}

fn field_of<'a>(definitions: &'a mut Definitions, name: &str, field: &str) -> Option<&'a mut Value> {
    let field = definitions.get_mut(&full(name))?.get_mut("properties")?.get_mut(field)?;
    // Nothing may stand beside a reference.
    if let Some(reference) = field.as_object_mut().and_then(|field| field.remove("$ref")) {
        *field = json!({"allOf": [{"$ref": reference}]});
    }
    Some(field)
}

fn full(name: &str) -> String {
    format!("io.k8s.{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_speaks_of_fields_that_there_are() {
        let mut definitions = super::super::definitions(crate::kinds::served());
        for (name, field, _) in FIELDS {
            assert!(field_of(&mut definitions, name, field).is_some(), "{name}.{field}");
        }
        for name in WHOLE {
            assert!(definitions.contains_key(&full(name)), "{name}");
        }
        for (name, fields) in ALWAYS_THERE {
            for field in *fields {
                assert!(field_of(&mut definitions, name, field).is_some(), "{name}.{field}");
            }
        }
        for (name, field, _) in KEY_DEFAULTS {
            assert!(field_of(&mut definitions, name, field).is_some(), "{name}.{field}");
        }
    }
}
