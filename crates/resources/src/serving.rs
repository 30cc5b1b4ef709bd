//! `serving.knative.dev/v1`: Service, Configuration, Revision, Route.

mod configuration;
mod revision;
mod route;
mod service;
mod traffic;

pub use self::{
    configuration::{CONFIGURATION_CONDITIONS, Configuration, ConfigurationSpec, ConfigurationStatus},
    revision::{
        ACTIVE, CONTAINER_HEALTHY, ContainerStatus, RESOURCES_AVAILABLE, REVISION_CONDITIONS, Revision,
        RevisionSpec, RevisionStatus, RevisionTemplateSpec,
    },
    route::{
        ALL_TRAFFIC_ASSIGNED, Addressable, CERTIFICATE_PROVISIONED, INGRESS_READY, ROUTE_CONDITIONS, Route,
        RouteSpec, RouteStatus,
    },
    service::{CONFIGURATIONS_READY, ROUTES_READY, SERVICE_CONDITIONS, Service, ServiceSpec, ServiceStatus},
    traffic::TrafficTarget,
};

/// The API group.
pub const GROUP: &str = "serving.knative.dev";
