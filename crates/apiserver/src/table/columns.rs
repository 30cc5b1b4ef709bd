//! The columns of each kind, as data (upstream: each CRD's `additionalPrinterColumns`; `pkg/printers/internalversion`).

use std::borrow::Cow;

use jiff::Timestamp;
use resources::{Kind, custom::JsonPath};
use serde_json::Value;

use super::{bindings, events, network, nodes, pods, upkeep, workloads};

/// A column: its head, and where its cells come from.
pub(crate) struct Column {
    pub(super) name: Cow<'static, str>,
    /// `string`, `integer`, `number`, `boolean` or `date`.
    pub(super) kind: Cow<'static, str>,
    pub(super) format: Cow<'static, str>,
    pub(super) description: Cow<'static, str>,
    /// 0 is always shown; others with `-o wide`.
    pub(super) priority: i32,
    pub(super) cell: Cell,
}

/// Where a cell comes from.
pub(super) enum Cell {
    /// A JSON pointer.
    At(&'static str),
    /// The condition of this type, and its field.
    Condition(&'static str, &'static str),
    /// How old the object is.
    Age,
    /// Anything else.
    Made(fn(&Value, Timestamp) -> Value),
    /// Where the definition of a user's kind says.
    Defined(JsonPath),
}

use Cell::{Age, At, Condition, Made};

const fn column(name: &'static str, kind: &'static str, priority: i32, cell: Cell) -> Column {
    const NOTHING: Cow<'static, str> = Cow::Borrowed("");
    let (name, kind) = (Cow::Borrowed(name), Cow::Borrowed(kind));
    Column { name, kind, format: NOTHING, description: NOTHING, priority, cell }
}

const fn text(name: &'static str, cell: Cell) -> Column {
    column(name, "string", 0, cell)
}

const fn integer(name: &'static str, cell: Cell) -> Column {
    column(name, "integer", 0, cell)
}

const fn wide(name: &'static str, cell: Cell) -> Column {
    column(name, "string", 1, cell)
}

const NAME: Column = text("Name", At("/metadata/name"));
const AGE: Column = text("Age", Age);
const READY: Column = text("Ready", Condition("Ready", "status"));
const REASON: Column = text("Reason", Condition("Ready", "reason"));
const URL: Column = text("URL", At("/status/url"));
const LATEST_CREATED: Column = text("LatestCreated", At("/status/latestCreatedRevisionName"));
const LATEST_READY: Column = text("LatestReady", At("/status/latestReadyRevisionName"));

/// The columns of a kind; those of a form are its original's.
pub(super) fn of(kind: &Kind) -> &'static [Column] {
    let kind = kind.original();
    match (kind.group, kind.plural) {
        ("", "configmaps") => const { &[NAME, text("Data", Made(workloads::data_count)), AGE] },
        ("", "endpoints") => const { &[NAME, text("Endpoints", Made(network::endpoints)), AGE] },
        ("", "events") => EVENTS,
        ("", "namespaces") => const { &[NAME, text("Status", At("/status/phase")), AGE] },
        ("", "nodes") => NODES,
        ("", "persistentvolumes") => VOLUMES,
        ("", "persistentvolumeclaims") => VOLUME_CLAIMS,
        ("", "pods") => PODS,
        ("", "secrets") => {
            const { &[NAME, text("Type", At("/type")), text("Data", Made(workloads::data_count)), AGE] }
        }
        ("", "serviceaccounts") => const { &[NAME, text("Secrets", Made(workloads::secret_count)), AGE] },
        ("", "services") => SERVICES,
        ("apps", "daemonsets") => DAEMON_SETS,
        ("apps", "deployments") => DEPLOYMENTS,
        ("apps", "replicasets") => REPLICA_SETS,
        ("apps", "statefulsets") => STATEFUL_SETS,
        ("autoscaling", "horizontalpodautoscalers") => AUTOSCALERS,
        ("batch", "cronjobs") => CRON_JOBS,
        ("batch", "jobs") => JOBS,
        ("networking.k8s.io", "ingresses") => INGRESSES,
        ("networking.k8s.io", "networkpolicies") => {
            const { &[NAME, text("Pod-Selector", At("/spec/podSelector")), AGE] }
        }
        ("policy", "poddisruptionbudgets") => BUDGETS,
        ("admissionregistration.k8s.io", _) => {
            const { &[NAME, integer("Webhooks", Made(upkeep::webhooks)), AGE] }
        }
        ("coordination.k8s.io", "leases") => {
            const { &[NAME, text("Holder", At("/spec/holderIdentity")), AGE] }
        }
        ("discovery.k8s.io", "endpointslices") => ENDPOINT_SLICES,
        ("rbac.authorization.k8s.io", "roles" | "clusterroles") => ROLES,
        ("rbac.authorization.k8s.io", _) => BINDINGS,
        ("apiextensions.k8s.io", "customresourcedefinitions") => {
            const { &[NAME, column("Created At", "date", 0, At("/metadata/creationTimestamp"))] }
        }
        ("serving.knative.dev", "services") => {
            const { &[NAME, URL, LATEST_CREATED, LATEST_READY, READY, REASON] }
        }
        ("serving.knative.dev", "configurations") => {
            const { &[NAME, LATEST_CREATED, LATEST_READY, READY, REASON] }
        }
        ("serving.knative.dev", "revisions") => REVISIONS,
        ("serving.knative.dev", "routes") => const { &[NAME, URL, READY, REASON] },
        ("autoscaling.internal.knative.dev", "podautoscalers") => POD_AUTOSCALERS,
        ("networking.internal.knative.dev", "serverlessservices") => SERVERLESS_SERVICES,
        ("networking.internal.knative.dev", "clusterdomainclaims") => const { &[NAME, AGE] },
        ("caching.internal.knative.dev", "images") => const { &[NAME, text("Image", At("/spec/image"))] },
        (_, "metrics" | "ingresses" | "certificates") => const { &[NAME, READY, REASON] },
        _ => const { &[NAME, AGE] },
    }
}

