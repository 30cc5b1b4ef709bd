//! The activator: counts a revision's requests, wakes it when it has no instance, and holds requests until one of
//! its instances has room.

mod arrive;
mod cold_start;
mod cold_starts;
mod drained;
mod report;
mod retry;
mod revision;
mod revisions;
mod slots;
mod throttle;
mod traffic;
mod visit;

pub(crate) use self::arrive::{Arrive, Arrived};
pub use self::cold_start::ColdStart;
pub(crate) use self::cold_start::Timing;
pub(crate) use self::cold_starts::ColdStarts;
pub(crate) use self::drained::Drained;
pub(crate) use self::report::{Reports, run as report};
pub(crate) use self::retry::Retrying;
pub(crate) use self::revision::Context;
pub(crate) use self::revisions::Revisions;
pub(crate) use self::throttle::Throttle;
pub use self::traffic::RevisionStat;
pub(crate) use self::visit::Visit;
