//! ConfigMaps take effect at once; names given by the user.

use std::{sync::Arc, time::Duration};

use resources::serving::{Configuration, Revision, Route, Service};
use serde_json::json;

use crate::home::{Home, says};

const IMAGE: &str = "gcr.io/p/hello:v1";
/// What takes effect at once has done so by then.
const AT_ONCE: Duration = Duration::from_secs(1);

pub(crate) async fn a_new_domain_changes_urls_at_once(home: &Home) {
    home.load(&[IMAGE]);
    let service = json!({"metadata": {"name": "hello"}, "spec": {"template": {"spec": {"containers": [{"image": IMAGE}]}}}});
    home.apply::<Service>(service).await;
    home.service_ready("hello").await;
    home.configure("config-network", &[("domain-template", "{{.Name}}-{{.Namespace}}.{{.Domain}}")]).await;
    let url = format!("http://hello-{}.example.com:8080", home.namespace);
    let renamed = home.until("hello", "renamed", |route: &Route| route.status.url.as_deref() == Some(&url));
    home.within(AT_ONCE, renamed).await;
    home.within(AT_ONCE, home.service_ready("hello")).await;
}

/// Lists come in pages of five hundred.
pub(crate) async fn more_objects_than_a_page_follow_the_configuration(home: &Home) {
    const ROUTES: usize = 1_100;
    let template = |template: &'static str| [("domain-template", template)];
    for at in 0..ROUTES {
        let traffic = json!([{"revisionName": "missing-00001", "percent": 100}]);
        home.apply::<Route>(json!({"metadata": {"name": format!("r{at}")}, "spec": {"traffic": traffic}}))
            .await;
    }
    let all = async |end: &str| {
        let follows = |route: &Arc<Route>| route.status.url.as_deref().is_some_and(|url| url.contains(end));
        let routes = |routes: &[Arc<Route>]| routes.len() == ROUTES && routes.iter().all(follows);
        home.until_all(&format!("at {end}"), routes).await;
    };
    all(".example.com").await;
    home.configure("config-network", &template("{{.Name}}.{{.Namespace}}.new.{{.Domain}}")).await;
    home.within(AT_ONCE, all(".new.example.com")).await;
}

pub(crate) async fn a_template_makes_a_revision_for_each_of_its_states(home: &Home) {
    home.load(&[IMAGE]);
    let service = |value: &str| {
        json!({"metadata": {"name": "hello"}, "spec": {"template": {"spec": {
            "containers": [{"image": IMAGE, "env": [{"name": "V", "value": value}]}]}}}})
    };
    home.apply::<Service>(service("1")).await;
    home.service_ready("hello").await;
    home.apply::<Service>(service("2")).await;
    let service = home.service_ready("hello").await;
    assert_eq!(service.status.latest_ready_revision_name.as_deref(), Some("hello-00002"));
    home.revision_ready("hello-00001").await;
}

pub(crate) async fn a_name_that_another_configuration_has_is_refused(home: &Home) {
    home.load(&[IMAGE]);
    let template = json!({"metadata": {"name": "a-b-c"}, "spec": {"containers": [{"image": IMAGE}]}});
    home.apply::<Configuration>(json!({"metadata": {"name": "a"}, "spec": {"template": template}})).await;
    home.revision_ready("a-b-c").await;
    home.apply::<Service>(json!({"metadata": {"name": "a-b"}, "spec": {"template": template}})).await;
    let service = home
        .until("a-b", "refused", |service: &Service| {
            says(&service.status.conditions, "RoutesReady").1 == "RevisionNameTaken"
        })
        .await;
    let (_, reason, message) = says(&service.status.conditions, "ConfigurationsReady");
    assert_eq!(reason, "RevisionFailed");
    assert!(message.contains("already exists"), "{message}");
}

pub(crate) async fn the_latest_ready_revision_may_be_deleted(home: &Home) {
    home.load(&[IMAGE]);
    let template = json!({"metadata": {"name": "a-b"}, "spec": {"containers": [{"image": IMAGE}]}});
    home.apply::<Configuration>(json!({"metadata": {"name": "a"}, "spec": {"template": template}})).await;
    let first = home.revision_ready("a-b").await;
    home.client.delete_exactly(&*first).await.unwrap();
    home.until("a-b", "made again", |revision: &Revision| revision.metadata.uid != first.metadata.uid).await;
    home.revision_ready("a-b").await;
}
