use serde_json::json;

use super::*;
use crate::{ApiServer, Options};

const GROUP: &str = "stable.example.com";

fn definition(plural: &str, kind: &str) -> Arc<dyn DynObject> {
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let version =
        json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}});
    let names = json!({"plural": plural, "kind": kind});
    let spec = json!({"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]});
    let crd = json!({"metadata": {"name": format!("{plural}.{GROUP}")}, "spec": spec});
    <CustomResourceDefinition as Object>::kind().decode_value(crd).unwrap()
}

async fn define(registry: &Registry, plural: &str, kind: &str) {
    let wanted = Wanted::typed(definition(plural, kind));
    registry.create(wanted, &Caller::bootstrap()).await.unwrap();
}

fn is_established(registry: &Registry, plural: &str) -> bool {
    let key = ObjectKey::cluster(format!("{plural}.{GROUP}"));
    let stored = registry.get(<CustomResourceDefinition as Object>::kind(), &key).unwrap();
    custom::is_true(&downcast::<CustomResourceDefinition>(stored.object().unwrap()).unwrap(), ESTABLISHED)
}

#[tokio::test]
async fn only_definitions_that_may_get_names_are_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let open = async || ApiServer::open(Options::new(dir.path())).await.unwrap();
    let server = open().await;
    let registry = &server.shared.registry;
    for number in 0..20 {
        define(registry, &format!("ones{number:02}"), &format!("One{number:02}")).await;
    }
    define(registry, "others", "One07").await;
    assert_eq!(registry.kinds.without_names(GROUP), [format!("others.{GROUP}")]);
    server.close().await.unwrap();

    let server = open().await;
    let registry = &server.shared.registry;
    assert_eq!(registry.kinds.served().revision(), 1, "one table is made of all that is found");
    assert_eq!(registry.kinds.without_names(GROUP), [format!("others.{GROUP}")]);
    assert!(is_established(registry, "ones07") && !is_established(registry, "others"));
    let key = ObjectKey::cluster(format!("ones07.{GROUP}"));
    let (kind, bootstrap) = (<CustomResourceDefinition as Object>::kind(), Caller::bootstrap());
    registry.delete(kind, &key, &DeleteOptions::default(), &bootstrap).await.unwrap();
    registry.sweep().await.unwrap();
    assert!(is_established(registry, "others"), "what waited for the name has it");
    assert!(registry.kinds.without_names(GROUP).is_empty());
}
