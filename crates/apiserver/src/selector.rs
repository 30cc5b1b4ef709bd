//! Label and field selectors, as lists, watches and bulk deletes carry them.

mod field;
pub(crate) mod fields;
mod label;

pub(crate) use self::{
    field::{FieldSelector, exact_name},
    label::LabelSelector,
};
