//! A pod runs as an account that exists, and finds its token where upstream's libraries look for it, if it is to
//! (upstream: kubernetes, ServiceAccount admission).

use std::{any::Any, sync::Arc};

use objects::Error;
use resources::{
    DynObject, Object, ObjectKey,
    builtin::{Container, Pod, ServiceAccount, Volume, VolumeMount},
    downcast,
};
use serde_json::json;

use super::Registry;

/// The account of a namespace that a controller makes: a pod that is faster than it need not wait.
const DEFAULT: &str = "default";
/// Where a container finds its token.
const MOUNT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// What the name of a token's volume begins with.
const VOLUME_PREFIX: &str = "kube-api-access-";
/// How long a mounted token holds: an hour, and a few seconds by which it is known.
const EXPIRATION_SECONDS: i64 = 3607;

impl Registry {
    /// Looks whether the account that a new pod names is there, before anything else is looked at, and mounts its token
    /// if the pod is to have it.
    pub(super) fn with_service_account(
        &self,
        object: Arc<dyn DynObject>,
    ) -> Result<Arc<dyn DynObject>, Error> {
        let Some(pod) = (&*object as &dyn Any).downcast_ref::<Pod>() else { return Ok(object) };
        let account = self.account_of(pod)?;
        if !mounts_token(pod, account.as_deref()) {
            return Ok(object);
        }
        let Some(mut pod) = downcast::<Pod>(Arc::clone(&object)) else { return Ok(object) };
        drop(object);
        mount_token(Arc::make_mut(&mut pod), || format!("{VOLUME_PREFIX}{}", self.environment.suffix()));
        Ok(pod)
    }

    fn account_of(&self, pod: &Pod) -> Result<Option<Arc<ServiceAccount>>, Error> {
        let named = pod.spec.as_ref().and_then(|spec| spec.service_account_name.as_deref());
        let account = named.filter(|account| !account.is_empty()).unwrap_or(DEFAULT);
        let key = ObjectKey::new(pod.namespace(), account);
        if let Some(stored) = self.store.get(<ServiceAccount as Object>::kind(), &key)? {
            return Ok(downcast::<ServiceAccount>(stored.object()?));
        }
        if account == DEFAULT {
            return Ok(None);
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

/// Whether it is to be mounted: the pod's word counts before its account's. Where neither says so it is not, unlike
/// upstream: no pod reaches the API yet, and every start would pay for it.
fn mounts_token(pod: &Pod, account: Option<&ServiceAccount>) -> bool {
    let own = pod.spec.as_ref().and_then(|spec| spec.automount_service_account_token);
    own.or(account.and_then(|account| account.automount_service_account_token)) == Some(true)
}

/// Mounts the token into each container that has nothing in its place. `name` makes a name for its volume.
fn mount_token(pod: &mut Pod, name: impl FnOnce() -> String) {
    let Some(spec) = &mut pod.spec else { return };
    // Another server's answer that is sent to this one has it already.
    let known = spec.volumes.iter().flatten().find(|volume| volume.name.starts_with(VOLUME_PREFIX));
    let is_known = known.is_some();
    let name = known.map_or_else(name, |volume| volume.name.clone());
    let containers = spec.init_containers.iter_mut().flatten().chain(&mut spec.containers);
    let lacks = |container: &&mut Container| {
        !container.volume_mounts.iter().flatten().any(|mount| mount.mount_path == MOUNT_PATH)
    };
    let mut is_mounted = false;
    for container in containers.filter(lacks) {
        is_mounted = true;
        container.volume_mounts.get_or_insert_default().push(VolumeMount {
            name: name.clone(),
            mount_path: MOUNT_PATH.to_owned(),
            read_only: Some(true),
            ..VolumeMount::default()
        });
    }
    if is_mounted && !is_known {
        spec.volumes.get_or_insert_default().push(volume(name));
    }
}

fn volume(name: String) -> Volume {
    let projected = json!({
        "defaultMode": 0o644,
        "sources": [
            { "serviceAccountToken": { "expirationSeconds": EXPIRATION_SECONDS, "path": "token" } },
            { "configMap": { "name": "kube-root-ca.crt", "items": [{ "key": "ca.crt", "path": "ca.crt" }] } },
            { "downwardAPI": { "items": [
                { "path": "namespace", "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.namespace" } },
            ] } },
        ],
    });
    let projected = serde_json::from_value(projected).expect("that is a projected volume");
    Volume { name, projected: Some(projected), ..Volume::default() }
}

#[cfg(test)]
mod tests;
