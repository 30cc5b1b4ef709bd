//! The registry: every kind that Ebb serves, with the names it has upstream.

use std::{any::Any, sync::Arc};

use schemars::SchemaGenerator;

use crate::{
    autoscaling::{Metric, PodAutoscaler},
    builtin::{
        self, ClusterRole, ClusterRoleBinding, ConfigMap, CronJob, DaemonSet, Deployment, EndpointSlice,
        Endpoints, Event, HorizontalPodAutoscaler, Job, Lease, MutatingWebhookConfiguration, Namespace, Node,
        PersistentVolume, PersistentVolumeClaim, Pod, PodDisruptionBudget, ReplicaSet, Role, RoleBinding,
        Secret, Service, ServiceAccount, StatefulSet, ValidatingWebhookConfiguration, autoscaling_v1, events,
    },
    custom::CustomResourceDefinition,
    event_forms, hpa_forms,
    kind::{self, Form, Kind, Parts, Subresources},
    networking::{Certificate, ClusterDomainClaim, Image, Ingress, ServerlessService},
    object::{DynObject, Object, downcast},
    reviews::{
        LocalSubjectAccessReview, SelfSubjectAccessReview, SelfSubjectReview, SelfSubjectRulesReview,
        SubjectAccessReview, TokenRequest, TokenReview,
    },
    serving,
};

const NONE: Subresources = Subresources { status: false, scale: false };
const STATUS: Subresources = Subresources { status: true, scale: false };
const STATUS_AND_SCALE: Subresources = Subresources { status: true, scale: true };

const KNATIVE_SERVING: &[&str] = &["all", "knative", "serving"];

/// How a kind with a status comes apart; `NONE` for one without.
macro_rules! parts {
    (NONE, $type:ty) => {
        None
    };
    ($with_status:ident, $type:ty) => {
        Some(Parts {
            with_status: |object, source| {
                let source = as_type::<$type>(source)?;
                let mut object = downcast::<$type>(object)?;
                if object.status != source.status {
                    Arc::make_mut(&mut object).status.clone_from(&source.status);
                }
                Some(object as Arc<dyn DynObject>)
            },
            same_spec: |one, other| match (as_type::<$type>(one), as_type::<$type>(other)) {
                (Some(one), Some(other)) => one.spec == other.spec,
                _ => false,
            },
        })
    };
}

fn same<K: Object + PartialEq>(one: &dyn DynObject, other: &dyn DynObject) -> bool {
    as_type::<K>(one).is_some_and(|one| Some(one) == as_type(other))
}

fn as_type<K: Object>(object: &dyn DynObject) -> Option<&K> {
    (object as &dyn Any).downcast_ref()
}

/// What a kind is a form of; nothing for most.
macro_rules! form {
    () => {
        None
    };
    ($form:expr) => {
        Some($form)
    };
}

/// Writes the rows of a registry and ties the types to them.
macro_rules! kinds {
    ($all:ident = $( $const:ident: $type:ty, $plural:literal, $singular:literal, short $short:expr, in $categories:expr, $subresources:ident, namespaced $namespaced:literal, derived $derived:literal $(, form $form:expr)?; )*) => {
        $(
            static $const: Kind = Kind {
                group: <$type as k8s_openapi::Resource>::GROUP,
                version: <$type as k8s_openapi::Resource>::VERSION,
                kind: <$type as k8s_openapi::Resource>::KIND,
                plural: $plural,
                singular: $singular,
                short_names: $short,
                categories: $categories,
                namespaced: $namespaced,
                subresources: $subresources,
                derived: $derived,
                schema: SchemaGenerator::subschema_for::<$type>,
                parts: parts!($subresources, $type),
                same: same::<$type>,
                decode: kind::decode::<$type>,
                decode_strict: kind::decode_strict::<$type>,
                defined: None,
                form: form!($($form)?),
            };
            impl Object for $type {
                fn kind() -> &'static Kind { &$const }
            }
        )*
        static $all: &[&Kind] = &[$(&$const),*];
    };
}

