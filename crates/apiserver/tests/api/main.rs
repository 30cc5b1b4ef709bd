//! The API from outside: by HTTP, by the in-process client, by kubectl, and across a crash.

mod apply;
mod bounds;
mod churn;
mod custom;
mod durability;
mod fields;
mod https;
mod in_process;
mod kubectl;
mod log;
mod paging;
mod rig;
mod script;
mod watch;
