//! The JSONPath templates of `kubectl -o jsonpath`: text with `{…}` expressions.
//!
//! Known: `{.a.b}`, `['a']`, `[0]`, `[-1]`, `[*]`, `[?(@.a=="v")]`, `{"text"}`, `{range …}{end}`. A path that selects
//! nothing prints nothing, as `--allow-missing-template-keys` (upstream's default) has it.

mod parse;

use serde_json::Value;

/// A parsed template.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct JsonPath(Vec<Node>);

/// A part of a template.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    /// Printed as it stands.
    Text(String),
    /// Everything the path selects, a space between.
    Path(Vec<Step>),
    /// The body once for everything the path selects.
    Range(Vec<Step>, Vec<Node>),
}

/// One step from values to values.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Field(String),
    /// From the end when negative.
    Index(i64),
    All,
    /// The elements whose field, by a path, is this text.
    Where(Vec<Step>, String),
}

impl JsonPath {
    /// Reads a template.
    pub(crate) fn parse(template: &str) -> Result<Self, String> {
        parse::template(template).map(Self)
    }

    /// What the template makes of a value.
    pub(crate) fn print(&self, value: &Value) -> String {
        let mut text = String::new();
        print(&self.0, value, &mut text);
        text
    }
}

fn print(nodes: &[Node], value: &Value, text: &mut String) {
    for node in nodes {
        match node {
            Node::Text(literal) => text.push_str(literal),
            Node::Path(steps) => {
                let shown: Vec<String> = select(steps, value).into_iter().map(show).collect();
                text.push_str(&shown.join(" "));
            }
            Node::Range(steps, body) => {
                select(steps, value).into_iter().for_each(|item| print(body, item, text))
            }
        }
    }
}

fn select<'a>(steps: &[Step], value: &'a Value) -> Vec<&'a Value> {
    steps
        .iter()
        .fold(vec![value], |values, step| values.into_iter().flat_map(|value| apply(step, value)).collect())
}

fn apply<'a>(step: &Step, value: &'a Value) -> Vec<&'a Value> {
    match (step, value) {
        (Step::Field(name), Value::Object(fields)) => fields.get(name).into_iter().collect(),
        (Step::Index(index), Value::Array(items)) => {
            let index = if *index < 0 { items.len() as i64 + index } else { *index };
            usize::try_from(index).ok().and_then(|index| items.get(index)).into_iter().collect()
        }
        (Step::All, Value::Array(items)) => items.iter().collect(),
        (Step::All, Value::Object(fields)) => fields.values().collect(),
        (Step::Where(path, wanted), Value::Array(items)) => items
            .iter()
            .filter(|item| select(path, item).into_iter().any(|found| show(found) == *wanted))
            .collect(),
        _ => Vec::new(),
    }
}

fn show(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
