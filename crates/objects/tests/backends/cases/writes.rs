use objects::{Error, Event, WriteTarget};
use resources::{
    Object, ObjectKey,
    builtin::{ConfigMap, Deployment, DeploymentStatus, Namespace},
    serving::Configuration,
};
use serde_json::json;

use crate::home::{Home, next, value, with_value};

pub(super) async fn names_are_taken_once(home: Home) {
    home.create(home.map("a", "1")).await;
    let error = home.client.create(home.map("a", "2")).await.unwrap_err();
    assert!(error.is_already_exists(), "{error:?}");
    assert_eq!(error.to_string(), "configmaps \"a\" already exists");
    assert_eq!(value(&home.client.get::<ConfigMap>(&home.key("a")).await.unwrap()), "1");
    // By another one, a moment ago.
    home.other.create(home.map("b", "2")).await.unwrap();
    assert!(home.client.create(home.map("b", "3")).await.unwrap_err().is_already_exists());
    assert_eq!(value(&home.client.get::<ConfigMap>(&home.key("b")).await.unwrap()), "2");
}

pub(super) async fn names_can_be_generated(home: Home) {
    let map = || home.object::<ConfigMap>(json!({"metadata": {"generateName": "map-"}}));
    let (one, two) = (home.create(map()).await, home.create(map()).await);
    assert!(one.name().starts_with("map-") && one.name() != two.name(), "{} {}", one.name(), two.name());
    assert!(home.client.find::<ConfigMap>(&one.key()).await.unwrap().is_some());
}

pub(super) async fn a_namespace_has_to_be_there(home: Home) {
    let mut map = home.map("a", "1");
    map.metadata.namespace = Some("nowhere".into());
    match home.client.create(map.clone()).await.unwrap_err() {
        Error::NotFound { kind, name } => assert_eq!((kind, name.as_str()), (Namespace::kind(), "nowhere")),
        other => panic!("{other:?}"),
    }
    map.metadata.namespace = None;
    assert!(matches!(home.client.create(map.clone()).await.unwrap_err(), Error::BadRequest(_)));
}

pub(super) async fn broken_rules_are_named(home: Home) {
    match home.client.create(home.map("Not_A_Name", "1")).await.unwrap_err() {
        Error::Invalid { kind, name, causes } => {
            assert_eq!((kind, name.as_str()), (ConfigMap::kind(), "Not_A_Name"));
            assert_eq!(
                (causes[0].field.as_str(), causes[0].reason.as_str()),
                ("metadata.name", "FieldValueInvalid")
            );
            assert!(causes[0].message.contains("a lowercase RFC 1123 subdomain"), "{}", causes[0].message);
        }
        other => panic!("{other:?}"),
    }
}

pub(super) async fn an_old_version_is_a_conflict(home: Home) {
    let old = home.create(home.map("a", "1")).await;
    home.other.update(with_value(&old, 2)).await.unwrap();
    let error = home.client.update(with_value(&old, 3)).await.unwrap_err();
    assert!(error.is_conflict(), "{error:?}");
    assert!(error.to_string().starts_with("Operation cannot be fulfilled on configmaps \"a\": "), "{error}");
    // Whoever was told so reads what is new, and not what it knew before.
    let read = home.client.get::<ConfigMap>(&home.key("a")).await.unwrap();
    assert_eq!(value(&read), "2");
    home.client.update(with_value(&read, 3)).await.unwrap();

    let missing = home.client.update(home.map("b", "1")).await.unwrap_err();
    assert!(missing.is_not_found(), "{missing:?}");
}

pub(super) async fn without_a_version_the_last_writer_wins(home: Home) {
    home.create(home.map("a", "1")).await;
    home.other.update(home.map("a", "2")).await.unwrap();
    assert_eq!(value(&home.client.update(home.map("a", "3")).await.unwrap()), "3");
    let configuration = home.create(configuration(&home)).await;
    let mut wanted = self::configuration(&home);
    wanted.metadata.labels = Some([("app".to_owned(), "web".to_owned())].into());
    let written = home.client.update(wanted).await.unwrap();
    assert_eq!((written.uid(), written.label("app")), (configuration.uid(), Some("web")));
}

