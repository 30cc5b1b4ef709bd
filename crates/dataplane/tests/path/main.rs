//! The request path over real sockets, against a small scripted application.
#![allow(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

mod cold;
mod drain_instance;
mod forwarding;
mod framing;
mod lifecycle;
mod protocols;
mod queueing;
mod removed;
mod repeats;
mod rig;
mod routing;
mod stalled;
mod threads;
mod timeouts;
mod tunnels;
mod unstartable;
