//! Every namespace has a ConfigMap with the certificate by which the API is known (upstream: kubernetes,
//! `rootcacertpublisher`).

use std::collections::BTreeMap;

use objects::{Action, ListOptions, Reconcile, Result, WriteTarget};
use resources::{
    Object, ObjectKey,
    builtin::{ConfigMap, Namespace},
    meta::ObjectMeta,
};

use super::Context;

const NAME: &str = "kube-root-ca.crt";
const KEY: &str = "ca.crt";
const DESCRIPTION: (&str, &str) = (
    "kubernetes.io/description",
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the \
     internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes \
     clusters.",
);

pub(super) struct Reconciler {
    pub(super) context: Context,
}

/// All of them.
pub(super) fn all() -> ListOptions {
    ListOptions { name: Some(NAME.to_owned()), ..ListOptions::all() }
}

/// One that is deleted comes back, and one that is changed becomes what it was.
pub(super) fn namespace_of(map: &ConfigMap) -> Vec<ObjectKey> {
    if map.name() == NAME { vec![ObjectKey::cluster(map.namespace())] } else { Vec::new() }
}

impl Reconciler {
    fn data(&self) -> Option<BTreeMap<String, String>> {
        Some(BTreeMap::from([(KEY.to_owned(), self.context.root_ca.to_string())]))
    }

    /// Whether it is as it should be.
    fn is_right(&self, map: &ConfigMap) -> bool {
        let annotations = map.metadata.annotations.as_ref();
        let described = annotations.and_then(|annotations| annotations.get(DESCRIPTION.0));
        map.data == self.data() && described.is_some_and(|text| text == DESCRIPTION.1)
    }

    fn set_right(&self, map: &mut ConfigMap) {
        map.data = self.data();
        let annotations = map.metadata.annotations.get_or_insert_default();
        annotations.insert(DESCRIPTION.0.to_owned(), DESCRIPTION.1.to_owned());
    }
}

impl Reconcile for Reconciler {
    async fn reconcile(&self, key: &ObjectKey) -> Result<Action> {
        let client = &self.context.client;
        let Some(namespace) = client.find::<Namespace>(key).await? else { return Ok(Action::Wait) };
        if namespace.is_deleting() {
            return Ok(Action::Wait);
        }
        let key = ObjectKey::new(namespace.name(), NAME);
        let Some(found) = client.find::<ConfigMap>(&key).await? else {
            let (name, namespace) = (Some(key.name), Some(key.namespace));
            let metadata = ObjectMeta { name, namespace, ..ObjectMeta::default() };
            let mut map = ConfigMap { metadata, ..ConfigMap::default() };
            self.set_right(&mut map);
            return match client.create(map).await {
                Err(error) if error.is_already_exists() => Ok(Action::Wait),
                created => created.map(|_| Action::Wait),
            };
        };
        if !self.is_right(&found) {
            client.modify::<ConfigMap>(WriteTarget::Object, &key, |map| self.set_right(map)).await?;
        }
        Ok(Action::Wait)
    }
}
