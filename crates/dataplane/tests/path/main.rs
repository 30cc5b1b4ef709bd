//! The request path over real sockets, against a small scripted application.

mod cold;
mod drain_instance;
mod forwarding;
mod lifecycle;
mod protocols;
mod queueing;
mod rig;
mod routing;
mod threads;
mod timeouts;
