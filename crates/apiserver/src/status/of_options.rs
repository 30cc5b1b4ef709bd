//! Mistakes in a request's parameters.

use serde_json::{Value, json};

use super::Failure;

impl Failure {
    /// Options of a request that cannot be: of this kind of `meta.k8s.io`, a field, and a sentence that begins with the
    /// class of the mistake.
    pub(crate) fn options(kind: &str, mistakes: &[(&str, String)]) -> Self {
        Self::mistakes("meta.k8s.io", kind, "", mistakes)
    }

    /// As [`Self::options`], for a request about an object of this name.
    pub(crate) fn options_of(name: &str, kind: &str, mistakes: &[(&str, String)]) -> Self {
        Self::mistakes("", kind, name, mistakes)
    }

    /// An object that breaks rules, of a kind that is none of its own here.
    pub(crate) fn invalid(group: &str, kind: &str, name: &str, mistakes: &[(&str, String)]) -> Self {
        Self::mistakes(group, kind, name, mistakes)
    }

    fn mistakes(group: &str, kind: &str, name: &str, mistakes: &[(&str, String)]) -> Self {
        let sentences: Vec<String> = mistakes.iter().map(|(field, why)| format!("{field}: {why}")).collect();
        let list = match sentences.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let causes = mistakes.iter().map(|(field, why)| {
            let reason = match why.split_once(':') {
                Some(("Forbidden", _)) => "FieldValueForbidden",
                Some(("Required value", _)) => "FieldValueRequired",
                Some(("Too long", _)) => "FieldValueTooLong",
                Some(("Unsupported value", _)) => "FieldValueNotSupported",
                _ => "FieldValueInvalid",
            };
            json!({"reason": reason, "message": why, "field": field})
        });
        let mut details = json!({"kind": kind, "causes": causes.collect::<Value>()});
        for (field, value) in [("group", group), ("name", name)] {
            if !value.is_empty() {
                details[field] = json!(value);
            }
        }
        let dot = if group.is_empty() { "" } else { "." };
        let message = format!("{kind}{dot}{group} \"{name}\" is invalid: {list}");
        Self { details: Some(details), ..Self::unprocessable(message) }
    }
}
