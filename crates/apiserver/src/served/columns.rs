//! The columns that a definition wants printed.

use resources::custom::{JsonPath, types::CustomResourceColumnDefinition};

use crate::table::Column;

/// The object's name, and what the definition says; its age where that says nothing.
pub(super) fn of(wanted: Option<&[CustomResourceColumnDefinition]>) -> Vec<Column> {
    let mut columns = vec![Column::name()];
    match wanted.filter(|wanted| !wanted.is_empty()) {
        None => columns.push(Column::age()),
        Some(wanted) => columns.extend(wanted.iter().filter_map(column)),
    }
    columns
}

fn column(wanted: &CustomResourceColumnDefinition) -> Option<Column> {
    let path = JsonPath::parse(&wanted.json_path).ok()?;
    let description =
        wanted.description.clone().filter(|description| !description.is_empty()).unwrap_or_else(|| {
            format!("Custom resource definition column (in JSONPath format): {}", wanted.json_path)
        });
    Some(Column::defined(
        wanted.name.clone(),
        wanted.type_.clone(),
        wanted.format.clone().unwrap_or_default(),
        description,
        wanted.priority.unwrap_or_default(),
        path,
    ))
}
