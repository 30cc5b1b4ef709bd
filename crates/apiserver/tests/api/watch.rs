//! Watches over HTTP.

use apiserver::Limits;
use resources::builtin::ConfigMap;
use serde_json::json;
use tokio::time::timeout;

use crate::rig::{PATIENCE, Rig, named};

const CMS: &str = "/api/v1/namespaces/default/configmaps";

async fn version(rig: &Rig) -> String {
    rig.call("GET", CMS, &[], "").await.json["metadata"]["resourceVersion"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_watch_goes_on_from_the_version_of_a_list() {
    let rig = Rig::start().await;
    rig.post(CMS, &json!({"metadata": {"name": "before"}})).await;
    let from = version(&rig).await;
    rig.post(CMS, &json!({"metadata": {"name": "between"}})).await;
    let mut watch = rig.watch(&format!("{CMS}?watch=true&resourceVersion={from}"), &[]).await;
    rig.call("DELETE", &format!("{CMS}/before"), &[], "").await;
    rig.post("/api/v1/namespaces/kube-system/configmaps", &json!({"metadata": {"name": "elsewhere"}})).await;
    let patch = [("content-type", "application/merge-patch+json")];
    rig.call("PATCH", &format!("{CMS}/between"), &patch, r#"{"data":{"k":"v"}}"#).await;
    for expect in [("ADDED", "between"), ("DELETED", "before"), ("MODIFIED", "between")] {
        let (kind, name) = watch.next_name().await;
        assert_eq!((kind.as_str(), name.as_str()), expect);
    }
}

#[tokio::test]
async fn what_is_there_comes_first_when_no_version_is_given() {
    let rig = Rig::start().await;
    rig.post(CMS, &json!({"metadata": {"name": "a"}})).await;
    let mut watch = rig.watch(&format!("{CMS}?watch=true"), &[]).await;
    assert_eq!(watch.next_name().await, ("ADDED".into(), "a".into()));
    let query =
        "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut streaming = rig.watch(&format!("{CMS}?{query}"), &[]).await;
    assert_eq!(streaming.next_name().await, ("ADDED".into(), "a".into()));
    let bookmark = streaming.next().await.unwrap();
    assert_eq!(bookmark["type"], "BOOKMARK");
    assert_eq!(bookmark["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    rig.post(CMS, &json!({"metadata": {"name": "b"}})).await;
    for watch in [&mut watch, &mut streaming] {
        assert_eq!(watch.next_name().await, ("ADDED".into(), "b".into()));
    }
}

#[tokio::test]
async fn a_watch_is_as_long_as_a_number_can_say() {
    let limits = Limits { watch_timeout_max: std::time::Duration::from_millis(50), ..Limits::default() };
    let rig = Rig::with_limits(limits).await;
    let from = version(&rig).await;
    let path = |seconds: &str| format!("{CMS}?watch=true&resourceVersion={from}&timeoutSeconds={seconds}");
    // The longest is cut to the limit; less than none is none.
    for seconds in [i64::MAX.to_string(), "1000000000000".into(), "-1".into(), i64::MIN.to_string()] {
        let mut watch = rig.watch(&path(&seconds), &[]).await;
        assert_eq!(watch.next().await, None, "{seconds}");
    }
    for (seconds, why) in
        [("18446744073709551615", "value out of range"), ("1.5", "invalid syntax"), ("x", "invalid syntax")]
    {
        let refused = rig.call("GET", &path(seconds), &[], "").await;
        assert_eq!(refused.code, 400, "{seconds}: {}", refused.text);
        assert!(refused.text.contains(why), "{seconds}: {}", refused.text);
    }
}

#[tokio::test]
async fn who_asks_for_bookmarks_gets_them_while_nothing_happens() {
    let limits = Limits { bookmark_interval: std::time::Duration::from_millis(5), ..Limits::default() };
    let rig = Rig::with_limits(limits).await;
    let from = version(&rig).await;
    let mut watch =
        rig.watch(&format!("{CMS}?watch=true&allowWatchBookmarks=true&resourceVersion={from}"), &[]).await;
    let mut without = rig.watch(&format!("{CMS}?watch=true&resourceVersion={from}"), &[]).await;
    // Of other kinds, so the watch itself has nothing to tell.
    rig.post("/api/v1/namespaces", &json!({"metadata": {"name": "elsewhere"}})).await;
    let now = rig.call("GET", CMS, &[], "").await.json["metadata"]["resourceVersion"].clone();
    assert_ne!(now, json!(from));
    let up_to_now = async {
        loop {
            let bookmark = watch.next().await.unwrap();
            assert_eq!(
                (&bookmark["type"], &bookmark["object"]["kind"]),
                (&json!("BOOKMARK"), &json!("ConfigMap"))
            );
            assert_eq!(bookmark["object"]["metadata"].get("annotations"), None);
            if bookmark["object"]["metadata"]["resourceVersion"] == now {
                break;
            }
        }
    };
    timeout(PATIENCE, up_to_now).await.expect("a bookmark says what is now");
    rig.post(CMS, &json!({"metadata": {"name": "a"}})).await;
    assert_eq!(without.next_name().await, ("ADDED".into(), "a".into()), "who does not ask gets none");
    // A watch goes on from a bookmark and misses nothing.
    let now = now.as_str().unwrap();
    let mut resumed = rig.watch(&format!("{CMS}?watch=true&resourceVersion={now}"), &[]).await;
    assert_eq!(resumed.next_name().await, ("ADDED".into(), "a".into()));
}

#[tokio::test]
async fn objects_enter_and_leave_a_selector() {
    let rig = Rig::start().await;
    let created = rig.post(CMS, &json!({"metadata": {"name": "a", "labels": {"l": "1"}}})).await;
    let from = created["metadata"]["resourceVersion"].as_str().unwrap();
    let path = format!("{CMS}?watch=true&resourceVersion={from}&labelSelector=l%20in%20(1,3)");
    let mut watch = rig.watch(&path, &[]).await;
    for value in ["3", "2", "2", "1"] {
        let patch = [("content-type", "application/merge-patch+json")];
        let body = json!({"metadata": {"labels": {"l": value}}}).to_string();
        rig.call("PATCH", &format!("{CMS}/a"), &patch, &body).await;
    }
    let (modified, left, entered) =
        (watch.next().await.unwrap(), watch.next().await.unwrap(), watch.next().await.unwrap());
    assert_eq!([&modified["type"], &left["type"], &entered["type"]], ["MODIFIED", "DELETED", "ADDED"]);
    // The last sight of what left is how it was, at the version of its leaving.
    assert_eq!(left["object"]["metadata"]["labels"]["l"], "3");
    assert_ne!(
        left["object"]["metadata"]["resourceVersion"],
        modified["object"]["metadata"]["resourceVersion"]
    );
}

#[tokio::test]
async fn a_version_that_is_too_old_is_gone() {
    let limits = Limits { changes_per_kind_max: 4, ..Limits::default() };
    let rig = Rig::with_limits(limits).await;
    let from = version(&rig).await;
    for number in 0..8 {
        rig.post(CMS, &json!({"metadata": {"name": format!("m{number}")}})).await;
    }
    let mut watch = rig.watch(&format!("{CMS}?watch=true&resourceVersion={from}"), &[]).await;
    let event = watch.next().await.unwrap();
    assert_eq!((&event["type"], &event["object"]["code"]), (&json!("ERROR"), &json!(410)));
    assert_eq!(event["object"]["reason"], "Expired");
    assert_eq!(watch.next().await, None);
    let exact =
        rig.call("GET", &format!("{CMS}?resourceVersion={from}&resourceVersionMatch=Exact"), &[], "").await;
    assert_eq!(exact.code, 410, "{}", exact.text);
}

#[tokio::test]
async fn a_watcher_that_does_not_read_is_cut_off() {
    let limits = Limits { changes_per_kind_max: 16, seen_changes_per_kind_max: 16, ..Limits::default() };
    let rig = Rig::with_limits(limits).await;
    let from = version(&rig).await;
    let mut watch = rig.watch(&format!("{CMS}?watch=true&resourceVersion={from}"), &[]).await;
    // More than lies on the way between two sockets, and far more changes than are remembered for those who are behind.
    let text = "x".repeat(500_000);
    for number in 0..120 {
        rig.post(CMS, &json!({"metadata": {"name": format!("m{number:03}")}, "data": {"k": text}})).await;
    }
    let mut seen = 0;
    let last = loop {
        let event = watch.next().await.expect("it is told why it ends");
        if event["type"] != "ADDED" {
            break event;
        }
        assert_eq!(
            event["object"]["metadata"]["name"],
            format!("m{seen:03}"),
            "none is left out before the end"
        );
        seen += 1;
    };
    assert_eq!((&last["type"], &last["object"]["code"]), (&json!("ERROR"), &json!(410)), "{last}");
    assert!(seen < 120);
    assert_eq!(watch.next().await, None);
}

/// More than lies on the way between two sockets, and more objects than are read at once.
async fn much(rig: &Rig) {
    for number in 0..MUCH {
        large(rig, number).await;
    }
}

const MUCH: usize = 600;

async fn large(rig: &Rig, number: usize) {
    let metadata = named(&format!("m{number:03}"));
    let data = Some([("k".to_owned(), "x".repeat(50_000))].into());
    rig.client().create(ConfigMap { metadata, data, ..ConfigMap::default() }).await.unwrap();
}

#[tokio::test]
async fn what_was_there_at_the_start_is_of_one_version() {
    let rig = Rig::start().await;
    much(&rig).await;
    let query =
        "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut watch = rig.watch(&format!("{CMS}?{query}"), &[]).await;
    assert_eq!(watch.next_name().await, ("ADDED".into(), "m000".into()));
    // The rest has not been read.
    rig.call("DELETE", &format!("{CMS}/m300"), &[], "").await;
    let patch = [("content-type", "application/merge-patch+json")];
    rig.call("PATCH", &format!("{CMS}/m599"), &patch, r#"{"data":{"k":"v"}}"#).await;
    rig.post(CMS, &json!({"metadata": {"name": "m400a"}})).await;
    for number in 1..MUCH {
        let event = watch.next().await.unwrap();
        assert_eq!(event["object"]["metadata"]["name"], format!("m{number:03}"));
        assert_eq!(event["type"], "ADDED");
        assert_ne!(event["object"]["data"]["k"], "v", "it was changed later");
    }
    let end = watch.next().await.unwrap();
    assert_eq!(end["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true", "{end}");
    for expect in [("DELETED", "m300"), ("MODIFIED", "m599"), ("ADDED", "m400a")] {
        let (kind, name) = watch.next_name().await;
        assert_eq!((kind.as_str(), name.as_str()), expect);
    }
}

#[tokio::test]
async fn what_was_there_at_the_start_is_read_as_it_is_taken() {
    let limits = Limits { changes_per_kind_max: 16, seen_changes_per_kind_max: 16, ..Limits::default() };
    let rig = Rig::with_limits(limits).await;
    much(&rig).await;
    let mut watch = rig.watch(&format!("{CMS}?watch=true"), &[]).await;
    assert_eq!(watch.next_name().await, ("ADDED".into(), "m000".into()));
    for number in MUCH..MUCH + 40 {
        large(&rig, number).await;
    }
    let mut seen = 1;
    let last = loop {
        let event = watch.next().await.expect("it is told why it ends");
        if event["type"] != "ADDED" {
            break event;
        }
        seen += 1;
    };
    assert_eq!((&last["type"], &last["object"]["code"]), (&json!("ERROR"), &json!(410)), "{last}");
    assert!(seen < MUCH, "all of it was in memory");
    assert_eq!(watch.next().await, None);
}

#[tokio::test]
async fn tables_are_watched_too() {
    let rig = Rig::start().await;
    let accept = [("accept", "application/json;as=Table;v=v1;g=meta.k8s.io")];
    let mut watch = rig.watch(&format!("{CMS}?watch=true"), &accept).await;
    for name in ["a", "b"] {
        rig.post(CMS, &json!({"metadata": {"name": name}})).await;
    }
    let (first, second) = (watch.next().await.unwrap(), watch.next().await.unwrap());
    assert_eq!(first["object"]["columnDefinitions"][0]["name"], "Name");
    assert_eq!(second["object"]["columnDefinitions"], json!(null));
    assert_eq!(second["object"]["rows"][0]["cells"][0], "b");
}

#[tokio::test]
async fn watches_end_when_their_time_is_up_and_when_the_server_drains() {
    let mut rig = Rig::start().await;
    let mut short = rig.watch(&format!("{CMS}?watch=true&timeoutSeconds=1"), &[]).await;
    assert_eq!(short.next().await, None);
    let mut long = rig.watch(&format!("{CMS}?watch=true"), &[]).await;
    drop(rig.drain.take());
    assert_eq!(long.next().await, None);
    tokio::time::timeout(crate::rig::PATIENCE, &mut rig.serving).await.expect("the server drains").unwrap();
}

#[tokio::test]
async fn metadata_alone_is_read_listed_and_watched() {
    let rig = Rig::start().await;
    rig.post(CMS, &serde_json::json!({"metadata": {"name": "a"}, "data": {"k": "v"}})).await;
    let accept = |kind: &str| format!("application/json;as={kind};v=v1;g=meta.k8s.io");
    let (one, list) = (accept("PartialObjectMetadata"), accept("PartialObjectMetadataList"));
    let read = rig.call("GET", &format!("{CMS}/a"), &[("accept", &one)], "").await.json;
    assert_eq!((&read["kind"], &read["metadata"]["name"]), (&"PartialObjectMetadata".into(), &"a".into()));
    assert_eq!(read.get("data"), None);
    let listed = rig.call("GET", CMS, &[("accept", &list)], "").await.json;
    assert_eq!(listed["kind"], "PartialObjectMetadataList");
    assert_eq!(listed["items"][0], read);
    let mut watch = rig.watch(&format!("{CMS}?watch=true"), &[("accept", &one)]).await;
    assert_eq!(watch.next().await.expect("an event")["object"], read);
    for (path, accept) in [(CMS.to_owned(), one), (format!("{CMS}/a"), list)] {
        assert_eq!(rig.call("GET", &path, &[("accept", &accept)], "").await.code, 406, "{path}");
    }
}
