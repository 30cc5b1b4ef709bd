//! OpenAPI v3: the schemas of the kinds, which `kubectl explain` reads; and of the paths as much as kubectl needs to
//! leave validation to the server. The same in v2, for others.

pub(super) mod v2;

use bytes::Bytes;
use http::HeaderMap;
use resources::{Kind, kinds, schema};
use serde_json::{Map, Value, json};

use super::{digest, groups};
use crate::{
    aside::{LONG_BYTES, aside},
    rest::segments,
    served::{Served, Whole, reference},
};

const TITLE: &str = "Ebb";

/// `/openapi/v3`: where the documents are, each with its digest, so that clients read again what has changed and no more.
pub(super) fn index(served: &Served) -> Value {
    let path = |(group, version): (&str, &str)| {
        let written = || Some(Bytes::from(document(served, group, version)?.to_string()));
        let make = || Some(digest::of(&served.document(group, version).text.or_else(written)?));
        let digest = served.digest(group, version, make)?;
        let path =
            if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") };
        let url = format!("/openapi/v3/{path}?hash={digest}");
        Some((path, json!({"serverRelativeURL": url})))
    };
    json!({"paths": versions(served).into_iter().filter_map(path).collect::<Map<_, _>>()})
}

/// Writes what is asked for at a path, if nobody has asked for it before, without keeping others waiting.
pub(super) async fn prepare(served: &Served, path: &str, headers: &HeaderMap) {
    let text = |group: &str, version: &str| served.text(group, version, || document(served, group, version));
    match *segments(path).as_slice() {
        ["openapi", "v3"] => {
            let is_known = |(group, version): (&str, &str)| served.document(group, version).digest.is_some();
            if !versions(served).into_iter().all(is_known) {
                aside(LONG_BYTES, || drop(index(served))).await;
            }
        }
        ["openapi", "v2"] if v2::form(headers) == Some(v2::Form::Json) && !served.has_whole() => {
            aside(LONG_BYTES, || drop(whole(served))).await;
        }
        ["openapi", "v3", "api", version] if served.document("", version).text.is_none() => {
            aside(LONG_BYTES, || drop(text("", version))).await;
        }
        ["openapi", "v3", "apis", group, version] if served.document(group, version).text.is_none() => {
            aside(LONG_BYTES, || drop(text(group, version))).await;
        }
        _ => {}
    }
}

/// Every group and version that there is a document of.
fn versions(served: &Served) -> Vec<(&'static str, &'static str)> {
    let groups = groups::all(served);
    let others =
        groups.iter().flat_map(|(group, versions)| versions.iter().map(move |version| (*group, *version)));
    [("", "v1")].into_iter().chain(others).collect()
}

/// `/openapi/v3/…`: one group version.
pub(super) fn document(served: &Served, group: &str, version: &str) -> Option<Value> {
    let kinds = groups::kinds_of(served, group, version);
    if kinds.is_empty() {
        return None;
    }
    let built_in = kinds.iter().copied().filter(|kind| !kind.is_defined());
    let mut schemas = schema::definitions(built_in);
    for definition in kinds.iter().filter_map(|kind| served.definition(kind)) {
        schemas.extend(definition.own.documents());
    }
    let paths: Map<_, _> = kinds.into_iter().flat_map(paths).collect();
    Some(json!({
        "openapi": "3.0.0",
        "info": {"title": TITLE, "version": env!("CARGO_PKG_VERSION")},
        "paths": paths,
        "components": {"schemas": schemas},
    }))
}

/// `/openapi/v2`: all of it.
pub(super) fn whole(served: &Served) -> Whole {
    served.whole(|| {
        let text = Bytes::from(v2::text(served));
        let digest = digest::of(&text).into();
        Whole { text, digest }
    })
}

/// The paths of a kind.
fn paths(kind: &Kind) -> Vec<(String, Value)> {
    let Kind { group, version, plural, .. } = kind;
    let root = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
    let base = match kind.namespaced {
        false => format!("{root}/{plural}"),
        true => format!("{root}/namespaces/{{namespace}}/{plural}"),
    };
    if kinds::reviews().contains(&kind) {
        return vec![(base, review_path(kind))];
    }
    vec![(format!("{base}/{{name}}"), object_path(kind)), (base, collection_path(kind))]
}

fn collection_path(kind: &Kind) -> Value {
    json!({
        "get": operation(kind, "list", &[]),
        "post": operation(kind, "post", &["dryRun", "fieldManager", "fieldValidation"]),
        "delete": operation(kind, "deletecollection", &["dryRun"]),
        "parameters": path_parameters(kind, false),
    })
}

fn review_path(kind: &Kind) -> Value {
    json!({
        "post": operation(kind, "post", &["dryRun", "fieldManager", "fieldValidation"]),
        "parameters": path_parameters(kind, false),
    })
}

fn object_path(kind: &Kind) -> Value {
    json!({
        "get": operation(kind, "get", &[]),
        "put": operation(kind, "put", &["dryRun", "fieldManager", "fieldValidation"]),
        "patch": operation(kind, "patch", &["dryRun", "fieldManager", "fieldValidation", "force"]),
        "delete": operation(kind, "delete", &["dryRun", "gracePeriodSeconds", "propagationPolicy"]),
        "parameters": path_parameters(kind, true),
    })
}

fn operation(kind: &Kind, action: &str, parameters: &[&str]) -> Value {
    let parameter =
        |name: &&str| json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}});
    let parameters: Vec<Value> = parameters.iter().map(parameter).collect();
    let reference = json!({"$ref": reference(kind)});
    json!({
        "operationId": format!("{action}{}", kind.kind),
        "parameters": parameters,
        "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": reference}}}},
        "x-kubernetes-action": action,
        schema::GROUP_VERSION_KIND: {"group": kind.group, "version": kind.version, "kind": kind.kind},
    })
}

fn path_parameters(kind: &Kind, named: bool) -> Value {
    let names = [("namespace", kind.namespaced), ("name", named)];
    let parameter =
        |name: &str| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}});
    names.iter().filter(|(_, there)| *there).map(|(name, _)| parameter(name)).collect()
}
