//! What a client of API objects may rely on, held against each home: the embedded API server in process, the same over
//! TLS, and a real kube-apiserver. One table of cases, and no case knows where it runs.
#![allow(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

#[path = "backends/cases.rs"]
mod cases;
#[path = "backends/home.rs"]
mod home;
#[path = "backends/kubernetes.rs"]
mod kubernetes;
#[path = "backends/relay.rs"]
mod relay;
#[path = "backends/remote.rs"]
mod remote;

use std::sync::Arc;

use apiserver::{ApiServer, Options};
use futures::FutureExt;
use objects::{Access, Client, Event, ListOptions, Remote, RemoteLimits, RemoteOptions};
use resources::{builtin::ConfigMap, meta::ObjectMeta};
use tokio::net::TcpListener;

use crate::{cases::CHANGES_MAX, kubernetes::Kubernetes};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_process() {
    let mut options = Options::new("/nonexistent");
    options.limits.changes_per_kind_max = CHANGES_MAX;
    let server = ApiServer::in_memory(options).await.unwrap();
    cases::run(async || server.client()).await;
}

/// A caller in a `select!` leaves whenever something else happens; a long list must come to its end all the same.
#[tokio::test]
async fn a_watch_goes_on_where_its_caller_left() {
    const OBJECTS: usize = 1_200;
    let server = ApiServer::in_memory(Options::new("/nonexistent")).await.unwrap();
    let client = server.client();
    for at in 0..OBJECTS {
        let metadata = ObjectMeta {
            name: Some(format!("m-{at}")),
            namespace: Some("default".into()),
            ..ObjectMeta::default()
        };
        client.create(ConfigMap { metadata, ..ConfigMap::default() }).await.unwrap();
    }
    let mut watch = client.watch::<ConfigMap>(ListOptions::namespace("default"));
    let mut told = 0;
    let all = async {
        loop {
            match watch.next().now_or_never() {
                Some(Event::Applied(_)) => told += 1,
                Some(Event::Restarted) => assert_eq!(told, 0, "it began again"),
                Some(Event::Synced) => break,
                Some(Event::Deleted(_)) => panic!("nothing is deleted"),
                None => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), all).await.expect("the list ends");
    assert_eq!(told, OBJECTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn remote_on_the_embedded_server() {
    let server = ApiServer::in_memory(Options::new("/nonexistent")).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let kubeconfig = server.kubeconfig(&url).unwrap();
    let serving = tokio::spawn(async move { server.serve(listener, std::future::pending()).await });
    cases::run(async || connect(&kubeconfig).await).await;
    serving.abort();
}

#[test]
fn remote_on_kubernetes() {
    let kubernetes = match Kubernetes::start() {
        Ok(kubernetes) => kubernetes,
        Err(reason) => return eprintln!("skipped: remote_on_kubernetes: {reason}"),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let kubeconfig = kubernetes.kubeconfig();
    runtime.block_on(async {
        remote::a_kind_is_followed_as_soon_as_it_is_served(connect(&kubeconfig).await, || {
            kubernetes.install_crds()
        })
        .await;
        cases::run(async || connect(&kubeconfig).await).await;
    });
}

async fn connect(kubeconfig: &str) -> Client {
    let limits = RemoteLimits { changes_per_kind_max: CHANGES_MAX, ..RemoteLimits::default() };
    let options = RemoteOptions { limits, ..RemoteOptions::default() };
    let remote = Remote::connect(Access::Kubeconfig(kubeconfig.to_owned()), options).await.unwrap();
    Client::new(Arc::new(remote))
}
