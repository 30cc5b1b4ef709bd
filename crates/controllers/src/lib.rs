//! Every reconciler: it reads what objects want, makes the objects that follow from it, and says in their status how
//! far that has come.
//!
//! ```text
//!                    ┌► Configuration ─► Revision ─┬► Deployment ────────────► ReplicaSet ─► Pod     (workloads)
//!   Service ─────────┤                             └► PodAutoscaler ─┬► ServerlessService ─► Services  (network)
//!   (serving)        └► Route ─► Ingress (network)                   └► scale of the Deployment
//! ```
//!
//! Each reconciler is a pure part (`desired…`, `status…`: objects in, objects out) and a thin edge that reads, compares
//! and writes the differences. It never depends on reading its own write.
//!
//! The crate knows neither the store, nor the API server, nor the node, nor a Kubernetes client: it sees objects through
//! [`objects::Client`], and the rest of the world through the traits it declares ([`serving::ImageResolver`],
//! [`network::Gateways`]).

pub mod network;
pub mod serving;
pub mod workloads;
