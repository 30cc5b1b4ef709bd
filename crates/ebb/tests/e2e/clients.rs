//! Clients that users' programs are made of, against a platform that is written to and killed under them.

mod client_go;
mod controller;
mod python;
mod storm;
mod watcher;

use std::net::TcpListener;

use kube::{
    Api, Client, Config,
    api::{ApiResource, DynamicObject, GroupVersionKind},
    config::{KubeConfigOptions, Kubeconfig},
};

use crate::rig::{Ebb, Setup};

/// One whose API is at the same place after each start.
fn up() -> Ebb {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    Ebb::with(Setup { runtime: "process", api: free.to_string(), ..Setup::default() })
}

/// kube-rs as a user of this platform has it.
async fn client(ebb: &Ebb) -> Client {
    let kubeconfig = Kubeconfig::read_from(ebb.dir().join("kubeconfig")).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    Client::try_from(config).unwrap()
}

/// A kind of users, with a status.
const WIDGETS: &str = r"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {size: {type: integer}}}
          status: {type: object, properties: {made: {type: integer}}}
";

/// Makes it known, and waits until it is served.
fn define_widgets(ebb: &Ebb) {
    ebb.apply(WIDGETS);
    ebb.kubectl(&["wait", "--for=condition=Established", "crd/widgets.example.com", "--timeout=20s"]);
}

fn resource(group: &str, version: &str, kind: &str, plural: &str) -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
}

fn widget() -> ApiResource {
    resource("example.com", "v1", "Widget", "widgets")
}

/// The objects of a kind in namespace `default`.
fn api(client: &Client, resource: &ApiResource) -> Api<DynamicObject> {
    Api::namespaced_with(client.clone(), "default", resource)
}
