//! Cells of nodes (upstream: `pkg/printers/internalversion`, `printNode`).

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{conditions, items, text};

const ROLE_PREFIX: &str = "node-role.kubernetes.io/";

pub(super) fn status(node: &Value, _: Timestamp) -> Value {
    let ready = conditions(node).find(|found| found["type"] == "Ready");
    let mut status = match ready.map(|found| found["status"] == "True") {
        Some(true) => "Ready",
        Some(false) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if node.pointer("/spec/unschedulable") == Some(&Value::Bool(true)) {
        status.push_str(",SchedulingDisabled");
    }
    status.into()
}

pub(super) fn roles(node: &Value, _: Timestamp) -> Value {
    let labels = node.pointer("/metadata/labels").and_then(Value::as_object);
    let names = labels.into_iter().flat_map(Map::keys).filter_map(|key| key.strip_prefix(ROLE_PREFIX));
    let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    if names.is_empty() { "<none>".into() } else { names.join(",").into() }
}

pub(super) fn internal_ip(node: &Value, _: Timestamp) -> Value {
    address(node, "InternalIP")
}

pub(super) fn external_ip(node: &Value, _: Timestamp) -> Value {
    address(node, "ExternalIP")
}

fn address(node: &Value, kind: &str) -> Value {
    let address = items(node, "/status/addresses").iter().find(|address| address["type"] == kind);
    address.map_or("<none>", |address| text(address, "/address")).into()
}
