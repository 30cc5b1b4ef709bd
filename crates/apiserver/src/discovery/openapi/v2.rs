//! OpenAPI v2 (Swagger 2.0), for clients that do not read v3: one document of every kind, made of what v3 says.
//!
//! It is written kind by kind, so that it is never there as a tree.

use std::{collections::HashSet, fmt};

use http::{HeaderMap, header};
use resources::{
    Kind,
    schema::{self, REFERENCE},
};
use serde_json::{Map, Value, json};

use super::{TITLE, paths};
use crate::{discovery::groups, served::Served};

/// Where a reference to a definition begins.
const DEFINITIONS: &str = "#/definitions/";
/// How large the document may become before further kinds of users are left out of it.
const DOCUMENT_BYTES_MAX: usize = 32 << 20;
/// What a schema may say in v3 and not in v2. The server looks at it all the same.
const NOT_IN_V2: [&str; 3] = ["anyOf", "not", "oneOf"];

/// What the document can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::discovery) enum Form {
    Json,
    Protobuf,
}

/// The first form of the `Accept` header that there is; `None` where none of them is.
pub(in crate::discovery) fn form(headers: &HeaderMap) -> Option<Form> {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let wishes = accept.flat_map(|value| value.split(',')).map(str::trim);
    let mut wishes = wishes.filter(|wish| !wish.is_empty()).peekable();
    if wishes.peek().is_none() {
        return Some(Form::Json);
    }
    wishes.find_map(|wish| match wish.split(';').next().map(str::trim) {
        Some("application/json" | "application/*" | "*/*") => Some(Form::Json),
        Some(wish) if wish.starts_with(PROTOBUF) => Some(Form::Protobuf),
        _ => None,
    })
}

