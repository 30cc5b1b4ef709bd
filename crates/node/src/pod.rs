//! Pods: from an object bound to this node to running containers and back into the object's status.
//!
//! ```text
//!   watch ──► Kubelet ──► Workers ──► Worker (one task per pod, while it exists)
//!                                       │ values, volumes, image ──► spec ──► Runtime
//!                                       │ exits, probes, deadlines ──► state ──► status ──► API
//!                                       ├ deleted: drain, TERM, grace, KILL, remove, forget
//!                                       └ the node stops: the same, but the pod and its files stay
//! ```
//!
//! Decisions are pure (`spec`, `status`, `backoff`, `env`); the worker does what they say.

mod address;
mod backoff;
mod built_in;
mod env;
mod events;
mod image;
mod kubelet;
mod spec;
mod start_times;
mod state;
mod status;
mod termination;
mod values;
mod volumes;
mod worker;
mod workers;

pub use self::{
    built_in::QUEUE_PROXY_IMAGE,
    image::Images,
    kubelet::{Allocatable, Drain, Kubelet, KubeletConfig, KubeletOptions},
    start_times::{StartRecord, StartRecords},
};
