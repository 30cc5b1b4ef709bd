//! The request path over real sockets, against a small scripted application.

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
