//! Lists in pages.

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::rig::{PATIENCE, Rig};

const CMS: &str = "/api/v1/namespaces/default/configmaps";

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn all_pages_show_one_version() {
    let rig = Rig::start().await;
    for name in ["a", "b", "c", "d", "e"] {
        rig.post(CMS, &json!({"metadata": {"name": name}, "data": {"k": "old"}})).await;
    }
    let first = rig.call("GET", &format!("{CMS}?limit=2"), &[], "").await.json;
    assert_eq!(names(&first), ["a", "b"]);
    let version = first["metadata"]["resourceVersion"].clone();

    // One is changed, one deleted, one deleted and made again, and two are new.
    let patch = [("content-type", "application/merge-patch+json")];
    rig.call("PATCH", &format!("{CMS}/c"), &patch, r#"{"data":{"k":"new"}}"#).await;
    rig.call("DELETE", &format!("{CMS}/d"), &[], "").await;
    rig.call("DELETE", &format!("{CMS}/e"), &[], "").await;
    for name in ["bb", "e", "f"] {
        rig.post(CMS, &json!({"metadata": {"name": name}})).await;
    }

    let mut token = first["metadata"]["continue"].as_str().unwrap().to_owned();
    let mut rest = Vec::new();
    let pages = async {
        loop {
            let page = rig.call("GET", &format!("{CMS}?limit=1&continue={token}"), &[], "").await;
            assert_eq!(page.code, 200, "{}", page.text);
            assert_eq!(page.json["metadata"]["resourceVersion"], version);
            rest.extend(page.json["items"].as_array().unwrap().clone());
            match page.json["metadata"]["continue"].as_str() {
                Some(next) => token = next.to_owned(),
                None => break,
            }
        }
    };
    timeout(PATIENCE, pages).await.expect("the pages come to an end");
    let found: Vec<_> = rest.iter().map(|item| (&item["metadata"]["name"], &item["data"]["k"])).collect();
    let old = json!("old");
    assert_eq!(found, [(&json!("c"), &old), (&json!("d"), &old), (&json!("e"), &old)]);

    let exact = format!("{CMS}?resourceVersionMatch=Exact&resourceVersion={}", version.as_str().unwrap());
    assert_eq!(names(&rig.call("GET", &exact, &[], "").await.json), ["a", "b", "c", "d", "e"]);
    assert_eq!(names(&rig.call("GET", CMS, &[], "").await.json), ["a", "b", "bb", "c", "e", "f"]);
}

#[tokio::test]
async fn a_list_that_has_expired_goes_on_with_what_there_is() {
    let limits = apiserver::Limits { changes_per_kind_max: 2, ..Default::default() };
    let rig = Rig::with_limits(limits).await;
    let post = async |name: &str| drop(rig.post(CMS, &json!({"metadata": {"name": name}})).await);
    for name in ["a", "b", "c", "d"] {
        post(name).await;
    }
    let page = async |list: &Value| {
        let token = list["metadata"]["continue"].as_str().unwrap();
        rig.call("GET", &format!("{CMS}?limit=2&continue={token}"), &[], "").await
    };
    let first = rig.call("GET", &format!("{CMS}?limit=2"), &[], "").await.json;
    for name in ["aa", "bb", "e"] {
        post(name).await;
    }
    let expired = page(&first).await;
    assert_eq!((expired.code, &expired.json["reason"]), (410, &json!("Expired")), "{}", expired.text);
    let second = page(&expired.json).await.json;
    assert_eq!((names(&first), names(&second)), (vec!["a", "b"], vec!["bb", "c"]));
    // From there on the pages are of one version again.
    post("f").await;
    let third = page(&second).await.json;
    assert_eq!(names(&third), ["d", "e"]);
    assert_eq!(third["metadata"]["resourceVersion"], second["metadata"]["resourceVersion"]);
    assert_eq!(third["metadata"].get("continue"), None);
}

#[tokio::test]
async fn a_collection_goes_whole_past_what_changes_are_remembered() {
    let limits = apiserver::Limits {
        delete_page: 2,
        changes_per_kind_max: 3,
        seen_changes_per_kind_max: 3,
        ..Default::default()
    };
    let rig = Rig::with_limits(limits).await;
    for number in 0..12 {
        rig.post(CMS, &json!({"metadata": {"name": format!("m{number:02}")}})).await;
    }
    let deleted = rig.call("DELETE", CMS, &[], "").await;
    assert_eq!(deleted.code, 200, "{}", deleted.text);
    assert_eq!(names(&deleted.json).len(), 12);
    assert_eq!(names(&rig.call("GET", CMS, &[], "").await.json), Vec::<&str>::new());
}

#[tokio::test]
async fn a_long_list_comes_whole() {
    let rig = Rig::start().await;
    let client = rig.client();
    for number in 0..500 {
        let mut map = resources::builtin::ConfigMap {
            metadata: crate::rig::named(&format!("m{number:03}")),
            ..Default::default()
        };
        map.data = Some([("k".to_owned(), "x".repeat(1000))].into());
        client.create(map).await.unwrap();
    }
    let list = rig.call("GET", CMS, &[], "").await;
    assert_eq!(list.json["items"].as_array().unwrap().len(), 500, "{}", &list.text[..200]);
    assert_eq!(list.json["kind"], "ConfigMapList");
}

#[tokio::test]
async fn who_lists_in_a_burst_can_go_on_from_there() {
    let limits = apiserver::Limits { seen_changes_per_kind_max: 2, ..Default::default() };
    let rig = Rig::with_limits(limits).await;
    let post = async |name: String| drop(rig.post(CMS, &json!({"metadata": {"name": name}})).await);
    for number in 0..4 {
        post(format!("a{number}")).await;
    }
    let first = rig.call("GET", &format!("{CMS}?limit=2"), &[], "").await.json;
    for number in 0..50 {
        post(format!("b{number:02}")).await;
    }
    let token = first["metadata"]["continue"].as_str().unwrap();
    let second = rig.call("GET", &format!("{CMS}?continue={token}"), &[], "").await.json;
    assert_eq!(names(&second), ["a2", "a3"]);
    let version = second["metadata"]["resourceVersion"].as_str().unwrap();
    let mut watch = rig.watch(&format!("{CMS}?watch=true&resourceVersion={version}"), &[]).await;
    for number in 0..50 {
        assert_eq!(watch.next_name().await, ("ADDED".into(), format!("b{number:02}")));
    }
}
