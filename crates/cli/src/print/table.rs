//! Tables without borders, as `kubectl` and `kn` print them.

use super::tabs::{Columns, align};

/// Upstream's columns: three spaces between them, six wide at the least.
const COLUMNS: Columns = Columns { width_min: 6, padding: 3 };

/// Rows of cells under upper-case headers.
#[derive(Debug)]
pub(crate) struct Table {
    text: String,
}

impl Table {
    /// A table with these headers, or with none.
    pub(crate) fn new(headers: Option<&[&str]>) -> Self {
        let mut table = Self { text: String::new() };
        if let Some(headers) = headers {
            table.row(headers);
        }
        table
    }

    /// Adds a row. A tab or a line break in a cell would end the cell, so it becomes a space.
    pub(crate) fn row<T: AsRef<str>>(&mut self, cells: &[T]) {
        let clean = |cell: &T| cell.as_ref().replace(['\t', '\n', '\r'], " ");
        self.text.push_str(&cells.iter().map(clean).collect::<Vec<_>>().join("\t"));
        self.text.push('\n');
    }

    /// The aligned text.
    pub(crate) fn render(&self) -> String {
        align(&self.text, COLUMNS)
    }
}
