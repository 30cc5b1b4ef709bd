//! Tables of objects and what admission makes of them.

mod builtin;
mod config_maps;
mod create;
mod flags;
mod internal;
mod manifests;
mod pod_spec;
mod scaling;
mod traffic;
mod update;

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use super::{Rejection, Request, admit, aggregate};
use crate::{DynObject, config::Configs, kinds};

/// The words around what Knative's webhook says.
const DENIED: &str =
    "admission webhook \"validation.webhook.serving.knative.dev\" denied the request: validation failed: ";

fn decode(value: &Value) -> Arc<dyn DynObject> {
    let text = |field: &str| value[field].as_str().expect("an apiVersion and a kind");
    let kind = kinds::by_kind(text("apiVersion"), text("kind")).expect("a known kind");
    kind.decode_value(value.clone()).expect("an object of the kind")
}

fn configs(maps: &[(&str, &[(&str, &str)])]) -> Configs {
    let mut configs = Configs::default();
    for (name, data) in maps {
        let data: BTreeMap<_, _> = data.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        configs.apply(name, &data).expect("a good ConfigMap");
    }
    configs
}

fn features(flags: &[(&str, &str)]) -> Configs {
    configs(&[("config-features", flags)])
}

fn text(result: Result<Arc<dyn DynObject>, Rejection>) -> Result<Value, String> {
    match result {
        Ok(object) => Ok(object.to_value()),
        Err(Rejection::Denied(message)) => {
            Err(message.strip_prefix(DENIED).map(str::to_owned).unwrap_or(message))
        }
        Err(Rejection::Invalid(errors)) => Err(aggregate(&errors)),
    }
}

fn create_with(value: &Value, configs: &Configs) -> Result<Value, String> {
    text(admit(&Request::create("jane", jiff::Timestamp::UNIX_EPOCH), decode(value), configs))
}

/// The object as it would be stored, or what is wrong with it.
fn create(value: &Value) -> Result<Value, String> {
    create_with(value, &Configs::default())
}

/// What an object that was stored by jane becomes when joe writes another in its place.
fn update(old: &Value, new: &Value) -> Result<Value, String> {
    let request = Request::update(decode(old), "joe", jiff::Timestamp::UNIX_EPOCH);
    text(admit(&request, decode(new), &Configs::default()))
}

/// A Service with this spec.
fn service(spec: Value) -> Value {
    json!({"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": "app", "namespace": "default"}, "spec": spec})
}

/// A Service with this pod.
fn service_of(pod: Value) -> Value {
    service(json!({"template": {"spec": pod}}))
}

/// A Service whose only container has these fields besides its image.
fn service_with(container: Value) -> Value {
    service_of(json!({"containers": [merge(json!({"image": "app"}), container)]}))
}

fn merge(mut base: Value, over: Value) -> Value {
    match (&mut base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (field, value) in over {
                let old = base.remove(&field).unwrap_or_default();
                base.insert(field, merge(old, value));
            }
        }
        (base, over) => *base = over,
    }
    base
}

/// Each object is refused with these words.
fn check_refused(cases: impl IntoIterator<Item = (Value, &'static str)>) {
    for (value, expect) in cases {
        assert_eq!(create(&value), Err(expect.to_owned()), "{value}");
    }
}

#[test]
fn every_kind_has_rules() {
    for kind in kinds::served() {
        assert!(super::dispatch::covers(kind), "{kind:?}");
    }
}

#[test]
fn a_status_write_passes_whatever_the_rules_say() {
    let bad = service_of(json!({"containers": []}));
    let mut request = Request::update(decode(&bad), "controller", jiff::Timestamp::UNIX_EPOCH);
    request.subresource = Some("status");
    assert!(admit(&request, decode(&bad), &Configs::default()).is_ok());
}
