//! The embedded Kubernetes API: what a kube-apiserver is to a cluster, inside one process.
//!
//! ```text
//!   kubectl, kn, client-go                        controllers, gateway, node
//!        │ TLS, HTTP                                    │ typed
//!        ▼                                              ▼
//!   serve ─► authentication, authorization         in_process ── objects::Backend
//!                    │                                  │
//!                  rest ─► (patch, table, discovery)    │
//!                    │                                  │
//!                    └──────────► registry ◄────────────┘   names, versions, generation, admission, finalizers
//!                                    │
//!                                  store ─► storage          one order of all writes; index; recent changes
//! ```
//!
//! It runs no controller, no garbage collector and no container. The one exception is upstream's too: the objects of a
//! CustomResourceDefinition that goes are deleted here (`registry/definitions/clean_up.rs`). It must not know the gateway
//! or the node; what it needs of the node is the trait [`Kubelet`].

#![forbid(unsafe_code)]

mod apply;
mod aside;
mod audit;
mod authentication;
mod authorization;
mod backup;
mod bootstrap;
mod configs;
mod discovery;
mod environment;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
mod health;
mod hex;
mod in_process;
mod kubelet;
mod limits;
mod mount;
mod patch;
mod registry;
mod request_body;
mod rest;
mod schema;
mod secrets;
mod selector;
mod serve;
mod served;
mod server;
mod status;
mod store;
mod table;
mod tls;

pub use self::{
    authentication::User,
    backup::{Restored, restore},
    environment::Environment,
    error::{Error, Result},
    health::{Health, Scope},
    kubelet::{ExecOptions, Execution, Kubelet, LogOptions, TerminalSize},
    limits::Limits,
    mount::{Body, Handler, full},
    registry::ServiceRange,
    request_body::RequestBody,
    rest::Query,
    server::{ApiServer, Options},
};
