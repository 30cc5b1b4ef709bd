use objects::{DeleteOptions, ListOptions};
use resources::{
    Object,
    builtin::{ConfigMap, Namespace},
};
use serde_json::json;

use crate::home::{Home, value, with_value};

pub(super) async fn what_was_created_is_there(home: Home) {
    let created = home.create(home.map("a", "1")).await;
    assert!(!created.uid().is_empty() && created.metadata.creation_timestamp.is_some());
    let read = home.client.get::<ConfigMap>(&home.key("a")).await.unwrap();
    assert_eq!(
        (read.uid(), &read.metadata.resource_version),
        (created.uid(), &created.metadata.resource_version)
    );
    assert_eq!(value(&read), "1");

    let missing = home.client.get::<ConfigMap>(&home.key("b")).await.unwrap_err();
    assert_eq!(missing.to_string(), "configmaps \"b\" not found");
    assert!(home.client.find::<ConfigMap>(&home.key("b")).await.unwrap().is_none());
}

pub(super) async fn lists_find_what_the_options_say(home: Home) {
    let owner = home.create(home.labelled("owner", "web")).await;
    home.create(home.labelled("other", "db")).await;
    let owned = json!({"metadata": {
        "name": "owned", "labels": {"app": "web", "tier": "1"},
        "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner.uid(), "controller": true}],
    }});
    home.create(home.object::<ConfigMap>(owned)).await;
    let here = || home.here();
    let name = |name: &str| ListOptions { name: Some(name.into()), ..home.here() };
    assert_eq!(home.names(&here()).await, ["other", "owned", "owner"]);
    assert_eq!(home.names(&here().label("app", "web")).await, ["owned", "owner"]);
    assert_eq!(home.names(&here().label("app", "web").label("tier", "1")).await, ["owned"]);
    assert_eq!(home.names(&here().label("app", "")).await, [""; 0]);
    assert_eq!(home.names(&name("other")).await, ["other"]);
    assert_eq!(home.names(&name("none")).await, [""; 0]);
    assert_eq!(home.names(&here().owned_by(owner.uid())).await, ["owned"]);
    assert_eq!(home.names(&ListOptions::all().owned_by(owner.uid())).await, ["owned"]);
    assert_eq!(home.names(&ListOptions::namespace("nowhere")).await, [""; 0]);
    let namespaces = home.client.list::<Namespace>(&ListOptions::all()).await.unwrap().items;
    assert!(namespaces.iter().any(|namespace| namespace.name() == home.namespace));
}

pub(super) async fn pages_follow_each_other_in_the_order_of_keys(home: Home) {
    for name in ["c", "e", "a", "d", "b"] {
        home.create(home.map(name, "")).await;
    }
    let mut options = ListOptions { limit: 2, ..home.here() };
    let mut pages: Vec<Vec<String>> = Vec::new();
    loop {
        let page = home.client.backend().list(ConfigMap::kind(), &options).await.unwrap();
        pages.push(page.items.iter().map(|object| object.metadata().name.clone().unwrap()).collect());
        options.continue_token = page.next;
        if options.continue_token.is_none() {
            break;
        }
    }
    assert_eq!(pages, [vec!["a", "b"], vec!["c", "d"], vec!["e"]]);
}

pub(super) async fn own_writes_are_seen_at_once(home: Home) {
    let key = home.key("a");
    for round in 0..5 {
        let created = home.create(home.map("a", "new")).await;
        let read = home.client.get::<ConfigMap>(&key).await.unwrap();
        assert_eq!((value(&read), read.uid()), ("new", created.uid()), "round {round}");
        home.client.update(with_value(&read, round)).await.unwrap();
        let list = home.client.list::<ConfigMap>(&home.here()).await.unwrap().items;
        assert_eq!(list.iter().map(|map| value(map)).collect::<Vec<_>>(), [round.to_string()]);
        home.client.delete::<ConfigMap>(&key, &DeleteOptions::default()).await.unwrap();
        assert!(home.client.find::<ConfigMap>(&key).await.unwrap().is_none(), "round {round}");
        assert_eq!(home.names(&home.here()).await, [""; 0], "round {round}");
    }
}