/// Those of a Scale.
pub(super) static SCALE: &[Column] = &[
    NAME,
    integer("Desired", Made(workloads::desired)),
    integer("Available", Made(workloads::current)),
    AGE,
];

// Of the kinds that are always empty, no cell is ever shown: their columns are heads alone.

static VOLUMES: &[Column] = &[
    NAME,
    text("Capacity", At("/spec/capacity/storage")),
    text("Access Modes", At("/spec/accessModes")),
    text("Reclaim Policy", At("/spec/persistentVolumeReclaimPolicy")),
    text("Status", At("/status/phase")),
    text("Claim", At("/spec/claimRef/name")),
    text("StorageClass", At("/spec/storageClassName")),
    text("VolumeAttributesClass", At("/spec/volumeAttributesClassName")),
    text("Reason", At("/status/reason")),
    AGE,
    wide("VolumeMode", At("/spec/volumeMode")),
];

static VOLUME_CLAIMS: &[Column] = &[
    NAME,
    text("Status", At("/status/phase")),
    text("Volume", At("/spec/volumeName")),
    text("Capacity", At("/status/capacity/storage")),
    text("Access Modes", At("/status/accessModes")),
    text("StorageClass", At("/spec/storageClassName")),
    text("VolumeAttributesClass", At("/spec/volumeAttributesClassName")),
    AGE,
    wide("VolumeMode", At("/spec/volumeMode")),
];

static DAEMON_SETS: &[Column] = &[
    NAME,
    integer("Desired", At("/status/desiredNumberScheduled")),
    integer("Current", At("/status/currentNumberScheduled")),
    integer("Ready", At("/status/numberReady")),
    integer("Up-to-date", At("/status/updatedNumberScheduled")),
    integer("Available", At("/status/numberAvailable")),
    text("Node Selector", At("/spec/template/spec/nodeSelector")),
    AGE,
    wide("Containers", Made(workloads::containers)),
    wide("Images", Made(workloads::images)),
    wide("Selector", Made(workloads::selector)),
];

static CRON_JOBS: &[Column] = &[
    NAME,
    text("Schedule", At("/spec/schedule")),
    text("Timezone", At("/spec/timeZone")),
    text("Suspend", At("/spec/suspend")),
    integer("Active", At("/status/active")),
    text("Last Schedule", At("/status/lastScheduleTime")),
    AGE,
    wide("Containers", At("/spec/jobTemplate/spec/template/spec/containers")),
    wide("Images", At("/spec/jobTemplate/spec/template/spec/containers")),
    wide("Selector", At("/spec/jobTemplate/spec/selector")),
];

static INGRESSES: &[Column] = &[
    NAME,
    text("Class", At("/spec/ingressClassName")),
    text("Hosts", At("/spec/rules")),
    text("Address", At("/status/loadBalancer/ingress")),
    text("Ports", At("/spec/tls")),
    AGE,
];

static PODS: &[Column] = &[
    NAME,
    text("Ready", Made(pods::ready)),
    text("Status", Made(pods::status)),
    text("Restarts", Made(pods::restarts)),
    AGE,
    wide("IP", Made(pods::ip)),
    wide("Node", Made(pods::node)),
    wide("Nominated Node", Made(pods::nominated_node)),
    wide("Readiness Gates", Made(pods::readiness_gates)),
];

static DEPLOYMENTS: &[Column] = &[
    NAME,
    text("Ready", Made(workloads::ready_of_desired)),
    text("Up-to-date", Made(workloads::updated)),
    text("Available", Made(workloads::available)),
    AGE,
    wide("Containers", Made(workloads::containers)),
    wide("Images", Made(workloads::images)),
    wide("Selector", Made(workloads::selector)),
];

