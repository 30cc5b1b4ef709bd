//! Events of `events.k8s.io`: those of the core group, in other words.

use serde_json::{Value, json};

use crate::rig::Rig;

const CORE: &str = "/api/v1/namespaces/default/events";
const EVENTS: &str = "/apis/events.k8s.io/v1/namespaces/default/events";
const MERGE: [(&str, &str); 1] = [("content-type", "application/merge-patch+json")];
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";
const PARTIAL: &str = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";

/// An event as clients of the core group write it.
fn core(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": name}, "reason": "Old", "message": "m", "count": 2,
        "involvedObject": {"kind": "Pod", "name": "p", "namespace": "default"}, "type": "Normal",
        "source": {"component": "c", "host": "h"}, "firstTimestamp": "2026-01-01T00:00:00Z",
    })
}

/// An event as those of the other group do.
fn new(name: &str) -> Value {
    json!({
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": name}, "reason": "New", "note": "n",
        "regarding": {"kind": "Node", "name": "n", "namespace": "default"}, "type": "Warning", "action": "Testing",
        "eventTime": "2026-01-01T00:00:00.000001Z", "reportingController": "example.com/c", "reportingInstance": "c-1",
    })
}

/// The JSON at some pointers of an answer.
fn check(answer: &Value, expect: &[(&str, Value)]) {
    for (pointer, expect) in expect {
        assert_eq!(answer.pointer(pointer).unwrap_or(&Value::Null), expect, "{pointer} of {answer}");
    }
}

