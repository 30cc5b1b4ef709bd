//! The embedded node: a kubelet above, which turns pods into containers and tells how they fare, and a runtime below,
//! which runs them.
//!
//! ```text
//!  objects::Client ─ pods ─► Kubelet ─► a worker for each pod ─┬─► Runtime: sandboxes, containers, further programs
//!                  ◄─ status, events ─┘    (pod/worker)        ├─► Images, volumes, tokens
//!                                                              └─► probes, hooks, Logs
//! ```
//!
//! The kubelet sees objects through `objects::Client` alone, and what it needs of others is the traits [`Tokens`] and
//! [`Drain`]. Of Knative it knows one container, queue-proxy, which it is itself (`pod/built_in.rs`). The runtime knows
//! namespaces, cgroups, mounts and processes, and no API. Neither may know how objects are stored, who made a pod, or
//! where requests come from: this crate never links the API server, the store, controllers or the data plane.
//!
//! ```text
//!  daemon (threads, tokio)                 keeper (one thread)              in the container
//!  ┌───────────────────────┐  seqpacket   ┌───────────────────┐  clone3   ┌──────┐ fork ┌─────┐
//!  │ ContainerRuntime      │─────────────▶│ pools: sandboxes, │──────────▶│ init │─────▶│ app │
//!  │ ProcessRuntime        │◀─────────────│ container shells  │◀──────────│ reaps│      │     │
//!  └───────────────────────┘ events, fds  └───────────────────┘  exits    └──────┘      └─────┘
//! ```
//!
//! `unsafe` is allowed in this crate alone, because starting a process in new namespaces has no safe interface. It is
//! in [`runtime`]'s system call wrappers (`runtime/sys.rs`), and where a fork or the closing of inherited descriptors
//! is only sound because of what the calling process is.

mod exec;
mod logs;
mod pod;
mod private_dir;
mod probe;
mod removals;
mod run_dir;
pub mod runtime;

pub use self::{
    exec::{Exec, ExecCommand, ExecProgram, ExecStream, exec},
    logs::{Clock, LogId, LogOptions, Logs},
    pod::{
        Allocatable, Drain, Images, Kubelet, KubeletConfig, KubeletOptions, NODE_ADDRESS, StartRecord,
        StartRecords, Tokens, image_pull_keyring, is_built_in,
    },
};
pub use run_dir::{is_in_memory, remove_run_dir};
pub use runtime::keeper::keeper_main;
