//! What is asked of admission.

use std::sync::Arc;

use crate::object::DynObject;

/// What happens to the object.
#[derive(Clone, Debug)]
pub enum Operation {
    /// It is new.
    Create,
    /// It replaces another.
    Update {
        /// The object as it is stored.
        old: Arc<dyn DynObject>,
    },
}

/// The circumstances of a write.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// What happens to the object.
    pub operation: Operation,
    /// `status` or `scale`, when only that is written.
    pub subresource: Option<&'a str>,
    /// Whether the object will not be stored.
    pub dry_run: bool,
    /// Who asks.
    pub user: &'a str,
    /// Whether it may give a Pod its node, as `pods/binding` does upstream.
    pub binds: bool,
    /// Whether Ebb itself asks, which alone may lead traffic to loopback: the embedded gateway is there, and so is
    /// much that is not for everybody.
    pub is_own: bool,
    /// The time of the write.
    pub now: jiff::Timestamp,
}

impl<'a> Request<'a> {
    /// A new object.
    pub fn create(user: &'a str, now: jiff::Timestamp) -> Self {
        Self {
            operation: Operation::Create,
            subresource: None,
            dry_run: false,
            user,
            binds: false,
            is_own: false,
            now,
        }
    }

    /// A new version of `old`.
    pub fn update(old: Arc<dyn DynObject>, user: &'a str, now: jiff::Timestamp) -> Self {
        Self { operation: Operation::Update { old }, ..Self::create(user, now) }
    }

    /// The object as it is stored; `None` on create.
    pub(crate) fn old(&self) -> Option<&dyn DynObject> {
        match &self.operation {
            Operation::Create => None,
            Operation::Update { old } => Some(&**old),
        }
    }
}
