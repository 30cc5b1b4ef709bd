//! OpenAPI v3: the schemas of the kinds, which `kubectl explain` reads; and of the paths as much as kubectl needs to
//! leave validation to the server. Of v2 there is nothing but an answer.

use bytes::Bytes;
use resources::{Kind, kinds, schema};
use serde_json::{Map, Value, json};

use super::{digest, groups};
use crate::{
    aside::{LONG_BYTES, aside},
    rest::segments,
    served::{Served, reference},
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
pub(super) async fn prepare(served: &Served, path: &str) {
    let text = |group: &str, version: &str| served.text(group, version, || document(served, group, version));
    match *segments(path).as_slice() {
        ["openapi", "v3"] => {
            let is_known = |(group, version): (&str, &str)| served.document(group, version).digest.is_some();
            if !versions(served).into_iter().all(is_known) {
                aside(LONG_BYTES, || drop(index(served))).await;
            }
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
    let mut paths = Map::new();
    let built_in = kinds.iter().copied().filter(|kind| !kind.is_defined());
    let mut schemas = schema::definitions(built_in);
    for definition in kinds.iter().filter_map(|kind| served.definition(kind)) {
        schemas.extend(definition.own.documents());
    }
    for kind in kinds {
        let base = match (group, kind.namespaced) {
            ("", false) => format!("/api/{version}/{}", kind.plural),
            ("", true) => format!("/api/{version}/namespaces/{{namespace}}/{}", kind.plural),
            (_, false) => format!("/apis/{group}/{version}/{}", kind.plural),
            (_, true) => format!("/apis/{group}/{version}/namespaces/{{namespace}}/{}", kind.plural),
        };
        if kinds::reviews().contains(&kind) {
            paths.insert(base, review_path(kind));
            continue;
        }
        paths.insert(format!("{base}/{{name}}"), object_path(kind));
        paths.insert(base, collection_path(kind));
    }
    Some(json!({
        "openapi": "3.0.0",
        "info": {"title": TITLE, "version": env!("CARGO_PKG_VERSION")},
        "paths": paths,
        "components": {"schemas": schemas},
    }))
}

/// `/openapi/v2`: nothing but that it is there.
pub(super) fn v2() -> Value {
    json!({
        "swagger": "2.0",
        "info": {"title": TITLE, "version": env!("CARGO_PKG_VERSION")},
        "paths": {},
        "definitions": {},
    })
}

/// How the media type of the protobuf form begins.
pub(super) const V2_PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2";

/// [`v2`] as protobuf (upstream: gnostic, `openapi.v2.Document`): swagger is field 1, info 2 with title 1 and version 2.
pub(super) fn v2_protobuf() -> Vec<u8> {
    let text = |field: u8, text: &str| message(field, text.as_bytes());
    let info = [text(1, TITLE), text(2, env!("CARGO_PKG_VERSION"))].concat();
    [text(1, "2.0"), message(2, &info)].concat()
}

/// A field of bytes: its number and wire type, its length, and the bytes.
fn message(field: u8, bytes: &[u8]) -> Vec<u8> {
    const LENGTH_DELIMITED: u8 = 2;
    let len = u8::try_from(bytes.len()).expect("a title and a version are short");
    let mut encoded = vec![field << 3 | LENGTH_DELIMITED, len];
    encoded.extend_from_slice(bytes);
    encoded
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
