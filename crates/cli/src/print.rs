//! How objects look to people: aligned columns, attributes, ages, conditions.

mod age;
mod attributes;
mod conditions;
mod metadata;
mod table;
mod tabs;

pub(crate) use self::{
    age::{age, short_age},
    attributes::{Attributes, Indent},
    conditions::{condition_count, non_ready_reason, ready_status, write_conditions},
    metadata::{write_list, write_metadata},
    table::Table,
};
