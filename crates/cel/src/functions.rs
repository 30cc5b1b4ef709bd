//! The functions that expressions can call: what they take, what they cost, what they do.

mod signature;
mod table;

use std::{collections::HashMap, fmt, sync::LazyLock};

use crate::{budget::Budget, eval::Answer, kind::Type, value::Value};

/// A function, with everything that it can be called with.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) price: Price,
    pub(crate) overloads: Vec<Overload>,
    /// Does it; the target comes first.
    pub(crate) run: Run,
}

pub(crate) type Run = for<'v> fn(&mut Budget, &[Value<'v>]) -> Answer<'v>;

/// One way to call a function.
#[derive(Debug)]
pub(crate) struct Overload {
    pub(crate) id: &'static str,
    pub(crate) member: bool,
    pub(crate) args: Vec<Type>,
    pub(crate) result: Type,
}

/// What a call costs (upstream: apiserver, `library/cost.go`; cel-go, `interpreter/runtimecost.go`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Price {
    /// Nothing beyond its arguments.
    Nothing,
    One,
    /// So much for each byte of the first argument, which may also be the size of the result.
    Scan(f64, Sized),
    /// Everything in the first argument.
    Walk,
    Join,
    /// A text against a pattern.
    Pattern,
    /// A text in a text.
    Contains,
    /// As much as the smaller of two.
    Compare,
    Add,
    In,
    /// A text against a format's pattern.
    Validate,
    /// A block of addresses against one or a block.
    Block,
}

/// What is known of the size of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sized {
    Unknown,
    /// That of the first argument at most.
    Same,
    /// Four times that.
    Bytes,
    /// A quarter of it up to all of it.
    Text,
    Quoted,
    Replaced,
    Split,
    /// The first argument that is not the target is what counts, before the call.
    Affix,
}

static FUNCTIONS: LazyLock<HashMap<&'static str, Function>> = LazyLock::new(|| {
    let rows = table::all();
    rows.map(|row| {
        let overloads = row.overloads.lines().map(str::trim).filter(|line| !line.is_empty());
        let overloads = overloads.map(signature::read).collect();
        (row.name, Function { name: row.name, price: row.price, overloads, run: row.run })
    })
    .collect()
});

/// The function of a name.
pub(crate) fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.get(name)
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_can_be_called_somehow() {
        assert!(FUNCTIONS.len() > 100, "{}", FUNCTIONS.len());
        for function in FUNCTIONS.values() {
            assert!(!function.overloads.is_empty(), "{function:?}");
        }
    }
}
