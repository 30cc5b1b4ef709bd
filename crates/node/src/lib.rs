//! The embedded node: starts, watches and stops the containers of pods on this machine.
//!
//! It knows namespaces, cgroups, mounts and processes. It must never know revisions, autoscaling, routing or how
//! objects are stored; whoever drives it speaks in pods and containers.
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
        Allocatable, Drain, Images, Kubelet, KubeletConfig, KubeletOptions, QUEUE_PROXY_IMAGE, StartRecord,
        StartRecords, Tokens, image_pull_keyring,
    },
};
pub use run_dir::{is_in_memory, remove_run_dir};
pub use runtime::keeper::keeper_main;
