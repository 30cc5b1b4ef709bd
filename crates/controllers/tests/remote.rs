//! The serving and network controllers on a remote API: the embedded server over TLS, and a real kube-apiserver. In real
//! time, so it asks for little; what the reconcilers do in all is asked in `serving`.
//!
//! Only what is outside the API is played: Deployments whose instances are ready at once, the images there are, and the
//! gateways.

#[path = "remote/cluster.rs"]
mod cluster;
#[path = "../../objects/tests/backends/kubernetes.rs"]
mod kubernetes;
#[allow(dead_code, reason = "the images that appear later are for other tests")]
#[path = "serving/seams.rs"]
mod seams;

use std::{future::pending, time::Duration};

use apiserver::{ApiServer, Options};
use objects::{Client, Event, ListOptions};
use resources::{
    Object, ObjectKey,
    autoscaling::PodAutoscaler,
    builtin::{Deployment, Service as PlainService},
    condition::{self, READY},
    networking::{Ingress, ServerlessService},
    serving::{Configuration, Revision, Route, Service},
};
use tokio::{net::TcpListener, time::timeout};

use crate::{cluster::Cluster, kubernetes::Kubernetes};

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_embedded_server() {
    let server = ApiServer::in_memory(Options::new("/nonexistent")).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let kubeconfig = server.kubeconfig(&format!("https://{}", listener.local_addr().unwrap())).unwrap();
    let serving = tokio::spawn(async move { server.serve(listener, pending()).await });
    a_service_becomes_ready_and_changes(&Cluster::new(&kubeconfig).await).await;
    serving.abort();
}

#[test]
fn on_kubernetes() {
    let Some(kubernetes) = Kubernetes::start("on_kubernetes") else { return };
    kubernetes.install_crds();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let cluster = Cluster::new(&kubernetes.kubeconfig()).await;
        a_service_becomes_ready_and_changes(&cluster).await;
    });
}

async fn a_service_becomes_ready_and_changes(cluster: &Cluster) {
    let client = &cluster.client;
    client.create(cluster.service("hello", "dev.local/hello:1")).await.unwrap();
    let service = until::<Service>(client, "hello", |service| ready(service, "hello-00001")).await;
    assert_eq!(service.status.url.as_deref(), Some("http://hello.default.example.com:8080"));
    for name in ["hello", "hello-00001"] {
        assert!(exists::<PlainService>(client, name).await, "{name}");
    }
    assert!(exists::<Configuration>(client, "hello").await && exists::<Route>(client, "hello").await);
    assert!(exists::<Revision>(client, "hello-00001").await && exists::<Ingress>(client, "hello").await);
    assert!(exists::<PodAutoscaler>(client, "hello-00001").await);
    assert!(exists::<ServerlessService>(client, "hello-00001").await);
    assert!(exists::<Deployment>(client, "hello-00001-deployment").await);

    let mut changed = Service::clone(&service);
    changed.spec = cluster.service("hello", "dev.local/hello:2").spec;
    loop {
        match client.update(changed.clone()).await {
            Ok(_) => break,
            Err(error) => assert!(error.is_conflict(), "{error:?}"),
        }
        let now = client.get::<Service>(&ObjectKey::new("default", "hello")).await.unwrap();
        changed.metadata.resource_version.clone_from(&now.metadata.resource_version);
    }
    let service = until::<Service>(client, "hello", |service| ready(service, "hello-00002")).await;
    assert_eq!(service.status.traffic[0].revision_name.as_deref(), Some("hello-00002"));
    until::<Revision>(client, "hello-00001", |revision| {
        revision.label(resources::labels::ROUTING_STATE) == Some("reserve")
    })
    .await;
}

fn ready(service: &Service, revision: &str) -> bool {
    service.status.observed_generation == Some(service.generation())
        && service.status.latest_ready_revision_name.as_deref() == Some(revision)
        && condition::get(&service.status.conditions, READY).is_some_and(|ready| ready.status == "True")
}

async fn exists<K: Object>(client: &Client, name: &str) -> bool {
    client.find::<K>(&ObjectKey::new("default", name)).await.unwrap().is_some()
}

/// Waits until an object is as it should be.
async fn until<K: Object>(client: &Client, name: &str, is: impl Fn(&K) -> bool) -> std::sync::Arc<K> {
    let options = ListOptions { name: Some(name.to_owned()), ..ListOptions::namespace("default") };
    let mut watch = client.watch::<K>(options);
    let mut last = None;
    let waiting = async {
        loop {
            if let Event::Applied(object) = watch.next().await {
                if is(&object) {
                    return object;
                }
                last = Some(object);
            }
        }
    };
    match timeout(PATIENCE, waiting).await {
        Ok(object) => object,
        Err(_) => panic!("{name} is not what it should be: {last:#?}"),
    }
}
