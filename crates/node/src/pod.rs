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
//! What an earlier run of the node has left with the keeper is `unclaimed` until its pod's worker goes on with it
//! (`worker/take_over`, `worker/go_on`): the same address, the same containers, and nobody is told otherwise.
//!
//! Decisions are pure (`spec`, `status`, `backoff`, `env`); the worker does what they say.

mod address;
mod backoff;
mod built_in;
mod env;
mod etc;
mod events;
mod image;
mod keyring;
mod kubelet;
mod remains;
mod spec;
mod start_times;
mod state;
mod status;
mod termination;
mod tokens;
mod unclaimed;
mod values;
mod volumes;
mod worker;
mod workers;

pub(crate) use self::worker::container_id;
pub use self::{
    address::NODE_ADDRESS,
    built_in::is_built_in,
    image::Images,
    keyring::image_pull_keyring,
    kubelet::{Allocatable, Drain, Kubelet, KubeletConfig, KubeletOptions},
    start_times::{StartRecord, StartRecords},
    tokens::Tokens,
};
