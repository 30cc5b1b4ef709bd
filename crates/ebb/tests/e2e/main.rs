//! End to end: the real binary, real containers, real kubectl.

mod bad_input;
mod cli;
mod containers;
mod domain;
mod images;
mod lifecycle;
mod manifests;
mod rig;
mod scaling;
mod taking_over;
mod traffic;
