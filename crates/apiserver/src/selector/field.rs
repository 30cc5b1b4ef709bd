//! Field selectors: `metadata.name=x,status.phase!=Running`.

use resources::{Kind, names::dns::path_segment};

use super::fields;
use crate::store::{
    Key,
    pairs::{Pairs, value},
};

/// A conjunction of requirements; the empty one matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldSelector {
    requirements: Vec<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    field: String,
    value: String,
    equal: bool,
}

impl FieldSelector {
    /// Reads the query parameter.
    ///
    /// # Errors
    /// A sentence; also for a field that the kind does not let select by.
    pub(crate) fn parse(kind: &Kind, text: &str) -> Result<Self, String> {
        let mut selector = Self::read(text)?;
        for Requirement { field, .. } in &mut selector.requirements {
            if !is_known(kind, field) {
                return Err(not_known(kind, field));
            }
            *field = fields::stored_as(kind, std::mem::take(field));
        }
        Ok(selector)
    }

    /// As [`FieldSelector::parse`], of fields of any kind.
    fn read(text: &str) -> Result<Self, String> {
        let mut requirements = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let split = ["!=", "==", "="].iter().find_map(|symbol| Some((part.split_once(symbol)?, *symbol)));
            let Some(((field, value), symbol)) = split else {
                return Err(format!("invalid selector: '{text}'; can't understand '{part}'"));
            };
            requirements.push(Requirement {
                field: field.to_owned(),
                value: value.to_owned(),
                equal: symbol != "!=",
            });
        }
        Ok(Self { requirements })
    }

    /// The one name that is asked for, if it is one.
    pub(crate) fn name(&self) -> Option<&str> {
        self.requirements
            .iter()
            .find(|requirement| requirement.equal && requirement.field == "metadata.name")
            .map(|requirement| requirement.value.as_str())
    }

    /// The fields that are asked for beside name and namespace.
    pub(crate) fn others(&self) -> Vec<&str> {
        let fields = self.requirements.iter().map(|requirement| requirement.field.as_str());
        let mut others: Vec<_> =
            fields.filter(|field| !matches!(*field, "metadata.name" | "metadata.namespace")).collect();
        others.sort_unstable();
        others.dedup();
        others
    }

    pub(crate) fn matches(&self, key: &Key, fields: &Pairs) -> bool {
        self.requirements.iter().all(|requirement| {
            let found = match requirement.field.as_str() {
                "metadata.name" => key.name(),
                "metadata.namespace" => key.namespace(),
                field => value(fields, field).unwrap_or_default(),
            };
            (found == requirement.value) == requirement.equal
        })
    }
}

/// The one name that a selector of an unknown kind asks for, if it is one and can be one.
pub(crate) fn exact_name(text: &str) -> Option<String> {
    let selector = FieldSelector::read(text).ok()?;
    selector.name().filter(|name| path_segment(name).is_empty()).map(str::to_owned)
}

fn is_known(kind: &Kind, field: &str) -> bool {
    field == "metadata.name"
        || (field == "metadata.namespace" && kind.namespaced)
        || fields::names(kind).contains(&field)
}

fn not_known(kind: &Kind, field: &str) -> String {
    if fields::names(kind).is_empty() {
        format!("\"{field}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
    } else {
        format!("field label not supported: {field}")
    }
}