#[tokio::test]
async fn what_is_written_of_one_group_is_read_of_the_other() {
    let rig = Rig::start().await;
    rig.post(CORE, &core("old")).await;
    let made = rig.post(EVENTS, &new("new")).await;
    check(&made, &[("/apiVersion", json!("events.k8s.io/v1")), ("/deprecatedCount", Value::Null)]);
    let old = rig.call("GET", &format!("{EVENTS}/old"), &[], "").await.json;
    let expect = [
        ("/apiVersion", json!("events.k8s.io/v1")),
        ("/regarding/name", json!("p")),
        ("/note", json!("m")),
        ("/deprecatedCount", json!(2)),
        ("/deprecatedSource", json!({"component": "c", "host": "h"})),
        ("/deprecatedFirstTimestamp", json!("2026-01-01T00:00:00Z")),
        ("/involvedObject", Value::Null),
        ("/message", Value::Null),
    ];
    check(&old, &expect);
    // A patch is of what its path shows; what comes of it is one object.
    let series = json!({"series": {"count": 2, "lastObservedTime": "2026-01-01T00:01:00.000001Z"}});
    let patched = rig.call("PATCH", &format!("{EVENTS}/new"), &MERGE, &series.to_string()).await;
    assert_eq!(patched.code, 200, "{}", patched.text);
    let again = rig.call("PUT", &format!("{EVENTS}/new"), &[], &patched.json.to_string()).await;
    assert_eq!(again.json["metadata"]["resourceVersion"], patched.json["metadata"]["resourceVersion"]);
    let new = rig.call("GET", &format!("{CORE}/new"), &[], "").await.json;
    let expect = [
        ("/apiVersion", json!("v1")),
        ("/involvedObject/kind", json!("Node")),
        ("/message", json!("n")),
        ("/reportingComponent", json!("example.com/c")),
        ("/series", series["series"].clone()),
        ("/metadata/uid", made["metadata"]["uid"].clone()),
    ];
    check(&new, &expect);
    let counted = rig.call("PATCH", &format!("{CORE}/old"), &MERGE, r#"{"count": 3}"#).await;
    assert_eq!(counted.code, 200, "{}", counted.text);
    let mut old = rig.call("GET", &format!("{EVENTS}/old"), &[], "").await.json;
    assert_eq!(old["deprecatedCount"], 3);
    old["metadata"]["labels"] = json!({"l": "1"});
    let put = rig.call("PUT", &format!("{EVENTS}/old"), &[], &old.to_string()).await;
    assert_eq!((put.code, &put.json["metadata"]["labels"]["l"]), (200, &json!("1")), "{}", put.text);
    let applied = json!({"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "old", "labels": {"m": "2"}}});
    let apply = [("content-type", "application/apply-patch+yaml")];
    let path = format!("{EVENTS}/old?fieldManager=me");
    let applied = rig.call("PATCH", &path, &apply, &applied.to_string()).await;
    assert_eq!(
        (applied.code, &applied.json["metadata"]["labels"]["m"]),
        (200, &json!("2")),
        "{}",
        applied.text
    );
    assert_eq!(rig.call("DELETE", &format!("{EVENTS}/new"), &[], "").await.code, 200);
    for (group, plural) in [(CORE, "events"), (EVENTS, "events.events.k8s.io")] {
        let gone = rig.call("GET", &format!("{group}/new"), &[], "").await;
        let message = format!("{plural} \"new\" not found");
        assert_eq!((gone.code, &gone.json["message"]), (404, &json!(message)));
    }
    let rest = rig.call("DELETE", EVENTS, &[], "").await;
    check(&rest.json, &[("/kind", json!("EventList")), ("/items/0/note", json!("m"))]);
    assert_eq!(rig.call("GET", CORE, &[], "").await.json["items"], json!([]));
}

#[tokio::test]
async fn a_field_has_the_same_managers_in_both_forms() {
    let rig = Rig::start().await;
    rig.post(&format!("{EVENTS}?fieldManager=maker"), &new("new")).await;
    let path = format!("{CORE}/new?fieldManager=changer");
    let changed = rig.call("PATCH", &path, &MERGE, r#"{"message": "other"}"#).await;
    assert_eq!(changed.code, 200, "{}", changed.text);
    // Entries say in which form they are, whichever is read.
    for group in [CORE, EVENTS] {
        let event = rig.call("GET", &format!("{group}/new"), &[], "").await.json;
        let entries = event["metadata"]["managedFields"].as_array().unwrap();
        let of = |name: &str| entries.iter().find(|entry| entry["manager"] == name).unwrap();
        let fields = &of("maker")["fieldsV1"];
        assert_eq!(of("maker")["apiVersion"], "events.k8s.io/v1");
        assert!(fields["f:note"].is_null() && fields["f:regarding"].is_object(), "{fields}");
        check(of("changer"), &[("/apiVersion", json!("v1")), ("/fieldsV1", json!({"f:message": {}}))]);
    }
    let apply = [("content-type", "application/apply-patch+yaml")];
    let wish = json!({"apiVersion": "events.k8s.io/v1", "kind": "Event", "note": "mine", "metadata": {"name": "new"}});
    let path = format!("{EVENTS}/new?fieldManager=me");
    let refused = rig.call("PATCH", &path, &apply, &wish.to_string()).await;
    assert_eq!(refused.code, 409, "{}", refused.text);
    let cause = &refused.json["details"]["causes"][0];
    check(cause, &[("/field", json!(".message")), ("/message", json!("conflict with \"changer\" using v1"))]);
}

#[tokio::test]
async fn lists_and_watches_show_the_form_of_their_path() {
    let rig = Rig::start().await;
    let version = rig.post(CORE, &core("old")).await["metadata"]["resourceVersion"].clone();
    rig.post(EVENTS, &new("new")).await;
    // (selector, what is chosen)
    let chosen: [(&str, &[&str]); 5] = [
        ("", &["new", "old"]),
        ("regarding.kind=Pod,regarding.name=p", &["old"]),
        ("reportingController=example.com/c", &["new"]),
        ("type!=Normal,metadata.namespace=default", &["new"]),
        ("reason=Old,metadata.name=new", &[]),
    ];
    for (selector, expect) in chosen {
        let encoded =
            selector.replace('=', "%3D").replace('!', "%21").replace(',', "%2C").replace('/', "%2F");
        let path = format!("/apis/events.k8s.io/v1/events?fieldSelector={encoded}");
        let list = rig.call("GET", &path, &[], "").await;
        check(&list.json, &[("/kind", json!("EventList")), ("/apiVersion", json!("events.k8s.io/v1"))]);
        let items = list.json["items"].as_array().unwrap();
        let names: Vec<_> = items.iter().map(|item| item["metadata"]["name"].as_str().unwrap()).collect();
        assert_eq!(names, expect, "{selector}");
    }
    for field in ["involvedObject.name", "source"] {
        let unknown = rig.call("GET", &format!("{EVENTS}?fieldSelector={field}%3Dp"), &[], "").await;
        let message = format!("field label not supported: {field}");
        assert_eq!((unknown.code, &unknown.json["message"]), (400, &json!(message)));
    }

    let page = rig.call("GET", &format!("{EVENTS}?limit=1"), &[], "").await.json;
    check(&page, &[("/items/0/regarding/name", json!("n")), ("/metadata/remainingItemCount", json!(1))]);
    let table = rig.call("GET", EVENTS, &[("accept", TABLE)], "").await.json;
    let core_table = rig.call("GET", CORE, &[("accept", TABLE)], "").await.json;
    check(
        &table,
        &[
            ("/rows/0/cells/3", json!("node/n")),
            ("/rows/0/cells/5", json!("example.com/c, c-1")),
            ("/rows/1/cells/5", json!("c, h")),
            ("/rows/1/cells/6", json!("m")),
        ],
    );
    for part in ["columnDefinitions", "rows"] {
        assert_eq!(table[part], core_table[part], "{part}");
    }
    let partial = rig.call("GET", EVENTS, &[("accept", PARTIAL)], "").await.json;
    check(&partial, &[("/items/1/metadata/name", json!("old")), ("/items/1/note", Value::Null)]);

    let path = format!("{EVENTS}?watch=true&resourceVersion={}", version.as_str().unwrap());
    let mut watch = rig.watch(&path, &[]).await;
    let added = watch.next().await.unwrap();
    check(
        &added,
        &[("/type", json!("ADDED")), ("/object/note", json!("n")), ("/object/message", Value::Null)],
    );
    rig.call("DELETE", &format!("{CORE}/old"), &[], "").await;
    let deleted = watch.next().await.unwrap();
    check(&deleted, &[("/type", json!("DELETED")), ("/object/regarding/name", json!("p"))]);
}

#[tokio::test]
async fn what_is_no_event_of_the_group_is_refused() {
    let rig = Rig::start().await;
    rig.post(EVENTS, &new("new")).await;
    let with = |fields: Value| {
        let mut event = new("x").as_object().unwrap().clone();
        event.extend(fields.as_object().unwrap().clone());
        Value::Object(event)
    };
    let strict = format!("{EVENTS}?fieldValidation=Strict");
    let one = format!("{EVENTS}/new");
    // (method, path, body, code, what its message has)
    let cases: [(&str, &str, Value, u16, &str); 7] = [
        ("POST", EVENTS, new("new"), 409, "events.events.k8s.io \"new\" already exists"),
        ("POST", EVENTS, core("x"), 400, "does not match the expected API version (events.k8s.io/v1)"),
        (
            "POST",
            EVENTS,
            with(json!({"eventTime": null})),
            422,
            "Event \"x\" is invalid: eventTime: Required value",
        ),
        (
            "POST",
            EVENTS,
            with(json!({"deprecatedCount": 1})),
            422,
            "Event \"x\" is invalid: count: Invalid value",
        ),
        ("POST", &strict, with(json!({"message": "m"})), 400, "unknown field \"message\""),
        (
            "PATCH",
            &one,
            json!({"note": "other"}),
            422,
            "message: Invalid value: \"other\": field is immutable",
        ),
        (
            "PATCH",
            &one,
            json!({"metadata": {"resourceVersion": "1"}}),
            409,
            "fulfilled on events.events.k8s.io \"new\"",
        ),
    ];
    for (method, path, body, code, expect) in cases {
        let headers = if method == "PATCH" { &MERGE[..] } else { &[] };
        let answer = rig.call(method, path, headers, &body.to_string()).await;
        let said = answer.json["message"].as_str().unwrap_or_default();
        assert!(answer.code == code && said.contains(expect), "{method} {body}: {} {said}", answer.code);
        // What is wrong with an object is told of the kind that is stored, as upstream does.
        let group = if code == 409 { json!("events.k8s.io") } else { Value::Null };
        assert_eq!(answer.json["details"]["group"], group, "{}", answer.text);
    }
}

#[tokio::test]
async fn events_are_discovered_explained_and_given_to_viewers() {
    let rig = Rig::start().await;
    let resources = rig.call("GET", "/apis/events.k8s.io/v1", &[], "").await.json;
    let core = rig.call("GET", "/api/v1", &[], "").await.json;
    let of_core = core["resources"].as_array().unwrap().iter().find(|it| it["name"] == "events").unwrap();
    assert_eq!(resources["resources"], json!([of_core]), "both are one resource");
    let groups = rig.call("GET", "/apis", &[], "").await.json;
    let preferred = json!({"groupVersion": "events.k8s.io/v1", "version": "v1"});
    check(&groups, &[("/groups/1/name", json!("events.k8s.io")), ("/groups/1/preferredVersion", preferred)]);
    let document = rig.call("GET", "/openapi/v3/apis/events.k8s.io/v1", &[], "").await.json;
    let event = &document["components"]["schemas"]["io.k8s.api.events.v1.Event"];
    assert!(event["properties"]["regarding"].is_object(), "{event}");
    assert_eq!(rig.call("GET", "/apis/events.k8s.io/v1beta1", &[], "").await.code, 404);

    let rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings";
    let group = "rbac.authorization.k8s.io";
    for part in ["view", "edit"] {
        let subject = json!({"apiGroup": group, "kind": "User", "name": part});
        let role =
            json!({"apiGroup": group, "kind": "ClusterRole", "name": format!("system:aggregate-to-{part}")});
        rig.post(rbac, &json!({"metadata": {"name": part}, "roleRef": role, "subjects": [subject]})).await;
    }
    let reviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    for (user, verb, expect) in [("view", "list", true), ("view", "create", false), ("edit", "create", true)]
    {
        let asked =
            json!({"group": "events.k8s.io", "resource": "events", "verb": verb, "namespace": "default"});
        let review = rig.post(reviews, &json!({"spec": {"user": user, "resourceAttributes": asked}})).await;
        assert_eq!(review["status"]["allowed"], expect, "{user} {verb}");
    }
}
