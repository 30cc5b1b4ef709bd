//! What a client of API objects may rely on, held against each home: the embedded API server in process, the same over
//! TLS, and a real kube-apiserver. One table of cases, and no case knows where it runs.

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
use objects::{Access, Client, Remote, RemoteLimits, RemoteOptions};
use tokio::net::TcpListener;

use crate::{cases::CHANGES_MAX, kubernetes::Kubernetes};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_process() {
    let mut options = Options::new("/nonexistent");
    options.limits.changes_per_kind_max = CHANGES_MAX;
    let server = ApiServer::in_memory(options).await.unwrap();
    cases::run(async || server.client()).await;
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
    let Some(kubernetes) = Kubernetes::start("remote_on_kubernetes") else { return };
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
