//! Cells of deployments, replica sets and stateful sets, and counts of data (upstream: `pkg/printers/internalversion`).

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{items, number, text};

/// `1/3`: replicas that are ready, of those wanted.
pub(super) fn ready_of_desired(object: &Value, _: Timestamp) -> Value {
    format!("{}/{}", number(object, "/status/readyReplicas"), number(object, "/spec/replicas")).into()
}

pub(super) fn updated(object: &Value, _: Timestamp) -> Value {
    number(object, "/status/updatedReplicas").into()
}

pub(super) fn available(object: &Value, _: Timestamp) -> Value {
    number(object, "/status/availableReplicas").into()
}

pub(super) fn desired(object: &Value, _: Timestamp) -> Value {
    number(object, "/spec/replicas").into()
}

pub(super) fn current(object: &Value, _: Timestamp) -> Value {
    number(object, "/status/replicas").into()
}

pub(super) fn ready(object: &Value, _: Timestamp) -> Value {
    number(object, "/status/readyReplicas").into()
}

pub(super) fn containers(object: &Value, _: Timestamp) -> Value {
    of_containers(object, "/name")
}

pub(super) fn images(object: &Value, _: Timestamp) -> Value {
    of_containers(object, "/image")
}

fn of_containers(object: &Value, field: &str) -> Value {
    let containers = items(object, "/spec/template/spec/containers");
    containers.iter().map(|container| text(container, field)).collect::<Vec<_>>().join(",").into()
}

/// The label selector, as `app=x,tier in (a,b)`.
pub(super) fn selector(object: &Value, _: Timestamp) -> Value {
    let labels = object.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    let mut parts: Vec<String> = labels.into_iter().flat_map(equalities).collect();
    for expression in items(object, "/spec/selector/matchExpressions") {
        let key = text(expression, "/key");
        let values =
            items(expression, "/values").iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",");
        parts.push(match text(expression, "/operator") {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        });
    }
    or_none(parts.join(","))
}

/// `key=value` of each label.
pub(super) fn equalities(labels: &Map<String, Value>) -> impl Iterator<Item = String> {
    labels.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
}

pub(super) fn or_none(text: String) -> Value {
    if text.is_empty() { "<none>".into() } else { text.into() }
}

/// How many entries a ConfigMap or Secret has.
pub(super) fn data_count(object: &Value, _: Timestamp) -> Value {
    let entries = |field: &str| object.get(field).and_then(Value::as_object).map_or(0, Map::len);
    (entries("data") + entries("binaryData")).into()
}

pub(super) fn secret_count(object: &Value, _: Timestamp) -> Value {
    items(object, "/secrets").len().into()
}
