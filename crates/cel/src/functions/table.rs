//! The table of functions (upstream: cel-go, `common/stdlib`, `ext`, `cel/library.go`; apiserver, `cel/library`).

mod kubernetes;
mod operators;
mod standard;
mod texts;

use super::{Price, Run};

/// A line of the table.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) price: Price,
    /// One on each line.
    pub(super) overloads: &'static str,
    pub(super) run: Run,
}

pub(super) fn all() -> impl Iterator<Item = Row> {
    let rows = [operators::ROWS, standard::ROWS, texts::ROWS, kubernetes::ROWS];
    rows.into_iter().flatten().map(|(name, price, overloads, run)| Row {
        name,
        price: *price,
        overloads,
        run: *run,
    })
}

/// What a line is written as.
type Line = (&'static str, Price, &'static str, Run);
