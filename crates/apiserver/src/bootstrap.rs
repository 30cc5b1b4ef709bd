//! What is there from the start.

use std::sync::Arc;

use objects::Error;
use resources::{
    Object, ObjectKey,
    builtin::{ConfigMap, Namespace},
    config::default_config_maps,
    meta::ObjectMeta,
    reserved::SYSTEM_NAMESPACE,
};

use crate::registry::{Caller, Registry, Wanted};

const NAMESPACES: [&str; 5] = ["default", "kube-system", "kube-public", "kube-node-lease", SYSTEM_NAMESPACE];

/// Creates the namespaces and the configuration's ConfigMaps that are missing; what is there stays as it is.
pub(crate) async fn run(registry: &Registry) -> Result<(), Error> {
    for name in NAMESPACES {
        let metadata = ObjectMeta { name: Some(name.into()), ..ObjectMeta::default() };
        ensure(registry, Namespace { metadata, ..Namespace::default() }).await?;
    }
    for map in default_config_maps() {
        ensure::<ConfigMap>(registry, map).await?;
    }
    Ok(())
}

async fn ensure<K: Object>(registry: &Registry, object: K) -> Result<(), Error> {
    let key = ObjectKey::of(object.metadata());
    if registry.store.get(K::kind(), &key)?.is_some() {
        return Ok(());
    }
    match registry.create(Wanted::typed(Arc::new(object)), &Caller::bootstrap()).await {
        Ok(_) | Err(Error::AlreadyExists { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
