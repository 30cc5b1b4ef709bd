//! What is there from the start.

mod definitions;

use std::sync::Arc;

use objects::Error;
use resources::{
    Object, ObjectKey,
    builtin::{ClusterRole, ClusterRoleBinding, ConfigMap, Namespace},
    config::default_config_maps,
    custom::CustomResourceDefinition,
    downcast,
    meta::ObjectMeta,
    provided::PROVIDED,
    reserved::SYSTEM_NAMESPACE,
};

use crate::{
    apply::Managed,
    authorization::defaults,
    registry::{Caller, Registry, Target, Wanted, ebb_manages},
};

const NAMESPACES: [&str; 5] = ["default", "kube-system", "kube-public", "kube-node-lease", SYSTEM_NAMESPACE];

/// Creates the namespaces, the configuration's ConfigMaps, the default roles and the definitions of Knative's kinds that
/// are missing; what is there stays as it is, but for roles that lack some of their default's rules and Services that an
/// older Ebb gave no address.
pub(crate) async fn run(registry: &Registry) -> Result<(), Error> {
    for name in NAMESPACES {
        let metadata = ObjectMeta { name: Some(name.into()), ..ObjectMeta::default() };
        ensure(registry, Namespace { metadata, ..Namespace::default() }).await?;
    }
    for map in default_config_maps() {
        ensure::<ConfigMap>(registry, map).await?;
    }
    let (roles, bindings) = defaults::all();
    for role in roles {
        complete(registry, &role).await?;
        ensure(registry, role).await?;
    }
    for binding in bindings {
        ensure::<ClusterRoleBinding>(registry, binding).await?;
    }
    for definition in definitions::all() {
        // Whoever applies upstream's takes over all of it but the mark.
        let kind = <CustomResourceDefinition as Object>::kind();
        let managed = ebb_manages(kind, PROVIDED, registry.environment.now());
        ensure_managed(registry, definition, Some(managed)).await?;
    }
    registry.complete_services().await
}

async fn ensure<K: Object>(registry: &Registry, object: K) -> Result<(), Error> {
    ensure_managed(registry, object, None).await
}

/// `managed`: who manages the object's fields, if anybody does from the start.
async fn ensure_managed<K: Object>(
    registry: &Registry,
    object: K,
    managed: Option<Managed>,
) -> Result<(), Error> {
    let key = ObjectKey::of(object.metadata());
    if registry.store.get(K::kind(), &key)?.is_some() {
        return Ok(());
    }
    let wanted = Wanted { applied: managed, ..Wanted::typed(Arc::new(object)) };
    match registry.create(wanted, &Caller::bootstrap()).await {
        Ok(_) | Err(Error::AlreadyExists { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Gives a role that is there what it lacks of its default.
async fn complete(registry: &Registry, default: &ClusterRole) -> Result<(), Error> {
    let (kind, key) = (ClusterRole::kind(), ObjectKey::of(&default.metadata));
    let Some(stored) = registry.store.get(kind, &key)? else { return Ok(()) };
    let present = downcast::<ClusterRole>(stored.object()?);
    let Some(role) = present.and_then(|present| defaults::completed(&present, default)) else {
        return Ok(());
    };
    let role = Arc::new(role);
    let wanted = |_: &_| Ok::<_, Error>(Wanted::typed(Arc::clone(&role) as _));
    registry.update(kind, &key, Target::Object, &Caller::bootstrap(), wanted).await.map(drop)
}
