//! The Knative Pod Autoscaler (KPA): how many instances a revision should have.
//!
//! Everything here is a function of plain data. The crate must never know a clock, a socket, a task or an API
//! object: the caller records load, passes the time, and writes the answer to the cluster. So the whole autoscaler
//! runs under virtual time, in [`simulate`] as in production.
//!
//! ```text
//!  requests in flight ──► Windows ──► Decider::decide ──► Decision ──► scale ──► ScaleAction ──► replicas
//!  (one value a second)   stable,     target, panic,      desired,     bounds,   to, requeue
//!                         panic       rates, delay        burst room   to zero   after
//!                                        ▲                                 ▲
//!                                   DeciderSpec ◄── Annotations (revision) + Config (config-autoscaler)
//! ```
//!
//! Times are [`Time`]: a duration since an origin that the caller chose once and keeps.

mod active;
mod annotations;
mod bounds;
mod config;
mod decider;
mod delay;
mod error;
mod scale;
mod simulate;
mod spec;
mod value;
mod window;
mod windows;

pub use self::active::{ActiveCondition, ActiveInput, InactiveReason, active_condition, active_threshold};
pub use self::annotations::{Annotations, annotation};
pub use self::bounds::Bounds;
pub use self::config::Config;
pub use self::decider::{Decider, Decision, TICK};
pub use self::error::Error;
pub use self::scale::{Activity, ScaleAction, ScaleInput, SksMode, scale, sks_mode};
pub use self::simulate::{Load, Step, simulate};
pub use self::spec::{DeciderSpec, Reachability, Workload};
pub use self::window::{Aggregation, Window};
pub use self::windows::{Averages, Silence, Windows};

/// A moment, as the time since an origin of the caller's choosing (a process start, the Unix epoch).
pub type Time = std::time::Duration;

/// What a revision is scaled by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Metric {
    /// Requests in flight per instance.
    #[default]
    Concurrency,
    /// Requests per second per instance.
    Rps,
}
