//! The Knative Pod Autoscaler (KPA): how many instances a revision should have.
//!
//! Everything here is a function of plain data. The crate must never know a clock, a socket, a task or how API objects
//! are read and written: the caller records load, passes the time, and writes the answer to the cluster. So the whole
//! autoscaler runs under virtual time, in [`simulate`] as in production. What users and operators may set, and its
//! defaults, is read and checked by crate `resources`; here it is resolved into a [`DeciderSpec`].
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
mod bounds;
mod decider;
mod delay;
mod scale;
mod simulate;
mod spec;
mod window;
mod windows;

pub use resources::{
    annotations::{Aggregation, Scaling as Annotations, ScalingMetric},
    autoscaling::Reachability,
    config::Autoscaler as Config,
};

pub use self::active::{ActiveCondition, ActiveInput, InactiveReason, active_condition, active_threshold};
pub use self::bounds::Bounds;
pub use self::decider::{Decider, Decision, TICK};
pub use self::scale::{Activity, ScaleAction, ScaleInput, SksMode, scale, sks_mode};
pub use self::simulate::{Load, Step, simulate};
pub use self::spec::{DeciderSpec, Workload, initial_scale};
pub use self::window::Window;
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
