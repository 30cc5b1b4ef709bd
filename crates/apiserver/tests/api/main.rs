//! The API from outside: by HTTP, by the in-process client, by kubectl, and across a crash.
#![allow(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

mod apply;
mod attacks;
mod audit;
mod autoscalers;
mod backup;
mod bounds;
mod churn;
mod custom;
#[allow(dead_code, reason = "the store's own tests ask more of it")]
#[path = "../../../storage/tests/durability/disk.rs"]
mod disk;
mod dry_run;
mod durability;
mod empty;
mod encoding;
mod events;
mod exec;
mod fields;
#[allow(dead_code, reason = "a server that may be gone is called by others")]
mod https;
mod in_process;
mod kills;
mod kubectl;
mod log;
mod model;
mod openapi;
mod paging;
mod protobuf;
mod provided;
mod refusals;
mod rig;
mod rights;
mod rules;
mod script;
mod secrecy;
mod secrets;
mod services;
mod space;
mod tls;
mod watch;
