//! Operations on single objects are linearizable: each takes effect at one moment between its call and its answer. So are
//! lists, and versions are in the order of those moments, over all objects.
//!
//! Clients read and write the same few objects over TLS, at the same time, and note when they called, what they heard and
//! when. `register` looks for an order that explains it all (Wing and Gong), object by object; `order` holds versions and
//! lists against real time and against what a watch has seen. Ours and a real kube-apiserver are put to the same test, and
//! so are histories that are wrong.
#![allow(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

mod clients;
#[allow(dead_code, reason = "not all of it is called for here")]
#[path = "../api/https.rs"]
mod https;
#[allow(dead_code, reason = "nothing is installed in it")]
#[path = "../../../objects/tests/backends/kubernetes.rs"]
mod kubernetes;
mod order;
mod recorded;
mod register;

use apiserver::{ApiServer, Options};
use tokio::net::TcpListener;

use crate::{https::Https, kubernetes::Kubernetes, recorded::History};

/// Holds a history against everything; the reason when it is wrong.
fn check(history: &History) -> Result<(), String> {
    register::check(history)?;
    order::check(history)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ours_is_linearizable() {
    let dir = tempfile::tempdir().unwrap();
    let server = ApiServer::open(Options::new(dir.path())).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let kubeconfig = server.kubeconfig(&format!("https://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn({
        let server = server.clone();
        async move { server.serve(listener, std::future::pending()).await }
    });
    for seed in 0..3 {
        let history = clients::run(&Https::of(&kubeconfig), seed).await;
        check(&history).unwrap();
        recorded::mutations(&history, |what, wrong| {
            assert!(check(&wrong).is_err(), "seed {seed}: {what} is not noticed");
        });
    }
    server.close().await.unwrap();
}

#[test]
fn a_kube_apiserver_is_by_the_same_check() {
    let kubernetes = match Kubernetes::start() {
        Ok(kubernetes) => kubernetes,
        Err(reason) => return eprintln!("skipped: a_kube_apiserver_is_by_the_same_check: {reason}"),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let history = runtime.block_on(clients::run(&Https::of(&kubernetes.kubeconfig()), 0));
    check(&history).unwrap();
}
