//! Where lists are merged instead of replaced: the `patchStrategy` and `patchMergeKey` of the core kinds (upstream:
//! `k8s.io/api`, struct tags).

use resources::Kind;

/// The fields of an object that are not merged in the plain way.
#[derive(Debug)]
pub(super) struct Schema(&'static [(&'static str, Rule)]);

/// How a field is merged.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// An object, field by field.
    Object(&'static Schema),
    /// A list of objects, item by item, matched by this field.
    Items(&'static str, &'static Schema),
    /// A list of values without order: what the patch has is added.
    Set,
}

use Rule::{Items, Object, Set};

impl Schema {
    /// The rule of a field; `None` for a plain one: objects are merged, all else is replaced.
    pub(super) fn rule(&self, field: &str) -> Option<Rule> {
        self.0.iter().find(|(name, _)| *name == field).map(|(_, rule)| *rule)
    }
}

/// An object with plain fields only.
pub(super) static EMPTY: Schema = Schema(&[]);

static METADATA: Schema = Schema(&[("ownerReferences", Items("uid", &EMPTY)), ("finalizers", Set)]);

static CONTAINER: Schema = Schema(&[
    ("env", Items("name", &EMPTY)),
    ("ports", Items("containerPort", &EMPTY)),
    ("volumeDevices", Items("devicePath", &EMPTY)),
    ("volumeMounts", Items("mountPath", &EMPTY)),
]);

static POD_SPEC: Schema = Schema(&[
    ("containers", Items("name", &CONTAINER)),
    ("ephemeralContainers", Items("name", &CONTAINER)),
    ("hostAliases", Items("ip", &EMPTY)),
    ("imagePullSecrets", Items("name", &EMPTY)),
    ("initContainers", Items("name", &CONTAINER)),
    ("resourceClaims", Items("name", &EMPTY)),
    ("schedulingGates", Items("name", &EMPTY)),
    ("topologySpreadConstraints", Items("topologyKey", &EMPTY)),
    ("volumes", Items("name", &EMPTY)),
]);

static POD_STATUS: Schema = Schema(&[
    ("conditions", Items("type", &EMPTY)),
    ("hostIPs", Items("ip", &EMPTY)),
    ("podIPs", Items("ip", &EMPTY)),
    ("resourceClaimStatuses", Items("name", &EMPTY)),
]);

static CONDITIONS: Schema = Schema(&[("conditions", Items("type", &EMPTY))]);
static TEMPLATE: Schema = Schema(&[("metadata", Object(&METADATA)), ("spec", Object(&POD_SPEC))]);
static WORKLOAD_SPEC: Schema = Schema(&[("template", Object(&TEMPLATE))]);
static SERVICE_SPEC: Schema = Schema(&[("ports", Items("port", &EMPTY))]);
static NODE_SPEC: Schema = Schema(&[("podCIDRs", Set)]);
static NODE_STATUS: Schema =
    Schema(&[("addresses", Items("type", &EMPTY)), ("conditions", Items("type", &EMPTY))]);

static PLAIN: Schema = Schema(&[("metadata", Object(&METADATA))]);
static POD: Schema =
    Schema(&[("metadata", Object(&METADATA)), ("spec", Object(&POD_SPEC)), ("status", Object(&POD_STATUS))]);
static WORKLOAD: Schema = Schema(&[
    ("metadata", Object(&METADATA)),
    ("spec", Object(&WORKLOAD_SPEC)),
    ("status", Object(&CONDITIONS)),
]);
static SERVICE: Schema = Schema(&[
    ("metadata", Object(&METADATA)),
    ("spec", Object(&SERVICE_SPEC)),
    ("status", Object(&CONDITIONS)),
]);
static NAMESPACE: Schema = Schema(&[("metadata", Object(&METADATA)), ("status", Object(&CONDITIONS))]);
static NODE: Schema = Schema(&[
    ("metadata", Object(&METADATA)),
    ("spec", Object(&NODE_SPEC)),
    ("status", Object(&NODE_STATUS)),
]);
static SERVICE_ACCOUNT: Schema = Schema(&[
    ("metadata", Object(&METADATA)),
    ("imagePullSecrets", Items("name", &EMPTY)),
    ("secrets", Items("name", &EMPTY)),
]);

/// The schema of a core kind; `None` for the others, which take no strategic merge patches.
pub(super) fn of(kind: &Kind) -> Option<&'static Schema> {
    match (kind.group, kind.plural) {
        ("", "pods") => Some(&POD),
        ("", "services") => Some(&SERVICE),
        ("", "namespaces") => Some(&NAMESPACE),
        ("", "nodes") => Some(&NODE),
        ("", "serviceaccounts") => Some(&SERVICE_ACCOUNT),
        ("apps", _) => Some(&WORKLOAD),
        ("" | "coordination.k8s.io" | "discovery.k8s.io", _) => Some(&PLAIN),
        _ => None,
    }
}