kinds! {
    ALL =
    CONFIG_MAP: ConfigMap, "configmaps", "configmap", short &["cm"], in &[], NONE, namespaced true, derived false;
    ENDPOINTS: Endpoints, "endpoints", "endpoints", short &["ep"], in &[], NONE, namespaced true, derived true;
    EVENT: Event, "events", "event", short &["ev"], in &[], NONE, namespaced true, derived true;
    NAMESPACE: Namespace, "namespaces", "namespace", short &["ns"], in &[], STATUS, namespaced false, derived false;
    NODE: Node, "nodes", "node", short &["no"], in &[], STATUS, namespaced false, derived false;
    POD: Pod, "pods", "pod", short &["po"], in &["all"], STATUS, namespaced true, derived true;
    SECRET: Secret, "secrets", "secret", short &[], in &[], NONE, namespaced true, derived false;
    SERVICE_ACCOUNT: ServiceAccount, "serviceaccounts", "serviceaccount", short &["sa"], in &[], NONE, namespaced true, derived false;
    SERVICE: Service, "services", "service", short &["svc"], in &["all"], STATUS, namespaced true, derived false;
    MUTATING_WEBHOOK_CONFIGURATION: MutatingWebhookConfiguration, "mutatingwebhookconfigurations", "mutatingwebhookconfiguration", short &[], in &["api-extensions"], NONE, namespaced false, derived false;
    VALIDATING_WEBHOOK_CONFIGURATION: ValidatingWebhookConfiguration, "validatingwebhookconfigurations", "validatingwebhookconfiguration", short &[], in &["api-extensions"], NONE, namespaced false, derived false;
    DEPLOYMENT: Deployment, "deployments", "deployment", short &["deploy"], in &["all"], STATUS_AND_SCALE, namespaced true, derived false;
    REPLICA_SET: ReplicaSet, "replicasets", "replicaset", short &["rs"], in &["all"], STATUS_AND_SCALE, namespaced true, derived true;
    STATEFUL_SET: StatefulSet, "statefulsets", "statefulset", short &["sts"], in &["all"], STATUS_AND_SCALE, namespaced true, derived false;
    CUSTOM_RESOURCE_DEFINITION: CustomResourceDefinition, "customresourcedefinitions", "customresourcedefinition", short &["crd", "crds"], in &["api-extensions"], STATUS, namespaced false, derived false;
    HORIZONTAL_POD_AUTOSCALER: HorizontalPodAutoscaler, "horizontalpodautoscalers", "horizontalpodautoscaler", short &["hpa"], in &["all"], STATUS, namespaced true, derived false;
    JOB: Job, "jobs", "job", short &[], in &["all"], STATUS, namespaced true, derived false;
    LEASE: Lease, "leases", "lease", short &[], in &[], NONE, namespaced true, derived false;
    ENDPOINT_SLICE: EndpointSlice, "endpointslices", "endpointslice", short &[], in &[], NONE, namespaced true, derived true;
    POD_DISRUPTION_BUDGET: PodDisruptionBudget, "poddisruptionbudgets", "poddisruptionbudget", short &["pdb"], in &[], STATUS, namespaced true, derived false;
    CLUSTER_ROLE_BINDING: ClusterRoleBinding, "clusterrolebindings", "clusterrolebinding", short &[], in &[], NONE, namespaced false, derived false;
    CLUSTER_ROLE: ClusterRole, "clusterroles", "clusterrole", short &[], in &[], NONE, namespaced false, derived false;
    ROLE_BINDING: RoleBinding, "rolebindings", "rolebinding", short &[], in &[], NONE, namespaced true, derived false;
    ROLE: Role, "roles", "role", short &[], in &[], NONE, namespaced true, derived false;
    KNATIVE_SERVICE: serving::Service, "services", "service", short &["kservice", "ksvc"], in KNATIVE_SERVING, STATUS, namespaced true, derived false;
    CONFIGURATION: serving::Configuration, "configurations", "configuration", short &["config", "cfg"], in KNATIVE_SERVING, STATUS, namespaced true, derived false;
    REVISION: serving::Revision, "revisions", "revision", short &["rev"], in KNATIVE_SERVING, STATUS, namespaced true, derived false;
    ROUTE: serving::Route, "routes", "route", short &["rt"], in KNATIVE_SERVING, STATUS, namespaced true, derived false;
    POD_AUTOSCALER: PodAutoscaler, "podautoscalers", "podautoscaler", short &["kpa", "pa"], in &["knative-internal", "autoscaling"], STATUS, namespaced true, derived true;
    METRIC: Metric, "metrics", "metric", short &[], in &["knative-internal", "autoscaling"], STATUS, namespaced true, derived true;
    SERVERLESS_SERVICE: ServerlessService, "serverlessservices", "serverlessservice", short &["sks"], in &["knative-internal", "networking"], STATUS, namespaced true, derived true;
    INGRESS: Ingress, "ingresses", "ingress", short &["kingress", "king"], in &["knative-internal", "networking"], STATUS, namespaced true, derived true;
    CERTIFICATE: Certificate, "certificates", "certificate", short &["kcert"], in &["knative-internal", "networking"], STATUS, namespaced true, derived false;
    CLUSTER_DOMAIN_CLAIM: ClusterDomainClaim, "clusterdomainclaims", "clusterdomainclaim", short &["cdc"], in &["knative-internal", "networking"], STATUS, namespaced false, derived false;
    IMAGE: Image, "images", "image", short &[], in &["knative-internal", "caching"], STATUS, namespaced true, derived false;
}

