//! Every namespace has a ServiceAccount `default`.

use objects::{Action, Client, Reconcile, Result};
use resources::{
    Object, ObjectKey,
    builtin::{Namespace, ServiceAccount},
    meta::ObjectMeta,
};

const DEFAULT: &str = "default";

pub(super) struct Reconciler {
    pub(super) client: Client,
}

/// A deleted `default` comes back.
pub(super) fn namespace_of(account: &ServiceAccount) -> Vec<ObjectKey> {
    if account.name() == DEFAULT { vec![ObjectKey::cluster(account.namespace())] } else { Vec::new() }
}

impl Reconcile for Reconciler {
    async fn reconcile(&self, key: &ObjectKey) -> Result<Action> {
        let Some(namespace) = self.client.find::<Namespace>(key).await? else { return Ok(Action::Wait) };
        let account = ObjectKey::new(namespace.name(), DEFAULT);
        if namespace.is_deleting() || self.client.find::<ServiceAccount>(&account).await?.is_some() {
            return Ok(Action::Wait);
        }
        let metadata = ObjectMeta {
            name: Some(DEFAULT.to_owned()),
            namespace: Some(namespace.name().to_owned()),
            ..ObjectMeta::default()
        };
        match self.client.create(ServiceAccount { metadata, ..ServiceAccount::default() }).await {
            Err(error) if error.is_already_exists() => Ok(Action::Wait),
            created => created.map(|_| Action::Wait),
        }
    }
}
