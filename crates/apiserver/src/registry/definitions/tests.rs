use objects::DeleteOptions;
use serde_json::json;

use super::*;
use crate::{
    ApiServer, Limits, Options,
    registry::{Target, Wanted},
};

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

fn one(kind: &'static Kind, name: &str, held: bool) -> Arc<dyn DynObject> {
    let finalizers = if held { json!(["example.com/held"]) } else { json!(null) };
    let metadata = json!({"name": name, "namespace": "default", "finalizers": finalizers});
    kind.decode_value(json!({"metadata": metadata})).unwrap()
}

/// Takes away what holds an object.
async fn free(registry: &Registry, kind: &'static Kind, name: &str) {
    let free = |current: &Stored| {
        let object = current.object()?;
        let mut metadata = object.metadata().clone();
        metadata.finalizers = None;
        Ok::<_, Error>(Wanted::typed(object.with_metadata(metadata)))
    };
    let key = ObjectKey::new("default", name);
    registry.update(kind, &key, Target::Object, &Caller::bootstrap(), free).await.unwrap();
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
    assert_eq!(registry.kinds.without_names(GROUP), [format!("others.{GROUP}")]);
    assert!(is_established(registry, "ones07") && !is_established(registry, "others"));
    let key = ObjectKey::cluster(format!("ones07.{GROUP}"));
    let (kind, bootstrap) = (<CustomResourceDefinition as Object>::kind(), Caller::bootstrap());
    registry.delete(kind, &key, &DeleteOptions::default(), &bootstrap).await.unwrap();
    registry.sweep().await.unwrap();
    assert!(is_established(registry, "others"), "what waited for the name has it");
    assert!(registry.kinds.without_names(GROUP).is_empty());
}

#[tokio::test]
async fn objects_that_are_waited_for_are_swept_once() {
    // Fewer changes are remembered than objects are deleted.
    let limits =
        Limits { delete_page: 2, changes_per_kind_max: 3, seen_changes_per_kind_max: 3, ..Limits::default() };
    let server = ApiServer::in_memory(Options { limits, ..Options::new("") }).await.unwrap();
    let (registry, bootstrap) = (&server.shared.registry, Caller::bootstrap());
    define(registry, "ones", "One").await;
    let kind = registry.kinds.served().by_plural(GROUP, "v1", "ones").unwrap();
    for number in 0..12 {
        let object = one(kind, &format!("o{number:02}"), number % 3 == 0);
        registry.create(Wanted::typed(object), &bootstrap).await.unwrap();
    }
    let (definitions, name) =
        (<CustomResourceDefinition as Object>::kind(), ObjectKey::cluster(format!("ones.{GROUP}")));
    registry.delete(definitions, &name, &DeleteOptions::default(), &bootstrap).await.unwrap();
    registry.sweep().await.unwrap();
    let all = || async {
        let all = PageOptions { limit: 0, from: Start::Now };
        registry.store.page(kind, &Selection::default(), all).await.unwrap().items
    };
    let held = all().await;
    assert!(held.len() == 4, "all but those that are held have gone");
    assert!(registry.kinds.terminating()[0].swept, "none is looked at again");
    let mut news = registry.kinds.removal_news();
    for (number, stored) in held.iter().enumerate() {
        assert!(!news.has_changed().unwrap(), "nothing can be done after {number} of {}", held.len());
        free(registry, kind, stored.object().unwrap().metadata().name.as_deref().unwrap()).await;
    }
    assert!(all().await.is_empty() && news.has_changed().unwrap());
    news.borrow_and_update();
    registry.sweep().await.unwrap();
    assert!(registry.get(definitions, &name).is_err_and(|error| error.is_not_found()));
}

#[tokio::test]
async fn nothing_comes_after_the_mark_whoever_asked_before() {
    let server = ApiServer::in_memory(Options::new("")).await.unwrap();
    let (registry, bootstrap) = (&server.shared.registry, Caller::bootstrap());
    define(registry, "ones", "One").await;
    let kind = registry.kinds.served().by_plural(GROUP, "v1", "ones").unwrap();
    registry.create(Wanted::typed(one(kind, "held", true)), &bootstrap).await.unwrap();
    // Each has passed every check before the definition is marked, and gets to the store when it gets there.
    let put = |name: &str| {
        let object = one(kind, name, false);
        let (metadata, durability) = (object.metadata().clone(), Durability::Soon);
        registry.store.put(Write { object, metadata, before: None, durability, size_hint: 0 }).map(drop)
    };
    let definition = ObjectKey::cluster(format!("ones.{GROUP}"));
    let definitions = <CustomResourceDefinition as Object>::kind();
    registry.delete(definitions, &definition, &DeleteOptions::default(), &bootstrap).await.unwrap();
    assert!(matches!(put("late"), Err(Refused::KindTerminating)));
    registry.sweep().await.unwrap();
    assert!(registry.get(definitions, &definition).is_ok(), "it waits for what is held");
    free(registry, kind, "held").await;
    registry.sweep().await.unwrap();
    assert!(matches!(put("late"), Err(Refused::KindMissing)));
    define(registry, "ones", "One").await;
    assert!(put("late").is_ok());
}
