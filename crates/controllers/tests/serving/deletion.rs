//! Owners that go after what they own.

use objects::{DeleteOptions, Propagation, WriteTarget};
use resources::{Object, builtin::ConfigMap};
use serde_json::json;

use crate::home::Home;

/// Makes a ConfigMap that is about to go, and another, named after it, that it waits for and that does not go by itself.
async fn held(home: &Home, owner: &str) -> String {
    let name = format!("of-{owner}");
    let owner = home.apply::<ConfigMap>(json!({"metadata": {"name": owner}})).await;
    let reference = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": owner.name(), "uid": owner.uid(), "blockOwnerDeletion": true});
    let metadata = json!({"name": name, "finalizers": ["example.com/wait"], "ownerReferences": [reference]});
    home.apply::<ConfigMap>(json!({"metadata": metadata})).await;
    let foreground = DeleteOptions { propagation: Some(Propagation::Foreground), ..DeleteOptions::default() };
    home.client.delete::<ConfigMap>(&owner.key(), &foreground).await.unwrap();
    home.until(&name, "going", ConfigMap::is_deleting).await;
    home.quiet().await;
    assert!(home.get::<ConfigMap>(owner.name()).await.is_deleting(), "it waits");
    name
}

pub(crate) async fn an_owner_goes_when_what_it_waits_for_is_gone(home: &Home) {
    let owned = held(home, "owner").await;
    let free = |map: &mut ConfigMap| {
        map.metadata.finalizers.iter_mut().for_each(|all| all.retain(|name| name != "example.com/wait"));
    };
    home.client.modify(WriteTarget::Object, &home.key(&owned), free).await.unwrap();
    home.gone::<ConfigMap>("owner").await;
    home.gone::<ConfigMap>(&owned).await;
}

pub(crate) async fn an_owner_goes_when_what_it_waits_for_has_another_owner_or_none(home: &Home) {
    for (owner, block) in [("one", None), ("two", Some(false))] {
        let owned = held(home, owner).await;
        let disown = |map: &mut ConfigMap| match block {
            None => map.metadata.owner_references = None,
            block => map
                .metadata
                .owner_references
                .iter_mut()
                .flatten()
                .for_each(|owner| owner.block_owner_deletion = block),
        };
        home.client.modify(WriteTarget::Object, &home.key(&owned), disown).await.unwrap();
        home.gone::<ConfigMap>(owner).await;
        assert!(home.get::<ConfigMap>(&owned).await.is_deleting());
    }
}
