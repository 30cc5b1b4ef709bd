use std::sync::Arc;

use objects::{DeleteOptions, Event, ListOptions};
use resources::{Object, builtin::ConfigMap};
use serde_json::json;

use super::CHANGES_MAX;
use crate::home::{Home, change, changes, next, synced, value, version, with_value};

pub(super) async fn changes_come_in_order(home: Home) {
    let mut last = home.create(home.map("a", "0")).await;
    let mut watch = home.client.watch::<ConfigMap>(home.here());
    assert!(matches!(next(&mut watch).await, Event::Restarted));
    assert_eq!(synced(&mut watch).await.len(), 1);
    for round in 1..=20 {
        // Now by one, now by the other: own writes are told in their turn like all others.
        let writer = if round % 3 == 0 { &home.client } else { &home.other };
        last = writer.update(with_value(&last, round)).await.unwrap();
    }
    home.create(home.map("b", "0")).await;
    home.other.delete::<ConfigMap>(&last.key(), &DeleteOptions::default()).await.unwrap();
    let told = changes(&mut watch, |there, _| !there).await;
    // What was there may be told once more.
    let of_a = told.iter().filter(|(there, map)| *there && map.name() == "a" && value(map) != "0");
    let values: Vec<_> = of_a.map(|(_, map)| value(map).to_owned()).collect();
    assert_eq!(values, (1..=20).map(|round| round.to_string()).collect::<Vec<_>>());
    assert!(told.iter().any(|(_, map)| map.name() == "b"));
    let (_, deleted) = told.last().unwrap();
    assert_eq!((deleted.name(), value(deleted), deleted.uid()), ("a", "20", last.uid()));
    assert!(version(&**deleted) > version(&*last), "a delete has a version of its own");
}

pub(super) async fn leaving_the_labels_is_a_delete(home: Home) {
    let map = home.create(home.labelled("a", "web")).await;
    let mut watch = home.client.watch::<ConfigMap>(home.here().label("app", "web"));
    assert_eq!(synced(&mut watch).await.len(), 1);
    let relabel = async |map: &Arc<ConfigMap>, app: &str| {
        let mut change = ConfigMap::clone(map);
        change.metadata.labels = Some([("app".to_owned(), app.to_owned())].into());
        home.other.update(change).await.unwrap()
    };
    let gone = relabel(&map, "db").await;
    let told = changes(&mut watch, |there, _| !there).await;
    let (_, left) = told.last().unwrap();
    assert_eq!(
        (left.label("app"), version(&**left)),
        (Some("web"), version(&*gone)),
        "as it was, at the version it left"
    );
    let unseen = relabel(&gone, "cache").await;
    let back = relabel(&unseen, "web").await;
    let (there, seen) = change(&mut watch).await;
    assert_eq!((there, version(&*seen)), (true, version(&*back)));
    home.other.delete::<ConfigMap>(&map.key(), &DeleteOptions::default()).await.unwrap();
    assert!(!change(&mut watch).await.0);
}

pub(super) async fn leaving_the_owner_is_a_delete(home: Home) {
    let owner = home.create(home.map("owner", "")).await;
    let owners = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner.uid(), "controller": true}]);
    let owned = json!({"metadata": {"name": "owned", "ownerReferences": owners}});
    let mut watch = home.client.watch::<ConfigMap>(ListOptions::all().owned_by(owner.uid()));
    assert_eq!(synced(&mut watch).await.len(), 0);
    let owned = home.other.create(home.object::<ConfigMap>(owned)).await.unwrap();
    let (there, seen) = change(&mut watch).await;
    assert_eq!((there, seen.name()), (true, "owned"));
    let mut orphan = ConfigMap::clone(&owned);
    orphan.metadata.owner_references = None;
    home.other.update(orphan).await.unwrap();
    assert!(!change(&mut watch).await.0);
}

pub(super) async fn a_name_can_be_watched(home: Home) {
    let options = ListOptions { name: Some("b".into()), ..home.here() };
    let mut watch = home.client.watch::<ConfigMap>(options);
    assert_eq!(synced(&mut watch).await.len(), 0);
    home.other.create(home.map("a", "1")).await.unwrap();
    home.other.create(home.map("b", "1")).await.unwrap();
    assert_eq!(change(&mut watch).await.1.name(), "b");
}

pub(super) async fn a_watch_that_slept_too_long_begins_again(home: Home) {
    let mut last = home.create(home.map("a", "0")).await;
    home.create(home.map("b", "0")).await;
    let (mut sleeper, mut wakeful) = (home.client.watch(home.here()), home.client.watch(home.here()));
    assert_eq!(synced::<ConfigMap>(&mut sleeper).await.len(), 2);
    synced::<ConfigMap>(&mut wakeful).await;
    home.other.delete::<ConfigMap>(&home.key("b"), &DeleteOptions::default()).await.unwrap();
    // The other one keeps up: nobody is held back by who is slow.
    for round in 1..=CHANGES_MAX + 10 {
        let wanted = with_value(&last, round);
        last = home.other.update(wanted).await.unwrap();
        changes(&mut wakeful, |_, map| value(map) == round.to_string()).await;
    }
    while !matches!(next(&mut sleeper).await, Event::Restarted) {}
    let there = synced(&mut sleeper).await;
    assert_eq!(there.iter().map(|map| (map.name(), value(map))).collect::<Vec<_>>(), [("a", value(&last))]);
    home.other.update(with_value(&last, "after")).await.unwrap();
    assert_eq!(value(&change(&mut sleeper).await.1), "after");
}

pub(super) async fn watches_of_a_kind_tell_the_same(home: Home) {
    let mut watches: Vec<_> = (0..5).map(|_| home.client.watch::<ConfigMap>(home.here())).collect();
    for watch in &mut watches {
        synced(watch).await;
    }
    for name in ["a", "b", "c"] {
        home.other.create(home.map(name, "1")).await.unwrap();
    }
    for watch in &mut watches {
        let told = changes(watch, |_, map| map.name() == "c").await;
        assert_eq!(told.iter().map(|(_, map)| map.name()).collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}
