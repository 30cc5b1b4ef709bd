//! End to end: the real binary, real containers, real kubectl.

mod bad_input;
mod containers;
mod environment;
mod images;
mod lifecycle;
mod manifests;
mod rig;
mod scaling;
mod traffic;
