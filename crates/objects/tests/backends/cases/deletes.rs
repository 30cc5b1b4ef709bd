use objects::{DeleteOptions, Precondition};
use resources::{Object, builtin::ConfigMap};
use serde_json::json;

use crate::home::Home;

pub(super) async fn what_was_deleted_is_gone(home: Home) {
    home.create(home.map("a", "1")).await;
    let (key, options) = (home.key("a"), DeleteOptions::default());
    home.client.delete::<ConfigMap>(&key, &options).await.unwrap();
    assert!(home.client.find::<ConfigMap>(&key).await.unwrap().is_none());
    let again = home.client.delete::<ConfigMap>(&key, &options).await.unwrap_err();
    assert!(again.is_not_found(), "{again:?}");
}

pub(super) async fn preconditions_hold(home: Home) {
    let map = home.create(home.map("a", "1")).await;
    let delete = async |uid: Option<&str>, version: Option<&str>| {
        let precondition =
            Precondition { uid: uid.map(Into::into), resource_version: version.map(Into::into) };
        let options = DeleteOptions { precondition, ..DeleteOptions::default() };
        home.client.delete::<ConfigMap>(&map.key(), &options).await
    };
    let other = "11111111-2222-3333-4444-555555555555";
    assert!(delete(Some(other), None).await.unwrap_err().is_conflict());
    assert!(delete(None, Some("1")).await.unwrap_err().is_conflict());
    assert!(home.client.find::<ConfigMap>(&map.key()).await.unwrap().is_some());
    delete(Some(map.uid()), map.metadata.resource_version.as_deref()).await.unwrap();
    assert!(home.client.find::<ConfigMap>(&map.key()).await.unwrap().is_none());
}

pub(super) async fn a_dry_run_changes_nothing(home: Home) {
    let map = home.create(home.map("a", "1")).await;
    let options = DeleteOptions { dry_run: true, ..DeleteOptions::default() };
    home.client.delete::<ConfigMap>(&map.key(), &options).await.unwrap();
    let read = home.client.get::<ConfigMap>(&map.key()).await.unwrap();
    assert_eq!(read.metadata.resource_version, map.metadata.resource_version);
}

pub(super) async fn finalizers_hold_an_object(home: Home) {
    let held = json!({"metadata": {"name": "a", "finalizers": ["example.com/hold"]}});
    let map = home.create(home.object::<ConfigMap>(held)).await;
    home.client.delete::<ConfigMap>(&map.key(), &DeleteOptions::default()).await.unwrap();
    let marked = home.client.get::<ConfigMap>(&map.key()).await.unwrap();
    assert!(marked.is_deleting() && marked.uid() == map.uid(), "{marked:?}");

    let mut free = ConfigMap::clone(&marked);
    free.metadata.finalizers = None;
    home.client.update(free).await.unwrap();
    assert!(home.client.find::<ConfigMap>(&map.key()).await.unwrap().is_none());
}

pub(super) async fn another_object_of_the_same_name_is_spared(home: Home) {
    let old = home.create(home.map("a", "1")).await;
    home.client.delete_exactly(&*old).await.unwrap();
    let new = home.create(home.map("a", "2")).await;
    home.client.delete_exactly(&*old).await.unwrap();
    assert_eq!(home.client.get::<ConfigMap>(&new.key()).await.unwrap().uid(), new.uid());
    home.client.delete_exactly(&*new).await.unwrap();
    home.client.delete_exactly(&*new).await.unwrap();
    assert!(home.client.find::<ConfigMap>(&new.key()).await.unwrap().is_none());
}
