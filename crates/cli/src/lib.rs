//! The user's commands, in kn's grammar: `service`, `revision`, `route`, `image`, `backup`, `kubeconfig`, `version`.
//!
//! They talk to the API, and read and write the files that they are given, so that those in kn's grammar work alike on an
//! embedded Ebb and on any cluster with Knative. `image` and `backup` need what Ebb's API alone has, and `kubeconfig`
//! looks into the data directory of an Ebb on this machine. This crate never links the API server or the node, and never
//! asks the machine for the time, the environment or a random number: [`Console`] carries what a command may see of its
//! surroundings.
//!
//! ```text
//!  argv ─ clap ─► Command ─┐                      ┌─► kube::Client ──► the API (TLS, the kubeconfig's credentials)
//!                          ├─► run ─► Session ────┤
//!  Global, Console ────────┘    │                 └─► upload: a streaming body (image load)
//!                               │
//!        pure, in the middle:   ├─ service/edit      flags → Service
//!                               ├─ service/traffic   flags → traffic targets
//!                               ├─ service/three_way last applied, wanted, current → merge patch
//!                               ├─ service/wait      events, time → progress
//!                               └─ print, output     objects → text
//! ```
//!
//! What a command prints, and its words, are upstream's wherever scripts may read them
//! (upstream: client, `pkg/commands`); what Ebb adds comes after that, never in between.

mod api;
mod backup;
mod command;
mod connection;
mod console;
mod error;
mod image;
mod kubeconfig;
mod listing;
mod new_file;
mod output;
mod print;
mod revision;
mod route;
mod service;
mod text;
mod version;

pub use self::{
    command::{Command, run},
    connection::Global,
    console::{Console, Environment},
    error::Error,
    revision::short_digest,
    service::user_image,
};
