//! What may become of a Knative object that exists.

use serde_json::{Value, json};

use super::{create, merge, service, service_with, update};

fn named(image: &str) -> Value {
    service(json!({"template": {"metadata": {"name": "app-v1"}, "spec": {"containers": [{"image": image}]}}}))
}

#[test]
fn a_named_revision_does_not_change() {
    let stored = create(&named("app:1")).unwrap();
    let changed = update(&stored, &named("app:2")).unwrap_err();
    let (first, changes) = changed.split_once('\n').unwrap();
    assert_eq!(
        first,
        "Saw the following changes without a name change (-old +new): spec.template.metadata.name"
    );
    assert!(changes.contains("spec.containers[0].image:\n\t-: \"app:1\"\n\t+: \"app:2\"\n"), "{changes}");
    // The file as the user wrote it, without the defaults that were stored, is no change.
    let again = update(&stored, &named("app:1")).unwrap();
    assert_eq!(again["spec"], stored["spec"]);
    assert_eq!(again["metadata"]["annotations"]["serving.knative.dev/lastModifier"], "jane");
    // Another name may have anything.
    let next = json!({"spec": {"template": {"metadata": {"name": "app-v2"}}}});
    assert!(update(&stored, &merge(named("app:2"), next)).is_ok());
}

#[test]
fn amounts_are_compared_as_amounts() {
    let with = |cpu: &str| {
        merge(
            named("app"),
            json!({"spec": {"template": {"spec": {"containers": [{"image": "app", "resources": {"limits": {"cpu": cpu}}}]}}}}),
        )
    };
    let stored = create(&with("500m")).unwrap();
    assert!(update(&stored, &with("0.5")).is_ok());
    assert!(update(&stored, &with("0.6")).is_err());
}

#[test]
fn creator_and_last_modifier() {
    let stored = create(&service_with(json!({}))).unwrap();
    let annotate = |key: &str, value: &str| {
        let annotations = json!({"annotations": {format!("serving.knative.dev/{key}"): value}});
        merge(stored.clone(), json!({"metadata": annotations}))
    };
    assert_eq!(
        update(&stored, &annotate("creator", "joe")),
        Err("annotation value is immutable: metadata.annotations.serving.knative.dev/creator".to_owned())
    );
    assert_eq!(
        update(&stored, &annotate("lastModifier", "joe")),
        Err("invalid value: joe: metadata.annotations.serving.knative.dev/lastModifier".to_owned())
    );
    let changed = merge(stored.clone(), json!({"spec": {"template": {"spec": {"timeoutSeconds": 10}}}}));
    let annotations = update(&stored, &changed).unwrap()["metadata"]["annotations"].clone();
    assert_eq!(
        annotations,
        json!({"serving.knative.dev/creator": "jane", "serving.knative.dev/lastModifier": "joe"})
    );
}

#[test]
fn a_revision_never_changes() {
    let revision = json!({
        "apiVersion": "serving.knative.dev/v1", "kind": "Revision",
        "metadata": {"name": "app-00001", "namespace": "default"},
        "spec": {"containers": [{"image": "app"}]},
    });
    let stored = create(&revision).unwrap();
    assert_eq!(stored["spec"]["timeoutSeconds"], 300);
    let labelled = merge(stored.clone(), json!({"metadata": {"labels": {"a": "b"}}}));
    assert!(update(&stored, &labelled).is_ok());
    let changed = merge(stored.clone(), json!({"spec": {"timeoutSeconds": 10}}));
    assert_eq!(
        update(&stored, &changed),
        Err("Immutable fields changed (-old +new): spec\ntimeoutSeconds:\n\t-: \"300\"\n\t+: \"10\"\n"
            .to_owned())
    );
}
