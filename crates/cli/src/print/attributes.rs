//! `Label:  value` lines with nested ones, as `describe` prints them.

use super::tabs::{Columns, align};

const COLUMNS: Columns = Columns { width_min: 0, padding: 2 };

/// Collects lines; [`Attributes::end_section`] aligns what came since the last one.
#[derive(Debug, Default)]
pub(crate) struct Attributes {
    done: String,
    open: String,
}

/// Where a line begins: indented by two spaces per level, or in a later column.
#[derive(Clone, Debug, Default)]
pub(crate) struct Indent(String);

impl Indent {
    /// Two spaces deeper.
    pub(crate) fn nested(&self) -> Self {
        Self(format!("{}  ", self.0))
    }

    /// One column further to the right.
    pub(crate) fn column(&self) -> Self {
        Self(format!("{}\t", self.0))
    }
}

impl Attributes {
    /// `Label:  value` at the left edge.
    pub(crate) fn add(&mut self, label: &str, value: &str) {
        self.add_at(&Indent::default(), label, value);
    }

    /// `Label:  value` at an indent.
    pub(crate) fn add_at(&mut self, indent: &Indent, label: &str, value: &str) {
        self.cells(indent, &[&format!("{label}:"), value]);
    }

    /// A line of cells.
    pub(crate) fn cells(&mut self, indent: &Indent, cells: &[&str]) {
        // A value of several lines, such as a message, stays in its cell.
        let clean = |cell: &&str| cell.replace(['\t', '\n', '\r'], " ");
        self.open.push_str(&indent.0);
        self.open.push_str(&cells.iter().map(clean).collect::<Vec<_>>().join("\t"));
        self.open.push('\n');
    }

    /// An empty line.
    pub(crate) fn blank(&mut self) {
        self.open.push('\n');
    }

    /// Later lines form columns of their own.
    pub(crate) fn end_section(&mut self) {
        self.done.push_str(&align(&self.open, COLUMNS));
        self.open.clear();
    }

    /// The aligned text.
    pub(crate) fn finish(mut self) -> String {
        self.end_section();
        self.done
    }
}
