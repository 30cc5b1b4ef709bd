//! The API from outside: by HTTP, by the in-process client, by kubectl, and across a crash.

mod apply;
mod audit;
mod backup;
mod bounds;
mod churn;
mod custom;
mod dry_run;
mod durability;
mod encoding;
mod fields;
mod https;
mod in_process;
mod kills;
mod kubectl;
mod log;
mod paging;
mod refusals;
mod rig;
mod rights;
mod script;
mod services;
mod watch;
