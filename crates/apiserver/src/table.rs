//! Objects as rows for people: what `kubectl get` shows (upstream: `meta.k8s.io/v1`, Table).

mod age;
mod as_defined;
mod bindings;
mod columns;
mod defined;
mod events;
mod network;
mod nodes;
mod pods;
mod upkeep;
mod workloads;

use jiff::Timestamp;
use objects::Error;
use resources::Kind;
use serde_json::{Value, json};

use self::columns::Cell;
pub(crate) use self::{as_defined::printer_columns, columns::Column};
use crate::{
    rest::{Includes, TableForm},
    served::Definition,
    store::Stored,
};

/// One object as a table of one row.
pub(crate) fn of_object(
    columns: &[Column],
    stored: &Stored,
    form: TableForm,
    now: Timestamp,
) -> Result<Value, Error> {
    let metadata = json!({"resourceVersion": stored.version.to_string()});
    Ok(of_row(columns, &metadata, row(columns, stored, form, now)?, form))
}

/// A Scale as a table, which has no kind of its own here.
pub(crate) fn of_scale(scale: &Value, form: TableForm, now: Timestamp) -> Value {
    let row = row_of(cells(columns::SCALE, scale, now), scale.clone(), form);
    let metadata = json!({"resourceVersion": scale["metadata"]["resourceVersion"]});
    of_row(columns::SCALE, &metadata, row, form)
}

fn of_row(columns: &[Column], metadata: &Value, row: Value, form: TableForm) -> Value {
    let mut table = head(columns, metadata, form);
    table[ROWS] = json!([row]);
    table
}

/// The columns of a kind, with what a user says of it.
pub(crate) fn columns<'a>(kind: &Kind, definition: Option<&'a Definition>) -> &'a [Column] {
    definition.map_or_else(|| columns::of(kind), |definition| &definition.own.columns)
}

/// The row of a bookmark: nothing but a version.
pub(crate) fn bookmark(metadata: &Value, form: TableForm) -> Value {
    let api_version = form.api_version;
    let object = json!({"kind": "PartialObjectMetadata", "apiVersion": api_version, "metadata": metadata});
    json!({
        "kind": "Table",
        "apiVersion": api_version,
        "metadata": {"resourceVersion": metadata["resourceVersion"]},
        "columnDefinitions": null,
        "rows": [{"cells": [], "object": object}],
    })
}

/// The field of a table that has its rows.
pub(crate) const ROWS: &str = "rows";

/// A table without its rows; `metadata` is the list's.
pub(crate) fn head(columns: &[Column], metadata: &Value, form: TableForm) -> Value {
    let definitions: Vec<Value> = columns.iter().map(Column::definition).collect();
    json!({
        "kind": "Table",
        "apiVersion": form.api_version,
        "metadata": metadata,
        "columnDefinitions": definitions,
    })
}

/// The row of an object.
pub(crate) fn row(
    columns: &[Column],
    stored: &Stored,
    form: TableForm,
    now: Timestamp,
) -> Result<Value, Error> {
    let object: Value = serde_json::from_slice(&stored.json())
        .map_err(|error| Error::Internal(format!("a stored object cannot be read: {error}")))?;
    // An object is shown alike in each of its forms.
    let original = if stored.kind.is_form() { stored.kind.to_original(&*stored.object()?) } else { None };
    let original = original.map(|original| original.to_value());
    let cells = cells(columns, original.as_ref().unwrap_or(&object), now);
    Ok(row_of(cells, object, form))
}

fn cells(columns: &[Column], object: &Value, now: Timestamp) -> Vec<Value> {
    columns.iter().map(|column| column.cell(object, now)).collect()
}

fn row_of(cells: Vec<Value>, object: Value, form: TableForm) -> Value {
    match form.includes {
        Includes::None => json!({"cells": cells, "object": null}),
        Includes::Object => json!({"cells": cells, "object": object}),
        Includes::Metadata => json!({
            "cells": cells,
            "object": {
                "kind": "PartialObjectMetadata",
                "apiVersion": form.api_version,
                "metadata": object["metadata"],
            },
        }),
    }
}

impl Column {
    fn definition(&self) -> Value {
        json!({
            "name": self.name,
            "type": self.kind,
            "format": if self.name == "Name" { "name" } else { &self.format },
            "description": self.description,
            "priority": self.priority,
        })
    }

    fn cell(&self, object: &Value, now: Timestamp) -> Value {
        match &self.cell {
            Cell::At(pointer) => match object.pointer(pointer) {
                Some(value) if value.is_string() && self.kind == "integer" => {
                    value.as_str().and_then(|text| text.parse::<i64>().ok()).map_or(Value::Null, Value::from)
                }
                Some(value) => value.clone(),
                None if self.kind == "string" => "".into(),
                None => Value::Null,
            },
            Cell::Condition(condition, field) => conditions(object)
                .find(|found| found["type"] == *condition)
                .and_then(|found| found.get(*field))
                .cloned()
                .unwrap_or_else(|| "".into()),
            Cell::Age => age::since(object.pointer("/metadata/creationTimestamp"), now).into(),
            Cell::Made(make) => make(object, now),
            Cell::Defined(path) => {
                path.find(object).map_or(Value::Null, |value| defined::cell(&self.kind, value, now))
            }
        }
    }
}

/// `status.conditions`.
fn conditions(object: &Value) -> impl Iterator<Item = &Value> {
    object.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten()
}

/// The items of a list at a JSON pointer; none when there is no list.
fn items<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The text at a JSON pointer; empty when there is none.
fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The number at a JSON pointer; 0 when there is none.
fn number(object: &Value, pointer: &str) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or_default()
}

#[cfg(test)]
mod tests;
