//! Label keys, as upstream has them.

/// The Configuration's name; on its Revisions and on all that they own.
pub const CONFIGURATION: &str = "serving.knative.dev/configuration";
/// The generation of the Configuration that a Revision was made from.
pub const CONFIGURATION_GENERATION: &str = "serving.knative.dev/configurationGeneration";
/// The Configuration's uid.
pub const CONFIGURATION_UID: &str = "serving.knative.dev/configurationUID";
/// The Service's name; on all that it owns, directly or not.
pub const SERVICE: &str = "serving.knative.dev/service";
/// The Service's uid.
pub const SERVICE_UID: &str = "serving.knative.dev/serviceUID";
/// The Revision's name; on its children and pods.
pub const REVISION: &str = "serving.knative.dev/revision";
/// The Revision's uid; what its Deployment selects pods by.
pub const REVISION_UID: &str = "serving.knative.dev/revisionUID";
/// The Route's name; on its Ingress, placeholder Services and Certificates.
pub const ROUTE: &str = "serving.knative.dev/route";
/// The Route's namespace; on its Ingress.
pub const ROUTE_NAMESPACE: &str = "serving.knative.dev/routeNamespace";
/// Whether a Route leads to a Revision: one of the `ROUTING_STATE_…` values.
pub const ROUTING_STATE: &str = "serving.knative.dev/routingState";
/// Not known yet whether a Route leads to the Revision.
pub const ROUTING_STATE_PENDING: &str = "pending";
/// A Route leads to the Revision.
pub const ROUTING_STATE_ACTIVE: &str = "active";
/// No Route leads to the Revision.
pub const ROUTING_STATE_RESERVE: &str = "reserve";
/// The hash of what a Deployment was made from; it is written again only when this differs.
pub const DEPLOYMENT_HASH: &str = "serving.knative.dev/deployment-hash";

/// Who may reach a Route or a tag: absent, or [`VISIBILITY_CLUSTER_LOCAL`].
pub const VISIBILITY: &str = "networking.knative.dev/visibility";
/// Only callers inside the cluster.
pub const VISIBILITY_CLUSTER_LOCAL: &str = "cluster-local";

/// The ServerlessService that a Service belongs to.
pub const SERVERLESS_SERVICE: &str = "networking.internal.knative.dev/serverlessservice";
/// Which of a ServerlessService's two Services it is.
pub const SERVICE_TYPE: &str = "networking.internal.knative.dev/serviceType";
/// The Service that the Revision's callers use.
pub const SERVICE_TYPE_PUBLIC: &str = "Public";
/// The Service that selects the Revision's pods.
pub const SERVICE_TYPE_PRIVATE: &str = "Private";
/// The Ingress that a child belongs to.
pub const INGRESS: &str = "networking.internal.knative.dev/ingress";
/// The tag that a placeholder Service or Certificate is for.
pub const TAG: &str = "networking.internal.knative.dev/tag";

/// The pod's app; the Revision's name unless the user said otherwise.
pub const APP: &str = "app";
/// The Service whose endpoints an EndpointSlice holds.
pub const ENDPOINT_SLICE_SERVICE: &str = "kubernetes.io/service-name";
/// Who manages an EndpointSlice.
pub const ENDPOINT_SLICE_MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
/// The hash of the pod template that a ReplicaSet stands for.
pub const POD_TEMPLATE_HASH: &str = "pod-template-hash";
/// The namespace's own name, which every namespace carries.
pub const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";
/// The application that an object belongs to; on Knative's ConfigMaps.
pub const APP_NAME: &str = "app.kubernetes.io/name";
/// The part of the application; on Knative's ConfigMaps.
pub const APP_COMPONENT: &str = "app.kubernetes.io/component";
