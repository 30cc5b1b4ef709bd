use resources::{
    Object,
    builtin::{ConfigMap, Namespace},
    serving::Revision,
};

use super::*;
use crate::Precondition;

#[test]
fn objects_have_paths() {
    let check = |kind: &Kind, namespace: &str, name: &str, expect: Option<&str>| {
        assert_eq!(
            object(kind, &ObjectKey::new(namespace, name)).ok().as_deref(),
            expect,
            "{namespace}/{name}"
        );
    };
    check(ConfigMap::kind(), "a", "b", Some("/api/v1/namespaces/a/configmaps/b"));
    check(Namespace::kind(), "", "b", Some("/api/v1/namespaces/b"));
    check(Namespace::kind(), "ignored", "b", Some("/api/v1/namespaces/b"));
    check(Revision::kind(), "a", "b", Some("/apis/serving.knative.dev/v1/namespaces/a/revisions/b"));
    check(ConfigMap::kind(), "a", "../b?c", Some("/api/v1/namespaces/a/configmaps/..%2Fb%3Fc"));
    check(ConfigMap::kind(), "a", "", None);
    check(ConfigMap::kind(), "", "b", None);
}

#[test]
fn lists_and_watches_select_on_the_server_what_can_be_selected() {
    let all = Scope::default();
    let some = Scope {
        namespace: Some("a".into()),
        name: Some("b".into()),
        labels: [("app".to_owned(), "web".to_owned()), ("x.io/tier".to_owned(), "1".to_owned())].into(),
    };
    assert_eq!(page(ConfigMap::kind(), &all, None, None), "/api/v1/configmaps");
    assert_eq!(
        page(ConfigMap::kind(), &all, Some(5), Some("a=")),
        "/api/v1/configmaps?limit=5&continue=a%3D"
    );
    assert_eq!(
        page(ConfigMap::kind(), &some, None, None),
        "/api/v1/namespaces/a/configmaps\
         ?labelSelector=app%3Dweb%2Cx.io%2Ftier%3D1&fieldSelector=metadata.name%3Db"
    );
    assert_eq!(
        watch(ConfigMap::kind(), &all, 7, Duration::from_secs(9)),
        "/api/v1/configmaps?watch=true&allowWatchBookmarks=true&resourceVersion=7&timeoutSeconds=9"
    );
}

#[test]
fn deletes_say_only_what_was_asked_for() {
    let plain = json!({"apiVersion": "v1", "kind": "DeleteOptions"});
    assert_eq!(delete_options(&DeleteOptions::default()), plain);
    let all = DeleteOptions {
        grace_period_seconds: Some(0),
        propagation: Some(Propagation::Foreground),
        precondition: Precondition { uid: Some("u".into()), resource_version: Some("3".into()) },
        dry_run: true,
    };
    let expect = json!({
        "apiVersion": "v1", "kind": "DeleteOptions",
        "gracePeriodSeconds": 0, "propagationPolicy": "Foreground",
        "preconditions": {"uid": "u", "resourceVersion": "3"}, "dryRun": ["All"],
    });
    assert_eq!(delete_options(&all), expect);
}
