//! Owners that go after what they own.

use objects::{DeleteOptions, Propagation, WriteTarget};
use resources::{Object, ObjectKey, builtin::ConfigMap};
use serde_json::json;

use crate::home::Home;

/// A ConfigMap, and another that it waits for and that does not go by itself.
async fn held(home: &Home) -> (ObjectKey, ObjectKey) {
    let owner = home.apply::<ConfigMap>(json!({"metadata": {"name": "owner"}})).await;
    let reference = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner.uid(), "blockOwnerDeletion": true});
    let metadata =
        json!({"name": "owned", "finalizers": ["example.com/wait"], "ownerReferences": [reference]});
    let owned = home.apply::<ConfigMap>(json!({"metadata": metadata})).await;
    let foreground = DeleteOptions { propagation: Some(Propagation::Foreground), ..DeleteOptions::default() };
    home.client.delete::<ConfigMap>(&owner.key(), &foreground).await.unwrap();
    home.until("owned", "going", ConfigMap::is_deleting).await;
    tokio::time::sleep(std::time::Duration::from_secs(600)).await;
    assert!(home.get::<ConfigMap>("owner").await.is_deleting(), "it waits");
    (owner.key(), owned.key())
}

#[tokio::test(start_paused = true)]
async fn an_owner_goes_when_what_it_waits_for_is_gone() {
    let home = Home::new(&[]).await;
    let (_, owned) = held(&home).await;
    let free = |map: &mut ConfigMap| map.metadata.finalizers = None;
    home.client.modify(WriteTarget::Object, &owned, free).await.unwrap();
    home.gone::<ConfigMap>("owner").await;
    home.gone::<ConfigMap>("owned").await;
}

#[tokio::test(start_paused = true)]
async fn an_owner_goes_when_what_it_waits_for_has_another_owner_or_none() {
    for block in [None, Some(false)] {
        let home = Home::new(&[]).await;
        let (_, owned) = held(&home).await;
        let disown = |map: &mut ConfigMap| match block {
            None => map.metadata.owner_references = None,
            block => map
                .metadata
                .owner_references
                .iter_mut()
                .flatten()
                .for_each(|owner| owner.block_owner_deletion = block),
        };
        home.client.modify(WriteTarget::Object, &owned, disown).await.unwrap();
        home.gone::<ConfigMap>("owner").await;
        assert!(home.get::<ConfigMap>("owned").await.is_deleting());
    }
}
