//! One rule: where a field stands, and which of its values it is about.

use serde_json::Value;

/// What is said of some values of a field.
#[derive(Debug)]
pub(super) struct Rule {
    /// The field, `ports[*].hostPort`.
    pub(super) at: &'static str,
    pub(super) when: When,
    pub(super) what: &'static str,
}

/// Which values of a field a rule is about.
#[derive(Debug)]
pub(super) enum When {
    /// Any but nothing: neither false, 0 nor empty.
    Set,
    /// An explicit `false`.
    False,
    /// Words but these.
    Not(&'static [&'static str]),
    /// Objects with fields but these; each of them is named.
    Fields(&'static [&'static str]),
    /// Maps with keys but these; each of them is named.
    Keys(&'static [&'static str]),
}

/// Says of each value below `root`, which stands at `path`, what the rules have to say of it.
pub(super) fn check(rules: &[Rule], root: &Value, path: &str, say: &mut impl FnMut(String, &str)) {
    for rule in rules {
        let fields: Vec<&str> = rule.at.split('.').collect();
        walk(root, &fields, path.to_owned(), &mut |path, value| rule.check(path, value, say));
    }
}

/// All values that a path leads to.
fn walk(value: &Value, fields: &[&str], path: String, found: &mut impl FnMut(String, &Value)) {
    let Some((field, rest)) = fields.split_first() else { return found(path, value) };
    let name = field.trim_end_matches("[*]");
    let Some(value) = value.get(name) else { return };
    let path = format!("{path}.{name}");
    if name == *field {
        return walk(value, rest, path, found);
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        walk(item, rest, format!("{path}[{index}]"), found);
    }
}

impl Rule {
    fn check(&self, path: String, value: &Value, say: &mut impl FnMut(String, &str)) {
        let others = |known: &[&str]| {
            let fields = value.as_object().into_iter().flatten();
            let others = fields.map(|(name, _)| name.clone()).filter(|name| !known.contains(&name.as_str()));
            others.collect::<Vec<_>>()
        };
        match &self.when {
            When::Set if is_set(value) => say(path, self.what),
            When::False if *value == Value::Bool(false) => say(path, self.what),
            When::Not(words) if value.as_str().is_some_and(|word| !words.contains(&word)) => {
                say(path, self.what);
            }
            When::Fields(known) => {
                others(known).iter().for_each(|name| say(format!("{path}.{name}"), self.what));
            }
            When::Keys(known) => {
                others(known).iter().for_each(|name| say(format!("{path}[{name}]"), self.what));
            }
            When::Set | When::False | When::Not(_) => {}
        }
    }
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_i64() != Some(0),
        Value::String(text) => !text.is_empty(),
        // An object may say something by being there, as a hook does.
        Value::Array(items) => !items.is_empty(),
        Value::Object(_) => true,
    }
}
