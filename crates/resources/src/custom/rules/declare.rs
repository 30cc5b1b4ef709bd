//! What a schema says of the values that rules see (upstream: apiserver, `cel/common/schemas.go`).

use std::{collections::BTreeMap, sync::Arc};

use cel::{Declared, Field, Lists, Type, escape};

use super::{item, other};
use crate::{
    custom::{
        format,
        types::{JSON, JSONSchemaProps},
    },
    names::dns,
};

/// The longest body of a request, which bounds what has no other bound (upstream: apiserver, `MaxRequestSizeBytes`).
pub const BODY_BYTES_MAX: u64 = 3 << 20;
/// How long a text can be whose length nobody bounds: a body without its quotes.
const TEXT_MAX: u64 = BODY_BYTES_MAX - 2;

/// What rules see of a value; `None` for what they cannot. `root`: whether it is an object with metadata.
pub(crate) fn declare(schema: &JSONSchemaProps, name: &str, root: bool) -> Option<Declared> {
    let on = |flag: Option<bool>| flag == Some(true);
    let longest = schema.max_length.map(|max| size(max).saturating_mul(4));
    if on(schema.x_kubernetes_int_or_string) {
        return Some(Declared::simple(Type::Dyn, longest.unwrap_or(TEXT_MAX), 1));
    }
    // An object with metadata is one, whatever it says.
    match schema.type_.as_deref().unwrap_or(if root { "object" } else { "" }) {
        "array" => {
            let items = item(schema)?;
            let root = on(items.x_kubernetes_embedded_resource);
            let items = declare(items, &format!("{name}.@idx"), root)?;
            let max = schema.max_items.map_or((BODY_BYTES_MAX - 2) / (items.min_bytes() + 1), size);
            let lists = match schema.x_kubernetes_list_type.as_deref() {
                Some("set") => Lists::Set,
                Some("map") => Lists::Map(schema.x_kubernetes_list_map_keys.clone().unwrap_or_default()),
                _ => Lists::Atomic,
            };
            Some(Declared::list(items, max, lists))
        }
        "object" => match other(schema).filter(|_| !root) {
            Some(values) => {
                let root = on(values.x_kubernetes_embedded_resource);
                let values = declare(values, &format!("{name}.@elem"), root)?;
                // The shortest key with its quotes, the colon and the comma.
                let max = schema.max_properties.map_or((BODY_BYTES_MAX - 2) / (values.min_bytes() + 6), size);
                Some(Declared::map(values, max))
            }
            None => Some(object(schema, name, root)),
        },
        "string" => Some(text(schema, longest)),
        "boolean" => Some(Declared::simple(Type::Bool, 0, 4)),
        "number" => Some(Declared::simple(Type::Double, 0, 1)),
        "integer" => Some(Declared::simple(Type::Int, 0, 1)),
        _ => None,
    }
}

fn size(max: i64) -> u64 {
    u64::try_from(max).unwrap_or(0)
}

fn text(schema: &JSONSchemaProps, longest: Option<u64>) -> Declared {
    let own = schema.max_length.map(size);
    match schema.format.as_deref() {
        Some("byte") => Declared::simple(Type::Bytes, own.unwrap_or(TEXT_MAX), 2),
        Some("duration") => Declared::simple(Type::Duration, 32, 3),
        Some("date") => Declared::simple(Type::Timestamp, 12, 12),
        Some("date-time") => Declared::simple(Type::Timestamp, 32, 21),
        _ => {
            let choices =
                schema.enum_.iter().flatten().filter_map(|JSON(value)| value.as_str().map(str::len));
            let choice = choices.max().map(|len| len as u64);
            Declared::simple(Type::String, longest.or(choice).unwrap_or(TEXT_MAX), 2)
        }
    }
}

fn object(schema: &JSONSchemaProps, name: &str, root: bool) -> Declared {
    let required = schema.required.as_deref().unwrap_or_default();
    // The brackets; and of each field that must be there its name, quotes, colon, comma.
    let mut min_bytes = 2;
    let mut fields = BTreeMap::new();
    let mut add = |json: &str, declared: Declared, default: bool| {
        if required.iter().any(|required| required == json) && !default {
            min_bytes += json.len() as u64 + declared.min_bytes() + 4;
        }
        if let Some(escaped) = escape(json) {
            fields.insert(escaped, Field { name: json.to_owned(), declared: Arc::new(declared) });
        }
    };
    let of_every_object = root && !says_all(schema);
    for (json, schema) in schema.properties.iter().flatten() {
        if of_every_object && ["apiVersion", "kind", "metadata"].contains(&json.as_str()) {
            continue;
        }
        let below = escape(json).unwrap_or_default();
        let embedded = schema.x_kubernetes_embedded_resource == Some(true);
        if let Some(declared) = declare(schema, &format!("{name}.{below}"), embedded) {
            add(json, declared, schema.default.is_some());
        }
    }
    if of_every_object {
        let text = || Declared::simple(Type::String, TEXT_MAX, 2);
        let names = ["name", "generateName"]
            .into_iter()
            .map(|json| (json.to_owned(), Field { name: json.to_owned(), declared: Arc::new(text()) }));
        add("metadata", Declared::object(format!("{name}.metadata"), names.collect(), 2), false);
        add("apiVersion", text(), false);
        add("kind", text(), false);
    }
    Declared::object(name, fields, min_bytes)
}

/// Whether a schema itself says what every object has.
fn says_all(schema: &JSONSchemaProps) -> bool {
    let field = |schema: &JSONSchemaProps, name: &str, form: &str| {
        let field = schema.properties.as_ref()?.get(name)?;
        (field.type_.as_deref() == Some(form)).then(|| field.clone())
    };
    field(schema, "kind", "string").is_some()
        && field(schema, "apiVersion", "string").is_some()
        && field(schema, "metadata", "object").is_some_and(|metadata| {
            field(&metadata, "name", "string").is_some()
                && field(&metadata, "generateName", "string").is_some()
        })
}

/// What is wrong with a text that should have a format of the library of formats.
pub(crate) fn formats(name: &str, text: &str) -> Option<Vec<String>> {
    let prefix = || dns::as_prefix(text);
    let known = |format: &str, why: &str| {
        if format::matches(format, text) { Vec::new() } else { vec![why.to_owned()] }
    };
    Some(match name {
        "dns1123Label" => dns::label(text),
        "dns1123Subdomain" => dns::subdomain(text),
        "dns1035Label" => dns::label_1035(text),
        "dns1123LabelPrefix" => dns::label(&prefix()),
        "dns1123SubdomainPrefix" => dns::subdomain(&prefix()),
        "dns1035LabelPrefix" => dns::label_1035(&prefix()),
        "qualifiedName" => dns::qualified_name(text),
        "labelValue" => dns::label_value(text),
        "uri" => known("uri", "parse: invalid URI for request"),
        "uuid" => known("uuid", "does not match the UUID format"),
        "byte" => known("byte", "invalid base64"),
        "date" => known("date", "invalid date"),
        "datetime" => known("date-time", "invalid datetime"),
        _ => return None,
    })
}