kinds! {
    FORMS =
    EVENTS_EVENT: events::Event, "events", "event", short &["ev"], in &[], NONE, namespaced true, derived true, form Form {
        original: &EVENT,
        to_original: |event| Some(Arc::new(event_forms::to_core(as_type::<events::Event>(event)?)) as Arc<dyn DynObject>),
        of_original: |event| Some(Arc::new(event_forms::of_core(as_type::<Event>(event)?)) as Arc<dyn DynObject>),
        renamed: event_forms::RENAMED,
        spec_annotations: &[],
    };
    HORIZONTAL_POD_AUTOSCALER_V1: autoscaling_v1::HorizontalPodAutoscaler, "horizontalpodautoscalers", "horizontalpodautoscaler", short &["hpa"], in &["all"], STATUS, namespaced true, derived false, form Form {
        original: &HORIZONTAL_POD_AUTOSCALER,
        to_original: |scaler| Some(Arc::new(hpa_forms::to_v2(as_type::<autoscaling_v1::HorizontalPodAutoscaler>(scaler)?)) as Arc<dyn DynObject>),
        of_original: |scaler| Some(Arc::new(hpa_forms::of_v2(as_type::<HorizontalPodAutoscaler>(scaler)?)) as Arc<dyn DynObject>),
        renamed: hpa_forms::RENAMED,
        spec_annotations: hpa_forms::OF_SPEC,
    };
}

kinds! {
    EMPTY =
    DAEMON_SET: DaemonSet, "daemonsets", "daemonset", short &["ds"], in &["all"], NONE, namespaced true, derived false;
    CRON_JOB: CronJob, "cronjobs", "cronjob", short &["cj"], in &["all"], NONE, namespaced true, derived false;
    PERSISTENT_VOLUME: PersistentVolume, "persistentvolumes", "persistentvolume", short &["pv"], in &[], NONE, namespaced false, derived false;
    PERSISTENT_VOLUME_CLAIM: PersistentVolumeClaim, "persistentvolumeclaims", "persistentvolumeclaim", short &["pvc"], in &[], NONE, namespaced true, derived false;
    KUBERNETES_INGRESS: builtin::networking::Ingress, "ingresses", "ingress", short &["ing"], in &[], NONE, namespaced true, derived false;
    NETWORK_POLICY: builtin::networking::NetworkPolicy, "networkpolicies", "networkpolicy", short &["netpol"], in &[], NONE, namespaced true, derived false;
}

kinds! {
    REVIEWS =
    SELF_SUBJECT_REVIEW: SelfSubjectReview, "selfsubjectreviews", "selfsubjectreview", short &[], in &[], NONE, namespaced false, derived false;
    TOKEN_REVIEW: TokenReview, "tokenreviews", "tokenreview", short &[], in &[], NONE, namespaced false, derived false;
    LOCAL_SUBJECT_ACCESS_REVIEW: LocalSubjectAccessReview, "localsubjectaccessreviews", "localsubjectaccessreview", short &[], in &[], NONE, namespaced true, derived false;
    SELF_SUBJECT_ACCESS_REVIEW: SelfSubjectAccessReview, "selfsubjectaccessreviews", "selfsubjectaccessreview", short &[], in &[], NONE, namespaced false, derived false;
    SELF_SUBJECT_RULES_REVIEW: SelfSubjectRulesReview, "selfsubjectrulesreviews", "selfsubjectrulesreview", short &[], in &[], NONE, namespaced false, derived false;
    SUBJECT_ACCESS_REVIEW: SubjectAccessReview, "subjectaccessreviews", "subjectaccessreview", short &[], in &[], NONE, namespaced false, derived false;
}

kinds! {
    // It has no path of its own; errors name it so.
    PARTS =
    TOKEN_REQUEST: TokenRequest, "TokenRequest", "TokenRequest", short &[], in &[], NONE, namespaced true, derived false;
}

/// Kinds that are questions: an object is sent and comes back with the answer, and none is stored.
pub fn reviews() -> &'static [&'static Kind] {
    REVIEWS
}

/// Likewise, of questions that are asked of a stored object.
pub fn parts() -> &'static [&'static Kind] {
    PARTS
}

/// Kinds of Kubernetes that Ebb does nothing with. Clients that look at a whole cluster ask for them, so they are listed
/// and watched; there are no objects of them, and none can be made.
pub fn empty() -> &'static [&'static Kind] {
    EMPTY
}

/// Every kind that is stored, in the order of discovery.
pub fn all() -> &'static [&'static Kind] {
    ALL
}

/// Every kind whose objects are read and written: those that are stored, and then other forms of them.
pub fn served() -> impl Iterator<Item = &'static Kind> {
    ALL.iter().chain(FORMS).copied()
}

/// Every kind that has a path for its objects, whether there can be any or not.
pub fn listed() -> impl Iterator<Item = &'static Kind> {
    served().chain(EMPTY.iter().copied())
}

/// The kind with this name in URLs.
pub fn by_plural(group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
    served().find(|kind| kind.group == group && kind.version == version && kind.plural == plural)
}

/// The kind with these `apiVersion` and `kind`.
pub fn by_kind(api_version: &str, kind: &str) -> Option<&'static Kind> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    served().find(|entry| entry.group == group && entry.version == version && entry.kind == kind)
}
