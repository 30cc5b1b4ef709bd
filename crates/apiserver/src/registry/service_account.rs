//! A pod runs as an account that exists (upstream: kubernetes, ServiceAccount admission).

use std::any::Any;

use objects::Error;
use resources::{
    DynObject, Object, ObjectKey,
    builtin::{Pod, ServiceAccount},
};

use super::Registry;

/// The account of a namespace that a controller makes: a pod that is faster than it need not wait.
const DEFAULT: &str = "default";

impl Registry {
    /// Whether the account that a new pod names is there. Asked before anything else is looked at.
    pub(super) fn check_service_account(&self, object: &dyn DynObject) -> Result<(), Error> {
        let Some(pod) = (object as &dyn Any).downcast_ref::<Pod>() else { return Ok(()) };
        let account = pod.spec.as_ref().and_then(|spec| spec.service_account_name.as_deref());
        let Some(account) = account.filter(|account| *account != DEFAULT) else { return Ok(()) };
        let key = ObjectKey::new(pod.namespace(), account);
        if self.store.get(<ServiceAccount as Object>::kind(), &key)?.is_some() {
            return Ok(());
        }
        // One that is generated is not chosen yet upstream, and is another one at the next try.
        let name = pod.metadata.generate_name.as_deref().filter(|prefix| !prefix.is_empty());
        let why = format!(
            "error looking up service account {}/{account}: serviceaccount \"{account}\" not found",
            pod.namespace()
        );
        Err(Error::forbidden(<Pod as Object>::kind(), name.unwrap_or(pod.name()), why))
    }
}
