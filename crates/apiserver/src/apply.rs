//! Server-side apply: who manages which fields of an object, and what follows when somebody says how some of them
//! should be (upstream: `sigs.k8s.io/structured-merge-diff`, `apimachinery/util/managedfields`).
//!
//! ```text
//!   apply:  live + configuration ─► merge ─► drop what its applier left out ─► conflicts? ─► object, managers
//!   update: live, new ─► compare ─► the updater takes what it changed, everybody loses what went ─► managers
//! ```
//!
//! Everything here is a function of JSON trees, a schema ([`Root`](crate::schema::Root), and a
//! [`Place`](crate::schema::Place) in it), and sets of fields. It knows no store and no clock.

mod check;
mod client_side;
mod compare;
mod elements;
mod field_set;
mod fields_v1;
mod managed;
mod merge;
mod named;
mod operation;
mod remove;
mod set_of;

pub(crate) use self::{
    managed::{Managed, Manager, Operation},
    operation::{Conflict, Refused, apply, update},
};