/// The document as JSON.
pub(super) fn text(served: &Served) -> String {
    let (defined, built_in): (Vec<_>, Vec<_>) = groups::kinds(served).partition(|kind| kind.is_defined());
    let mut document = Document::default();
    for (name, definition) in schema::definitions(built_in.iter().copied()) {
        document.define(name, definition);
    }
    for kind in built_in {
        document.add_paths(kind);
    }
    let mut left_out = 0;
    for kind in defined {
        let Some(definition) = served.definition(kind) else { continue };
        if document.len() >= DOCUMENT_BYTES_MAX {
            left_out += 1;
            continue;
        }
        for (name, definition) in definition.own.documents() {
            document.define(name, definition);
        }
        document.add_paths(kind);
    }
    let mut info = json!({"title": TITLE, "version": env!("CARGO_PKG_VERSION")});
    if left_out > 0 {
        let mib = DOCUMENT_BYTES_MAX >> 20;
        let why =
            format!("{left_out} kinds are left out, since they do not fit into {mib} MiB: ask /openapi/v3");
        info["description"] = why.into();
    }
    let Document { paths, definitions, .. } = document;
    format!(r#"{{"swagger":"2.0","info":{info},"paths":{{{paths}}},"definitions":{{{definitions}}}}}"#)
}

/// What has been written of the document.
#[derive(Default)]
struct Document {
    paths: Fields,
    definitions: Fields,
    /// The names of the definitions.
    known: HashSet<String>,
}

impl Document {
    fn len(&self) -> usize {
        self.paths.0.len() + self.definitions.0.len()
    }

    /// Adds a definition of v3, unless it is there.
    fn define(&mut self, name: String, mut definition: Value) {
        if self.known.contains(&name) {
            return;
        }
        to_v2(&mut definition);
        self.definitions.add(&name, &definition);
        self.known.insert(name);
    }

    fn add_paths(&mut self, kind: &Kind) {
        for (path, mut item) in paths(kind) {
            path_to_v2(&mut item);
            self.paths.add(&path, &item);
        }
    }
}

/// The fields of an object, as JSON.
#[derive(Default)]
struct Fields(String);

impl Fields {
    fn add(&mut self, name: &str, value: &Value) {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.0.push_str(&Value::from(name).to_string());
        self.0.push(':');
        self.0.push_str(&value.to_string());
    }
}

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Makes a schema of v3 one of v2, which says less where v2 has no words. Values that a schema gives, as defaults or
/// examples, are no schemas.
fn to_v2(schema: &mut Value) {
    let Value::Object(fields) = schema else { return };
    if fields.remove("nullable") == Some(Value::Bool(true)) {
        // What may be null has no type there.
        fields.remove("type");
        fields.remove("enum");
    }
    for keyword in NOT_IN_V2 {
        fields.remove(keyword);
    }
    if let Some(reference) = only_reference(fields) {
        fields.remove("allOf");
        fields.insert("$ref".into(), reference);
    }
    if let Some(Value::String(reference)) = fields.get_mut("$ref")
        && let Some(name) = reference.strip_prefix(REFERENCE)
    {
        *reference = format!("{DEFINITIONS}{name}");
    }
    for (keyword, value) in fields.iter_mut() {
        match (keyword.as_str(), value) {
            ("properties", Value::Object(schemas)) => schemas.values_mut().for_each(to_v2),
            ("items" | "additionalProperties", schema @ Value::Object(_)) => to_v2(schema),
            ("allOf", Value::Array(schemas)) => schemas.iter_mut().for_each(to_v2),
            _ => {}
        }
    }
}

/// In v3 a reference is alone, and `allOf` makes a place for words beside it; in v2 there is one.
fn only_reference(fields: &Map<String, Value>) -> Option<Value> {
    let [only] = fields.get("allOf")?.as_array()?.as_slice() else { return None };
    only.get("$ref").cloned()
}

fn path_to_v2(path: &mut Value) {
    let Value::Object(operations) = path else { return };
    for (method, value) in operations.iter_mut() {
        match method.as_str() {
            "parameters" => parameters_to_v2(value),
            _ => operation_to_v2(method, value),
        }
    }
}

fn operation_to_v2(method: &str, operation: &mut Value) {
    let mut schema = operation["responses"]["200"]["content"]["application/json"]["schema"].take();
    to_v2(&mut schema);
    let body = match method {
        "post" | "put" => Some(schema.clone()),
        "patch" => Some(json!({"type": "object"})),
        _ => None,
    };
    let Value::Object(fields) = operation else { return };
    // It would have to be another one for each group and version.
    fields.remove("operationId");
    let is_of_one = fields.get("x-kubernetes-action").is_none_or(|action| !is_of_many(action));
    let answer =
        if is_of_one { json!({"description": "OK", "schema": schema}) } else { json!({"description": "OK"}) };
    fields.insert("responses".into(), json!({"200": answer}));
    let parameters = fields.entry("parameters").or_insert_with(|| json!([]));
    parameters_to_v2(parameters);
    if let (Some(body), Value::Array(parameters)) = (body, parameters) {
        parameters.push(json!({"name": "body", "in": "body", "required": true, "schema": body}));
    }
}

fn is_of_many(action: &Value) -> bool {
    action == "list" || action == "deletecollection"
}

/// What v3 says in a parameter's schema, v2 says of the parameter.
fn parameters_to_v2(parameters: &mut Value) {
    for parameter in parameters.as_array_mut().into_iter().flatten() {
        let Value::Object(fields) = parameter else { continue };
        if let Some(Value::Object(schema)) = fields.remove("schema") {
            fields.extend(schema);
        }
    }
}

/// How the media type of the protobuf form begins.
const PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2";

/// The document as protobuf, which is what kubectl asks for when it meets a kind that is not served. It says that it is
/// there and nothing of any kind, so that validation is left to the server (upstream: gnostic, `openapi.v2.Document`:
/// swagger is field 1, info 2 with title 1 and version 2).
pub(in crate::discovery) fn protobuf() -> Vec<u8> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_say_what_v2_has_words_for() {
        let lookalike = json!({"nullable": true, "anyOf": []});
        let mut schema = json!({
            "default": lookalike,
            "properties": {
                "meta": {"description": "d", "allOf": [{"$ref": format!("{REFERENCE}m")}]},
                "null": {"type": "string", "nullable": true, "enum": ["a"], "description": "n"},
                "list": {"items": {"oneOf": [{"type": "string"}], "x-kubernetes-int-or-string": true}},
                "oneOf": {"type": "string"},
            },
            "additionalProperties": {"$ref": format!("{REFERENCE}o")},
        });
        to_v2(&mut schema);
        let expect = json!({
            "default": lookalike,
            "properties": {
                "meta": {"description": "d", "$ref": "#/definitions/m"},
                "null": {"description": "n"},
                "list": {"items": {"x-kubernetes-int-or-string": true}},
                "oneOf": {"type": "string"},
            },
            "additionalProperties": {"$ref": "#/definitions/o"},
        });
        assert_eq!(schema, expect);
    }

    #[test]
    fn the_first_form_that_there_is_is_taken() {
        let protobuf = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
        for (accept, expect) in [
            (None, Some(Form::Json)),
            (Some("*/*"), Some(Form::Json)),
            (Some("application/json;q=0.9"), Some(Form::Json)),
            (Some(protobuf), Some(Form::Protobuf)),
            (Some("text/html, application/json"), Some(Form::Json)),
            (Some("application/yaml"), None),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(header::ACCEPT, accept.parse().unwrap());
            }
            assert_eq!(form(&headers), expect, "{accept:?}");
        }
    }
}
