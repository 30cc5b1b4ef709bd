//! The serving, network and workload controllers together on the in-process API server. Only what is outside the API is
//! played: the node's part of a pod's life, the images there are, and the gateways.

#[path = "serving/home.rs"]
mod home;
#[path = "serving/node.rs"]
mod node;
#[path = "serving/seams.rs"]
mod seams;

#[path = "serving/conditions.rs"]
mod conditions;
#[path = "serving/configuration.rs"]
mod configuration;
#[path = "serving/deletion.rs"]
mod deletion;
#[path = "serving/events.rs"]
mod events;
#[path = "serving/failures.rs"]
mod failures;
#[path = "serving/images.rs"]
mod images;
#[path = "serving/ready.rs"]
mod ready;
#[path = "serving/retention.rs"]
mod retention;
#[path = "serving/routes.rs"]
mod routes;
#[path = "serving/scaling.rs"]
mod scaling;
#[path = "serving/traffic.rs"]
mod traffic;
#[path = "serving/workloads.rs"]
mod workloads;
