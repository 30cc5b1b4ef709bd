//! The request path: from an accepted connection to an instance of a revision and back.
//!
//! Gateway, activator and queue are three folders and one stack: a request passes through all of them in one task,
//! by function calls. The request path must never know the API server, the objects behind its inputs or how an
//! instance is made: it is told through a [`Handle`] (by [`feed`], the one part that reads objects) and needs three
//! traits. Nothing here writes an object.
//!
//! ```text
//!              apply_routes      set_revision, set_instances
//!                    │                     │
//!  client ──► gateway/listener ──► gateway/route ──► activator/arrive ──► activator/throttle ──► queue/transmit ──► app
//!                                                          │                  waits for                │
//!                                                          ▼                  a slot in                ▼
//!                                                      StatSink             queue/breaker            Dial
//! ```
//!
//! `stack.rs` lists the layers in the order in which a request meets them.
//!
//! A connection stays on one thread with all of its requests, and so do the connections to instances that they use
//! (`gateway/threads.rs`, `queue/pool.rs`). Slots, queue and load of a revision are shared by all threads, under one
//! short lock.

mod activator;
mod body;
mod config;
mod dice;
mod error;
mod feed;
mod gateway;
mod handle;
mod headers;
mod limits;
mod on_read;
mod queue;
mod seams;
mod sockets;
mod stack;
mod step;

pub use self::activator::{ColdStart, RevisionStat};
pub use self::config::{Instance, Protocol, RevisionConfig, RevisionKey};
pub use self::dice::Dice;
pub use self::error::{Error, Retry, Side, TimeoutKind};
pub use self::feed::{Applied, Served, feed};
pub use self::gateway::{Age, Change, Conflict, Gateway, IngressRoutes, RouteTable, Standing, Visibility};
pub use self::handle::Handle;
pub use self::limits::Limits;
pub use self::seams::{Dial, DialTcp, Seams, StartTimes, StartTimesOf, StatSink};