pub(super) async fn writers_that_meet_try_again(home: Home) {
    home.create(home.map("a", "0")).await;
    // What somebody else has written is there once the watch has told it.
    let reads = async |client: &objects::Client, expect: &str| {
        let mut watch = client.watch::<ConfigMap>(home.here());
        while !matches!(next(&mut watch).await, Event::Applied(map) if value(&map) == expect) {}
    };
    reads(&home.other, "0").await;
    let count = async |client: &objects::Client| {
        for _ in 0..5 {
            let key = ObjectKey::new(&home.namespace, "a");
            let one_more =
                |map: &mut ConfigMap| *map = with_value(map, value(map).parse::<u32>().unwrap() + 1);
            while let Err(error) = client.modify(WriteTarget::Object, &key, one_more).await {
                assert!(error.is_conflict(), "{error:?}");
            }
        }
    };
    tokio::join!(count(&home.client), count(&home.other));
    reads(&home.client, "10").await;
}

pub(super) async fn status_and_spec_are_written_apart(home: Home) {
    let deployment = home.object::<Deployment>(json!({
        "metadata": {"name": "a"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "a"}},
            "template": {
                "metadata": {"labels": {"app": "a"}},
                "spec": {"containers": [{"name": "c", "image": "dev.local/c:1"}]},
            },
        },
        "status": {"replicas": 7},
    }));
    let replicas = |deployment: &Deployment| deployment.status.as_ref().and_then(|status| status.replicas);
    let wanted = |deployment: &Deployment| deployment.spec.as_ref().and_then(|spec| spec.replicas);
    let created = home.create(deployment).await;
    assert_eq!(
        (created.generation(), replicas(&created).unwrap_or_default()),
        (1, 0),
        "a status is not created"
    );

    let mut change = Deployment::clone(&created);
    change.spec.as_mut().unwrap().replicas = Some(9);
    change.status = Some(DeploymentStatus { replicas: Some(2), ..DeploymentStatus::default() });
    let written = home.client.update_status(change).await.unwrap();
    assert_eq!((written.generation(), replicas(&written), wanted(&written)), (1, Some(2), Some(1)));

    let mut change = Deployment::clone(&written);
    change.metadata.labels = Some([("app".to_owned(), "a".to_owned())].into());
    let written = home.client.update(change).await.unwrap();
    assert_eq!(written.generation(), 1, "a label is no wish");

    let mut change = Deployment::clone(&written);
    change.spec.as_mut().unwrap().replicas = Some(3);
    change.status = None;
    let written = home.client.update(change).await.unwrap();
    assert_eq!((written.generation(), replicas(&written), wanted(&written)), (2, Some(2), Some(3)));
}

pub(super) async fn status_and_spec_are_written_apart_in_knative_kinds(home: Home) {
    let created = home.create(configuration(&home)).await;
    assert_eq!(created.generation(), 1);
    let mut change = Configuration::clone(&created);
    change.status.latest_created_revision_name = Some("a-00001".into());
    change.spec.template.spec.timeout_seconds = Some(17);
    let written = home.client.update_status(change.clone()).await.unwrap();
    assert_eq!((written.generation(), &written.spec), (1, &created.spec));
    assert_eq!(written.status.latest_created_revision_name.as_deref(), Some("a-00001"));

    change.metadata.resource_version.clone_from(&written.metadata.resource_version);
    change.status.latest_created_revision_name = None;
    let written = home.client.update(change).await.unwrap();
    assert_eq!((written.generation(), written.spec.template.spec.timeout_seconds), (2, Some(17)));
    assert_eq!(written.status.latest_created_revision_name.as_deref(), Some("a-00001"));
}

pub(super) async fn a_kind_without_status_says_so(home: Home) {
    let map = home.create(home.map("a", "1")).await;
    let error = home.client.update_status(with_value(&map, 2)).await.unwrap_err();
    assert!(
        matches!(&error, Error::BadRequest(message) if message == "configmaps have no status of their own"),
        "{error:?}"
    );
}

fn configuration(home: &Home) -> Configuration {
    home.object(json!({
        "metadata": {"name": "a"},
        "spec": {"template": {"spec": {"containers": [{"image": "dev.local/c:1"}]}}},
    }))
}
