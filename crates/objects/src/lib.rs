//! How everything in Ebb reads, watches and writes API objects, and how reconcilers are run.
//!
//! ```text
//!   reconciler ──► Client ──► dyn Backend ──┬── in process: the embedded API server's store (typed, no JSON)
//!       ▲                                   └── remote: any Kubernetes, by HTTP
//!       │ key
//!   Controller ◄── Queue ◄── Watch: list, then changes in order, deletes too
//! ```
//!
//! A reconciler cannot tell the two backends apart and must not try: it never depends on reading its own write, and
//! it never assumes that a list is cheap to keep. This crate knows no kind by name and no reconciler.

mod backend;
mod backlog;
mod client;
mod controller;
mod error;
mod options;
mod queue;
mod remote;
mod watch;
mod work;

pub use self::{
    backend::{Backend, Change, ChangeKind, Changes, Listed, WriteTarget, resource_version, says_version},
    client::{Client, List},
    controller::{Action, Controller, Reconcile, owner, queue_all},
    error::{Cause, Error, Result},
    options::{DeleteOptions, ListOptions, Precondition, Propagation},
    queue::{Backoff, Queue},
    remote::{Access, Remote, RemoteLimits, RemoteOptions, Scope},
    watch::{Event, Watch},
    work::{Pace, work},
};
