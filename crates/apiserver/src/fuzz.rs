//! What fuzzers feed: the parts that take apart what anybody may send. Each function takes any bytes and must come back; it
//! panics where something that always holds does not.
//!
//! An input is several texts, one after the other, with a zero byte between them.

use http::{HeaderMap, HeaderValue, header};
use resources::{Kind, custom::JsonPath, kinds};
use serde_json::{Value, json};

use crate::{
    apply::{self, Managed, Manager, Operation},
    limits::Limits,
    patch::Patch,
    registry::apart,
    rest::{Bounds, Form, Includes, Query, TableForm, negotiate, nested, read_json},
    schema,
    selector::{FieldSelector, LabelSelector},
    store::{Key, Stored, pairs::Interner},
    table,
};

/// Bounds under which an input of a fuzzer is soon through.
fn limits() -> Limits {
    Limits {
        nodes_max: 2000,
        depth_max: 30,
        json_patch_steps_max: 100_000,
        json_patch_copied_bytes_max: 100_000,
        ..Limits::default()
    }
}

fn texts<const N: usize>(input: &[u8]) -> [&[u8]; N] {
    let mut parts = input.splitn(N, |byte| *byte == 0);
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

fn tree(text: &[u8]) -> Option<Value> {
    read_json(text, Bounds::of(&limits())).ok().map(|read| read.value)
}

fn kind(api_version: &str, kind: &str) -> &'static Kind {
    kinds::by_kind(api_version, kind).expect("Ebb has this kind")
}

/// An object, and a patch of it: taken as each kind of patch that there is, for kinds that merge their lists in different
/// ways.
pub fn patch(input: &[u8]) {
    let [object, patch] = texts(input);
    let (Some(object), Some(body)) = (tree(object), tree(patch)) else { return };
    let limits = limits();
    for kind in [
        kind("apps/v1", "Deployment"),
        kind("v1", "ServiceAccount"),
        kind("serving.knative.dev/v1", "Service"),
    ] {
        for media_type in [
            "application/json-patch+json",
            "application/merge-patch+json",
            "application/strategic-merge-patch+json",
        ] {
            if Patch::check_type(kind, media_type).is_err() {
                continue;
            }
            let Ok(patch) = Patch::new(media_type, body.clone(), Vec::new(), &limits) else { continue };
            let Ok(patched) = patch.apply(kind, object.clone(), &limits) else { continue };
            // Two that are as deep as allowed make none that is deeper.
            assert!(nested(&patched) <= limits.depth_max, "{media_type}: {patched}");
            if media_type == "application/merge-patch+json" {
                let again = patch.apply(kind, patched.clone(), &limits).ok();
                assert_eq!(again, Some(patched.clone()), "a merge patch changes nothing the second time");
            }
            // What does not fit is told, whatever it is.
            _ = kind.decode_strict(patched);
        }
    }
}

/// An object, one configuration that is applied to it, and another one that somebody else applies then.
pub fn apply(input: &[u8]) {
    let [live, first, second] = texts(input);
    let (Some(live), Some(first), Some(second)) = (tree(live), tree(first), tree(second)) else { return };
    for kind in [kind("apps/v1", "Deployment"), kind("v1", "ConfigMap"), kind("v1", "Service")] {
        let root = schema::Root::of(kind, None);
        let manager =
            |name: &str| Manager { operation: Operation::Apply, ..Manager::updater(name.into(), kind, None) };
        let (mut managed, mut object) = (Managed::default(), live.clone());
        for (configuration, name, force) in
            [(&first, "one", false), (&second, "two", false), (&second, "two", true)]
        {
            let now = resources::meta::Time(jiff::Timestamp::UNIX_EPOCH);
            let mut changed = managed.clone();
            let applied =
                apply::apply(&mut changed, &object, configuration, &root, &manager(name), force, now);
            if let Ok(applied) = applied {
                (managed, object) = (changed, applied);
            }
        }
        let entries = managed.clone().write().unwrap_or_default();
        let again = Managed::read(&entries).ok().and_then(Managed::write).unwrap_or_default();
        assert_eq!(again, entries, "managers are read as they were written");
        _ = kind.decode_strict(object);
    }
}

/// What a client may say of the objects that it means: by labels and by fields.
pub fn selector(input: &[u8]) {
    let [labels, fields] = texts(input).map(String::from_utf8_lossy);
    let mut names = Interner::new();
    let known = names.pairs([("app", "x"), ("tier", "7"), ("spec.nodeName", "n")].into_iter());
    if let Ok(selector) = LabelSelector::parse(&labels) {
        _ = selector.matches(&known);
        if labels.trim().is_empty() {
            assert!(selector.matches(&known), "who says nothing means all");
        }
    }
    for kind in
        [kind("v1", "Pod"), kind("v1", "ConfigMap"), kind("v1", "Event"), kind("events.k8s.io/v1", "Event")]
    {
        if let Ok(selector) = FieldSelector::parse(kind, &fields) {
            let key = Key::of(kind, &resources::ObjectKey::new("default", "a"));
            _ = selector.matches(&key, &known);
        }
    }
}

/// What a client accepts, the rest of its request, an object, and the path of a column that a definition may have.
pub fn table(input: &[u8]) {
    let [accept, query, object, path] = texts(input);
    let mut headers = HeaderMap::new();
    if let Ok(accept) = HeaderValue::from_bytes(accept) {
        headers.insert(header::ACCEPT, accept);
    }
    let query = Query::parse(std::str::from_utf8(query).ok());
    let form = match negotiate(&headers, &query) {
        Ok((Form::Table(form), _)) => form,
        _ => TableForm { includes: Includes::Object, api_version: "meta.k8s.io/v1" },
    };
    let Some(object) = tree(object) else { return };
    if let Ok(path) = JsonPath::parse(&String::from_utf8_lossy(path)) {
        _ = path.find(&object);
    }
    for kind in [
        kind("v1", "Pod"),
        kind("apps/v1", "Deployment"),
        kind("v1", "Event"),
        kind("events.k8s.io/v1", "Event"),
        kind("autoscaling/v1", "HorizontalPodAutoscaler"),
        kind("v1", "Node"),
    ] {
        let Ok((object, _)) = kind.decode_strict(object.clone()) else { continue };
        let columns = table::columns(kind, None);
        let head = table::head(columns, &json!({}), form);
        let stored = Stored::hot(1, object, 0);
        let row = table::row(columns, &stored, form, jiff::Timestamp::UNIX_EPOCH);
        let row = row.unwrap_or_else(|error| panic!("an object of its kind has a row: {error}"));
        assert_eq!(row["cells"].as_array().map(Vec::len), head["columnDefinitions"].as_array().map(Vec::len));
    }
}

/// An object as text, with its managers apart: nothing that is stored may bring the server down.
pub fn stored(input: &[u8]) {
    let (object, managed) = apart(input);
    _ = (object.to_string(), managed.write());
}

#[cfg(test)]
mod tests;
