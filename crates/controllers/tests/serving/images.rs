//! Tags become digests, where they shall and in time.

use std::time::Duration;

use resources::{
    builtin::Deployment,
    networking::Image,
    serving::{Revision, Service},
};
use serde_json::json;
use tokio::time::Instant;

use crate::{
    home::{Home, is, says},
    seams::{PINNED, PINNED_DIGEST, SILENT},
};

fn hello(image: &str) -> serde_json::Value {
    json!({"metadata": {"name": "hello"}, "spec": {"template": {"spec": {"containers": [{"image": image}]}}}})
}

/// The digest in the Revision's status, and the images that the Deployment runs and that are kept at hand.
async fn resolved(home: &Home, revision: &str) -> (String, String, String) {
    let status = home.revision_ready(revision).await.status.container_statuses.clone();
    assert_eq!((status.len(), status[0].name.as_str()), (1, "user-container"));
    let deployment = home.get::<Deployment>(&format!("{revision}-deployment")).await;
    let pod = deployment.spec.as_ref().unwrap().template.spec.clone().unwrap();
    let image = home.get::<Image>(&format!("{revision}-cache-user-container")).await;
    (status[0].image_digest.clone(), pod.containers[0].image.clone().unwrap(), image.spec.image.clone())
}

pub(crate) async fn what_a_tag_stood_for_is_in_the_status_and_is_run(home: &Home) {
    home.apply::<Service>(hello(PINNED)).await;
    let digest = || PINNED_DIGEST.to_owned();
    assert_eq!(resolved(home, "hello-00001").await, (digest(), digest(), digest()));
    let revision = home.get::<Revision>("hello-00001").await;
    assert_eq!(revision.spec.containers[0].image.as_deref(), Some(PINNED), "what the user wrote stays");
}

pub(crate) async fn tags_of_registries_that_are_left_alone_stay(home: &Home) {
    home.configure("config-deployment", &[("registries-skipping-tag-resolving", "dev.local,example.com")])
        .await;
    home.apply::<Service>(hello(PINNED)).await;
    assert_eq!(resolved(home, "hello-00001").await, (String::new(), PINNED.to_owned(), PINNED.to_owned()));
}

pub(crate) async fn a_registry_that_does_not_answer_is_not_waited_for(home: &Home) {
    for (name, limit, seconds) in [("one", None, 10), ("two", Some("3s"), 3)] {
        if let Some(limit) = limit {
            home.configure("config-deployment", &[("digest-resolution-timeout", limit)]).await;
        }
        let (start, limit) = (Instant::now(), Duration::from_secs(seconds));
        let mut service = hello(SILENT);
        service["metadata"]["name"] = json!(name);
        home.apply::<Service>(service).await;
        let revision = format!("{name}-00001");
        let failed = home.until(&revision, "failed", |revision: &Revision| {
            is(&revision.status.conditions, "Ready", "False")
        });
        let revision = home.within(limit + Duration::from_millis(1), failed).await;
        assert!(start.elapsed() >= limit, "{:?}", start.elapsed());
        let message = format!("Unable to fetch image {SILENT:?}: no answer within {seconds} s");
        let expect = ("False", "ContainerMissing", message.as_str());
        assert_eq!(says(&revision.status.conditions, "ContainerHealthy"), expect);
    }
}
