//! End to end: the real binary, real containers, real kubectl.

mod backup;
mod bad_input;
mod cli;
mod clients;
mod commands;
mod containers;
mod demo;
mod domain;
mod ends;
mod environment;
mod gateway;
mod images;
mod kubectl;
mod life;
mod lifecycle;
mod manifests;
mod news;
mod refusals;
mod revisions;
mod rig;
mod scaling;
mod taking_over;
mod traffic;
mod workloads;
