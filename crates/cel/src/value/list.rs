//! Lists.

use std::rc::Rc;

use serde_json::Value as Json;

use super::{Value, json};
use crate::{
    declared::{Declared, Lists},
    eval::{Answer, Failure},
};

/// A list.
#[derive(Clone, Debug)]
pub enum List<'v> {
    Json {
        items: &'v [Json],
        of: &'v Declared,
        lists: &'v Lists,
    },
    Own(Rc<Vec<Value<'v>>>),
    /// One after the other, so that to put them together takes no time.
    Joined(Rc<(List<'v>, List<'v>, usize)>),
}

impl<'v> List<'v> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Json { items, .. } => items.len(),
            Self::Own(items) => items.len(),
            Self::Joined(both) => both.2,
        }
    }

    pub(crate) fn joined(one: Self, other: Self) -> Self {
        match (one.len(), other.len()) {
            (0, _) => other,
            (_, 0) => one,
            (some, more) => Self::Joined(Rc::new((one, other, some.saturating_add(more)))),
        }
    }

    pub(crate) fn get(&self, mut at: usize) -> Answer<'v> {
        let mut list = self;
        loop {
            match list {
                Self::Json { items, of, .. } => {
                    let item = items.get(at);
                    return item.map_or_else(|| Err(out_of_bounds(at)), |item| json::read(item, of));
                }
                Self::Own(items) => return items.get(at).cloned().ok_or_else(|| out_of_bounds(at)),
                Self::Joined(both) => {
                    let first = both.0.len();
                    if at < first {
                        list = &both.0;
                    } else {
                        at -= first;
                        list = &both.1;
                    }
                }
            }
        }
    }

    pub(crate) fn items(&self) -> impl Iterator<Item = Answer<'v>> {
        (0..self.len()).map(|at| self.get(at))
    }

    pub(crate) fn lists(&self) -> &Lists {
        match self {
            Self::Json { lists, .. } => lists,
            _ => &Lists::Atomic,
        }
    }
}

pub(crate) fn out_of_bounds(at: impl std::fmt::Display) -> Failure {
    Failure::error(format!("index out of bounds: {at}"))
}
