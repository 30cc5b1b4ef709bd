use resources::{Object, builtin::ConfigMap, downcast, serving::Configuration};
use serde_json::json;

use super::*;

fn maps() -> &'static Kind {
    <ConfigMap as Object>::kind()
}

fn map(name: &str, version: &str) -> serde_json::Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": {"k": "v"},
        "metadata": {
            "name": name, "namespace": "n", "resourceVersion": version,
            "managedFields": [{"manager": "m", "fieldsV1": {"f:data": {}}}], "uid": "u",
        },
    })
}

#[test]
fn managed_fields_are_left_out_and_the_rest_is_kept() {
    let read = object(maps(), &map("a", "7").to_string()).unwrap();
    assert_eq!(version(&*read), 7);
    let read: Arc<ConfigMap> = downcast(read).unwrap();
    assert_eq!(read.metadata.managed_fields, None);
    assert_eq!((read.name(), read.uid()), ("a", "u"));
    assert_eq!(read.data.as_ref().unwrap()["k"], "v");
}

#[test]
fn nulls_count_as_absent() {
    let text = r#"{"metadata": {"name": "a", "resourceVersion": "1"}, "spec": {"template": null}, "status": {"conditions": null}}"#;
    assert!(object(<Configuration as Object>::kind(), text).is_ok());
}

#[test]
fn an_object_that_does_not_fit_is_named_and_left_out() {
    let bad = json!({"metadata": {"name": "bad", "namespace": "n", "resourceVersion": "2"}, "data": 5});
    let list = json!({"metadata": {"resourceVersion": "9", "continue": "x"}, "items": [map("a", "1"), bad]});
    let page = page(maps(), &list.to_string().into()).unwrap();
    assert_eq!((page.items.len(), page.version, page.next.as_deref()), (1, 9, Some("x")));
    assert_eq!(page.unreadable, [ObjectKey::new("n", "bad")]);

    let empty = page_of(json!({"metadata": {"resourceVersion": "9", "continue": ""}, "items": null}));
    assert_eq!((empty.items.len(), empty.next), (0, None));
}

fn page_of(list: serde_json::Value) -> Page {
    page(maps(), &list.to_string().into()).unwrap()
}

#[test]
fn lines_are_changes_bookmarks_and_failures() {
    let read = |event: serde_json::Value| line(maps(), &event.to_string().into());
    let told = |word: &str| read(json!({"type": word, "object": map("a", "7")}));
    assert!(matches!(told("ADDED"), Ok(Line::Change(ChangeKind::Added, _))));
    assert!(matches!(told("MODIFIED"), Ok(Line::Change(ChangeKind::Modified, _))));
    assert!(matches!(told("DELETED"), Ok(Line::Change(ChangeKind::Deleted, _))));
    assert!(told("SURPRISE").is_err());
    let bookmark = json!({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "12", "creationTimestamp": null}}});
    assert!(matches!(read(bookmark), Ok(Line::Bookmark(12))));
    let failed =
        read(json!({"type": "ERROR", "object": {"code": 410, "reason": "Expired", "message": "too old"}}));
    let Ok(Line::Failed(status)) = failed else { panic!("{failed:?}") };
    assert!(matches!(status.into_error(maps(), ""), crate::Error::Expired(_)));
    assert!(read(json!({"type": "ADDED", "object": map("a", "not-a-number")})).is_err());
}
