//! Who may do what: role-based access control (upstream: kubernetes, `plugin/pkg/auth/authorizer/rbac`).
//!
//! ```text
//!   request ─► Attributes ─► Policies::authorize ─► allowed, or not and why
//!                                 │
//!   store ── changes of roles and bindings ──► Index: whom which bindings are for, which rules a role has
//! ```
//!
//! Every call from the network passes here before anything is known about what it asks for; parts of Ebb itself never do,
//! and members of `system:masters` are through before the index is looked at.

mod attributes;
mod covers;
pub(crate) mod defaults;
mod escalation;
mod index;
mod policies;
mod rule;

pub(crate) use self::{
    attributes::{Asked, Attributes},
    escalation::check_grant,
    policies::Policies,
};
