//! Whether a pod may run on this node at all: the node it selects, and what it requests.
//!
//! With one node there is nothing to schedule, but a pod that asks for another, or for more than there is, waits as it
//! would in a cluster, and says so in Kubernetes' words. Requests of all pods together may be more than the node has.

use std::collections::BTreeMap;

use objects::{Client, Event, ListOptions};
use resources::{
    ObjectKey,
    builtin::{Container, Node, Pod},
    quantity,
};

use crate::pod::{built_in, kubelet::Allocatable};

type Labels = BTreeMap<String, String>;

/// Why the pod cannot run on a node like this; `None` if it can. Pure.
pub(super) fn obstacle(pod: &Pod, labels: &Labels, allocatable: Allocatable) -> Option<String> {
    if selector(pod)
        .is_some_and(|selector| selector.iter().any(|(key, value)| labels.get(key) != Some(value)))
    {
        return Some(
            "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.".to_owned(),
        );
    }
    ["cpu", "memory"].into_iter().find_map(|resource| {
        let (asked, there) = (requested(pod, resource), allocatable.millis(resource));
        let units = if resource == "memory" { bytes } else { processors };
        (asked > there).then(|| {
            format!(
                "0/1 nodes are available: 1 Insufficient {resource} (the pod requests {}, the node has {}).",
                units(asked),
                units(there)
            )
        })
    })
}

/// Thousandths of processors, as people write them.
fn processors(millis: i64) -> String {
    if millis % 1000 == 0 { (millis / 1000).to_string() } else { format!("{millis}m") }
}

/// Thousandths of bytes in the largest unit of which there is one, to a tenth.
fn bytes(millis: i64) -> String {
    let bytes = i128::from(millis) / 1000;
    let units = [("Ei", 60), ("Pi", 50), ("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)];
    let Some((unit, shift)) = units.into_iter().find(|(_, shift)| bytes >> shift > 0) else {
        return bytes.to_string();
    };
    match (bytes * 10) >> shift {
        tenths if tenths % 10 == 0 => format!("{}{unit}", tenths / 10),
        tenths => format!("{}.{}{unit}", tenths / 10, tenths % 10),
    }
}

/// As [`obstacle`] on the node of this name; its object is read only for a pod that selects its node.
pub(super) async fn obstacle_here(
    client: &Client,
    node: &str,
    pod: &Pod,
    allocatable: Allocatable,
) -> Option<String> {
    let labels = match selector(pod) {
        None => Labels::new(),
        Some(_) => match client.find::<Node>(&ObjectKey::cluster(node)).await {
            Ok(node) => node.and_then(|node| node.metadata.labels.clone()).unwrap_or_default(),
            Err(error) => return Some(format!("the node {node} could not be read: {error}")),
        },
    };
    obstacle(pod, &labels, allocatable)
}

/// Waits until the node's labels let the pod run; for ever where labels are not the obstacle.
pub(super) async fn wait(client: Client, node: String, pod: &Pod, allocatable: Allocatable) {
    if selector(pod).is_none() {
        return std::future::pending().await;
    }
    let mut watch = client.watch::<Node>(ListOptions { name: Some(node), ..ListOptions::all() });
    loop {
        if let Event::Applied(node) = watch.next().await
            && obstacle(pod, &node.metadata.labels.clone().unwrap_or_default(), allocatable).is_none()
        {
            return;
        }
    }
}

fn selector(pod: &Pod) -> Option<&Labels> {
    pod.spec.as_ref()?.node_selector.as_ref().filter(|selector| !selector.is_empty())
}

/// What the pod's containers request together, or the greediest of its init containers alone. What is part of the node
/// itself takes nothing of it.
fn requested(pod: &Pod, resource: &str) -> i64 {
    let Some(spec) = &pod.spec else { return 0 };
    let of = |container: &Container| {
        let requests = container.resources.as_ref().and_then(|resources| resources.requests.as_ref());
        // Valid, so what is no number of thousandths is larger than any machine.
        let millis = |amount| quantity::millis(amount).unwrap_or(i64::MAX);
        requests.and_then(|requests| requests.get(resource)).map_or(0, millis)
    };
    let theirs = spec.containers.iter().filter(|container| !built_in::is_built_in(container));
    let together = theirs.map(of).fold(0, i64::saturating_add);
    let greediest = spec.init_containers.iter().flatten().map(of).max().unwrap_or(0);
    together.max(greediest)
}

#[cfg(test)]
mod tests {
    use resources::reserved::QUEUE_PROXY_IMAGE;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_pod_runs_where_it_selects_and_fits() {
        let labels = Labels::from([("disk".to_owned(), "ssd".to_owned())]);
        let node = Allocatable { cpu_millis: 2000, memory: 1 << 30 };
        let requests = |value: Value| json!({ "name": "c", "resources": { "requests": value } });
        for (spec, expect) in [
            (json!({ "containers": [] }), None),
            (json!({ "containers": [], "nodeSelector": { "disk": "ssd" } }), None),
            (
                json!({ "containers": [], "nodeSelector": { "disk": "tape" } }),
                Some("didn't match Pod's node"),
            ),
            (json!({ "containers": [requests(json!({ "cpu": "2", "memory": "1Gi" }))] }), None),
            (
                json!({ "containers": [requests(json!({ "cpu": "1" })), requests(json!({ "cpu": "1001m" }))] }),
                Some("1 Insufficient cpu (the pod requests 2001m, the node has 2)"),
            ),
            (
                json!({ "containers": [requests(json!({ "memory": "2500Mi" }))] }),
                Some("1 Insufficient memory (the pod requests 2.4Gi, the node has 1Gi)"),
            ),
            (json!({ "containers": [requests(json!({ "memory": "7Ei" }))] }), Some("1 Insufficient memory")),
            (
                json!({ "containers": [], "initContainers": [requests(json!({ "cpu": "3" }))] }),
                Some("1 Insufficient cpu"),
            ),
            (
                json!({ "containers": [{ "name": "q", "image": QUEUE_PROXY_IMAGE, "resources": { "requests": { "cpu": "9" } } }] }),
                None,
            ),
        ] {
            let pod: Pod = serde_json::from_value(json!({ "spec": spec })).unwrap();
            let found = obstacle(&pod, &labels, node);
            let agrees = match expect {
                None => found.is_none(),
                Some(part) => found.as_ref().is_some_and(|found| found.contains(part)),
            };
            assert!(agrees, "{spec}: {found:?}");
        }
    }
}
