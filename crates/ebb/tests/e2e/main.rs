//! End to end: the real binary, real containers, real kubectl.
#![allow(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

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
mod exec;
mod gateway;
mod handing_on;
mod hooks;
#[allow(dead_code, reason = "the API server's own tests ask more of it")]
#[path = "../../../apiserver/tests/api/https.rs"]
mod https;
mod images;
mod installation;
mod kills;
mod kubectl;
mod life;
mod lifecycle;
mod logs;
mod manifests;
mod news;
mod refusals;
mod revisions;
mod rig;
mod scaling;
mod secrets;
mod taking_over;
mod tokens;
mod traffic;
mod unstartable;
mod workloads;
