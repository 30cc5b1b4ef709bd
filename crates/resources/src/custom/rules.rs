//! Rules of users' kinds (`x-kubernetes-validations`), compiled once and run on every write (upstream:
//! apiextensions-apiserver, `schema/cel`).
//!
//! ```text
//!   schema ─ declare ─► cel::Declared ─┐
//!   rules ─────────────────────────────┴─ compile ─► Ruled, a tree like the schema ─ run ─► FieldErrors
//! ```
//!
//! What all rules of an object may cost together is [`BUDGET`]; what one may is `cel`'s.

mod compile;
mod declare;
mod field_path;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use cel::Declared;

use super::{
    Patterns,
    types::{JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool},
};

pub(crate) use self::{
    compile::{Compiled, compile},
    declare::declare,
    field_path::normalize,
};
pub use self::{declare::BODY_BYTES_MAX, run::Outcome};

/// What all rules of one object may cost together, in upstream's units (upstream: apiserver,
/// `RuntimeCELCostBudget`).
pub(crate) const BUDGET: u64 = 10_000_000;

/// The rules of a place in an object, and of all places below it.
#[derive(Debug)]
pub struct Ruled {
    declared: Declared,
    rules: Vec<Compiled>,
    /// The type as schemas name it, which messages show.
    form: String,
    items: Option<Box<Ruled>>,
    /// The fields by which items are the same as before.
    keys: Option<Vec<String>>,
    properties: BTreeMap<String, Ruled>,
    others: Option<Box<Ruled>>,
    all_of: Vec<Ruled>,
}

impl Ruled {
    /// The rules of a version of a kind; `None` where there are none. `patterns`: those of the definition.
    pub fn new(schema: &JSONSchemaProps, patterns: &mut Patterns) -> Option<Self> {
        if !has_rules(schema) {
            return None;
        }
        Self::of(schema, schema, declare(schema, "selfType", true)?, patterns)
    }

    /// Those of a field that has a name here.
    pub(crate) fn property(&self, name: &str) -> Option<&Self> {
        self.properties.get(name)
    }

    /// Those of fields that have no name here.
    pub(crate) fn other(&self) -> Option<&Self> {
        self.others.as_deref()
    }

    /// Those of a list's items.
    pub(crate) fn item(&self) -> Option<&Self> {
        self.items.as_deref()
    }

    /// `schema`: what has the rules, which may be a part of `allOf`; `node`: what says of what type things are.
    fn of(
        schema: &JSONSchemaProps,
        node: &JSONSchemaProps,
        declared: Declared,
        patterns: &mut Patterns,
    ) -> Option<Self> {
        let rules = schema.x_kubernetes_validations.as_deref().unwrap_or_default();
        let rules: Vec<Compiled> =
            rules.iter().map(|rule| compile(rule, node, &declared, patterns)).collect();
        let mut below = |schema: &JSONSchemaProps, node: &JSONSchemaProps| {
            Self::of(schema, node, declared.items()?.clone(), patterns).map(Box::new)
        };
        let items = match (item(schema), item(node)) {
            (Some(schema), Some(node)) => below(schema, node),
            _ => None,
        };
        let others = match (other(schema), other(node)) {
            (Some(schema), Some(node)) => below(schema, node),
            _ => None,
        };
        let mut properties = BTreeMap::new();
        for (name, schema) in schema.properties.iter().flatten() {
            let Some(node) = node.properties.as_ref().and_then(|properties| properties.get(name)) else {
                continue;
            };
            let root = node.x_kubernetes_embedded_resource == Some(true);
            let declared = match cel::escape(name) {
                Some(escaped) => declared.field(&escaped).cloned(),
                // Nothing can name it, but it can have rules of its own.
                None => declare(node, "selfType", root),
            };
            if let Some(ruled) = declared.and_then(|declared| Self::of(schema, node, declared, patterns)) {
                properties.insert(name.clone(), ruled);
            }
        }
        let all_of = schema.all_of.iter().flatten();
        let all_of: Vec<Self> =
            all_of.filter_map(|schema| Self::of(schema, node, declared.clone(), patterns)).collect();
        let nothing = rules.is_empty() && properties.is_empty() && all_of.is_empty();
        if nothing && items.is_none() && others.is_none() {
            return None;
        }
        let keys = match node.x_kubernetes_list_type.as_deref() {
            Some("map") => node.x_kubernetes_list_map_keys.clone(),
            _ => None,
        };
        let form = node.type_.clone().unwrap_or_default();
        Some(Self { declared, rules, form, items, keys, properties, others, all_of })
    }
}

fn item(schema: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    match &schema.items {
        Some(JSONSchemaPropsOrArray::Schema(items)) => Some(items),
        _ => None,
    }
}

fn other(schema: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    match &schema.additional_properties {
        Some(JSONSchemaPropsOrBool::Schema(others)) => Some(others),
        _ => None,
    }
}

fn has_rules(schema: &JSONSchemaProps) -> bool {
    let any = |schemas: &Option<Vec<JSONSchemaProps>>| schemas.iter().flatten().any(has_rules);
    schema.x_kubernetes_validations.as_ref().is_some_and(|rules| !rules.is_empty())
        || item(schema).is_some_and(has_rules)
        || other(schema).is_some_and(has_rules)
        || schema.properties.iter().flatten().any(|(_, schema)| has_rules(schema))
        || any(&schema.all_of)
}
