//! Users.

use std::collections::BTreeMap;

/// The group whose members may do everything.
const MASTERS: &str = "system:masters";
/// The group of everybody who has shown who it is.
pub(super) const AUTHENTICATED: &str = "system:authenticated";
/// The group of everybody else.
pub(super) const UNAUTHENTICATED: &str = "system:unauthenticated";
/// Who has shown nothing.
pub(super) const ANONYMOUS: &str = "system:anonymous";
/// What the name of a ServiceAccount's user begins with; its namespace and its name follow.
pub(super) const SERVICE_ACCOUNT_PREFIX: &str = "system:serviceaccount:";
/// The group of all ServiceAccounts; with a namespace behind it, of those in it.
const SERVICE_ACCOUNTS: &str = "system:serviceaccounts";

/// Whoever calls the API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// A certificate's common name; of a ServiceAccount `system:serviceaccount:NAMESPACE:NAME`.
    pub name: String,
    /// What tells users of one name apart that come one after the other; may be empty.
    pub uid: String,
    /// A certificate's organizations, and groups that everybody of a sort is in.
    pub groups: Vec<String>,
    /// More that is known of the user.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl User {
    /// Somebody who has shown nothing.
    pub(super) fn anonymous() -> Self {
        Self { name: ANONYMOUS.into(), groups: vec![UNAUTHENTICATED.into()], ..Self::default() }
    }

    /// Whether the user may do everything.
    pub(crate) fn is_admin(&self) -> bool {
        self.groups.iter().any(|group| group == MASTERS)
    }

    pub(super) fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|one| one == group)
    }
}

/// The name of a ServiceAccount's user.
pub(crate) fn service_account_user(namespace: &str, name: &str) -> String {
    format!("{SERVICE_ACCOUNT_PREFIX}{namespace}:{name}")
}

/// The groups of a ServiceAccount beside that of all users.
pub(super) fn service_account_groups(namespace: &str) -> Vec<String> {
    vec![SERVICE_ACCOUNTS.to_owned(), format!("{SERVICE_ACCOUNTS}:{namespace}")]
}
