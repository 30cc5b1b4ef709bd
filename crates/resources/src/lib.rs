//! Every API object Ebb serves or uses: its shape, its names, its conditions, its defaults and its validation.
//!
//! Core kinds (Pod, Deployment, …) are the types of `k8s-openapi`; Knative's kinds are written here with the same
//! traits, so that one [`Object`] bound covers both and every store, client and controller treats them alike.
//!
//! ```text
//!   JSON ── Kind::decode ──► Arc<dyn DynObject> ── downcast ──► Arc<Revision>
//!                                 │
//!                 admission: default, validate (pure; same code wherever objects are admitted)
//! ```
//!
//! This crate is pure: it knows no socket, no file, no task and no clock. Whoever needs the time passes it in.

mod complaints;
mod event_forms;
mod hpa_forms;
mod kind;
mod knative;
mod object;
mod path;

pub mod admission;
pub mod annotations;
pub mod autoscaling;
pub mod capability;
pub mod condition;
pub mod config;
pub mod container_reasons;
pub mod custom;
pub mod duration;
pub mod events;
pub mod image_name;
pub mod kinds;
pub mod labels;
pub mod names;
pub mod networking;
pub mod provided;
pub mod quantity;
pub mod reserved;
pub mod schema;
pub mod serving;

pub use self::{
    complaints::{COMPLAINTS_MAX, Complaints},
    kind::{DecodeError, Kind, ScalePaths, Subresources},
    object::{DynObject, Object, ObjectKey, downcast},
    path::{PATH_BYTES_MAX, Path, shortened},
};

/// The core kinds' types (groups "", admissionregistration.k8s.io, apps, autoscaling, batch, coordination.k8s.io,
/// discovery.k8s.io, events.k8s.io, networking.k8s.io, policy and rbac.authorization.k8s.io).
pub mod builtin {
    pub use k8s_openapi::api::admissionregistration::v1::{
        MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
    };
    pub use k8s_openapi::api::apps::v1::*;
    pub use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
    pub use k8s_openapi::api::batch::v1::{CronJob, Job, JobCondition, JobSpec, JobStatus};
    pub use k8s_openapi::api::coordination::v1::*;
    pub use k8s_openapi::api::core::v1::*;
    pub use k8s_openapi::api::discovery::v1::{
        Endpoint, EndpointConditions, EndpointPort as SlicePort, EndpointSlice,
    };
    pub use k8s_openapi::api::policy::v1::PodDisruptionBudget;
    pub use k8s_openapi::api::rbac::v1::*;

    /// HorizontalPodAutoscalers as their older version has them; what is stored is the newer.
    pub mod autoscaling_v1 {
        pub use k8s_openapi::api::autoscaling::v1::HorizontalPodAutoscaler;
    }

    /// Events as their own group has them; what is stored is the core group's.
    pub mod events {
        pub use k8s_openapi::api::events::v1::{Event, EventSeries};
    }

    /// Kubernetes' own ways into a cluster; Knative has an Ingress of its own.
    pub mod networking {
        pub use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
    }
}

/// Questions about users and their rights (groups authentication.k8s.io and authorization.k8s.io).
pub mod reviews {
    pub use k8s_openapi::api::authentication::v1::*;
    pub use k8s_openapi::api::authorization::v1::*;
}

/// Metadata types shared by all kinds.
pub mod meta {
    pub use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
    pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::{
        LabelSelector, LabelSelectorRequirement, MicroTime, ObjectMeta, OwnerReference, Time,
    };
    pub use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
}
