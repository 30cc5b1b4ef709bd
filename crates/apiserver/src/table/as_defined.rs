//! The columns of a built-in kind, as a definition of it asks for them.

use resources::{Kind, custom::types::CustomResourceColumnDefinition};

use super::columns::{self, Cell, Column};

/// What a definition of the kind says of its columns, beside the name that all have. Columns whose cells no path leads to
/// are not among them.
pub(crate) fn printer_columns(kind: &Kind) -> Vec<CustomResourceColumnDefinition> {
    match columns::of(kind) {
        // Which is what is shown where a definition asks for nothing.
        [] | [_] | [_, Column { cell: Cell::Age, .. }] => Vec::new(),
        [_, others @ ..] => others.iter().filter_map(definition).collect(),
    }
}

fn definition(column: &Column) -> Option<CustomResourceColumnDefinition> {
    let (json_path, kind) = match &column.cell {
        Cell::At(pointer) => (path(pointer), &*column.kind),
        Cell::Condition(condition, field) => {
            (format!(".status.conditions[?(@.type=='{condition}')].{field}"), &*column.kind)
        }
        Cell::Age => (".metadata.creationTimestamp".to_owned(), "date"),
        Cell::Made(_) | Cell::Defined(_) => return None,
    };
    Some(CustomResourceColumnDefinition {
        json_path,
        name: column.name.to_string(),
        priority: Some(column.priority).filter(|priority| *priority != 0),
        type_: kind.to_owned(),
        ..CustomResourceColumnDefinition::default()
    })
}

/// `/metadata/labels/a.b~1c` as `.metadata.labels['a\.b/c']`.
fn path(pointer: &str) -> String {
    let fields = pointer.split('/').skip(1).map(|field| field.replace("~1", "/").replace("~0", "~"));
    let step = |field: String| {
        if field.chars().all(|char| char.is_ascii_alphanumeric()) {
            format!(".{field}")
        } else {
            format!("['{}']", field.replace('.', "\\."))
        }
    };
    fields.map(step).collect()
}