static REPLICA_SETS: &[Column] = &[
    NAME,
    integer("Desired", Made(workloads::desired)),
    integer("Current", Made(workloads::current)),
    integer("Ready", Made(workloads::ready)),
    AGE,
    wide("Containers", Made(workloads::containers)),
    wide("Images", Made(workloads::images)),
    wide("Selector", Made(workloads::selector)),
];

static STATEFUL_SETS: &[Column] = &[
    NAME,
    text("Ready", Made(workloads::ready_of_desired)),
    AGE,
    wide("Containers", Made(workloads::containers)),
    wide("Images", Made(workloads::images)),
];

static AUTOSCALERS: &[Column] = &[
    NAME,
    text("Reference", Made(upkeep::scale_target)),
    text("Targets", Made(upkeep::targets)),
    text("MinPods", Made(upkeep::min_pods)),
    integer("MaxPods", At("/spec/maxReplicas")),
    integer("Replicas", Made(upkeep::current_replicas)),
    AGE,
];

static BUDGETS: &[Column] = &[
    NAME,
    text("Min Available", Made(upkeep::min_available)),
    text("Max Unavailable", Made(upkeep::max_unavailable)),
    integer("Allowed Disruptions", Made(upkeep::allowed_disruptions)),
    AGE,
];

static JOBS: &[Column] = &[
    NAME,
    text("Status", Made(upkeep::job_status)),
    text("Completions", Made(upkeep::completions)),
    text("Duration", Made(upkeep::duration)),
    AGE,
    wide("Containers", Made(workloads::containers)),
    wide("Images", Made(workloads::images)),
    wide("Selector", Made(workloads::selector)),
];

static SERVICES: &[Column] = &[
    NAME,
    text("Type", At("/spec/type")),
    text("Cluster-IP", Made(network::cluster_ip)),
    text("External-IP", Made(network::external_ip)),
    text("Port(s)", Made(network::service_ports)),
    AGE,
    wide("Selector", Made(network::service_selector)),
];

static ENDPOINT_SLICES: &[Column] = &[
    NAME,
    text("AddressType", At("/addressType")),
    text("Ports", Made(network::slice_ports)),
    text("Endpoints", Made(network::slice_endpoints)),
    AGE,
];

static NODES: &[Column] = &[
    NAME,
    text("Status", Made(nodes::status)),
    text("Roles", Made(nodes::roles)),
    AGE,
    text("Version", At("/status/nodeInfo/kubeletVersion")),
    wide("Internal-IP", Made(nodes::internal_ip)),
    wide("External-IP", Made(nodes::external_ip)),
    wide("OS-Image", At("/status/nodeInfo/osImage")),
    wide("Kernel-Version", At("/status/nodeInfo/kernelVersion")),
    wide("Container-Runtime", At("/status/nodeInfo/containerRuntimeVersion")),
];

static EVENTS: &[Column] = &[
    text("Last Seen", Made(events::last_seen)),
    text("Type", At("/type")),
    text("Reason", At("/reason")),
    text("Object", Made(events::object)),
    wide("Subobject", Made(events::subobject)),
    wide("Source", Made(events::source)),
    text("Message", Made(events::message)),
    wide("First Seen", Made(events::first_seen)),
    wide("Count", Made(events::count)),
    wide("Name", At("/metadata/name")),
];

static ROLES: &[Column] = &[NAME, column("Created At", "date", 0, At("/metadata/creationTimestamp"))];

static BINDINGS: &[Column] = &[
    NAME,
    text("Role", Made(bindings::role)),
    AGE,
    wide("Users", Made(bindings::users)),
    wide("Groups", Made(bindings::groups)),
    wide("ServiceAccounts", Made(bindings::service_accounts)),
];

static REVISIONS: &[Column] = &[
    NAME,
    text("Config Name", At("/metadata/labels/serving.knative.dev~1configuration")),
    text("Generation", At("/metadata/labels/serving.knative.dev~1configurationGeneration")),
    READY,
    REASON,
    integer("Actual Replicas", At("/status/actualReplicas")),
    integer("Desired Replicas", At("/status/desiredReplicas")),
];

static POD_AUTOSCALERS: &[Column] = &[
    NAME,
    integer("DesiredScale", At("/status/desiredScale")),
    integer("ActualScale", At("/status/actualScale")),
    READY,
    REASON,
];

static SERVERLESS_SERVICES: &[Column] = &[
    NAME,
    text("Mode", At("/spec/mode")),
    integer("Activators", At("/spec/numActivators")),
    text("ServiceName", At("/status/serviceName")),
    text("PrivateServiceName", At("/status/privateServiceName")),
    READY,
    REASON,
];
