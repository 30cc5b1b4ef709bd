//! Name templates: the part of Go's template language that hosts and container names use.

use std::{collections::BTreeMap, fmt, str::FromStr};

/// What a template may name.
#[derive(Clone, Copy, Debug, Default)]
pub struct TemplateValues<'a> {
    /// `{{.Name}}`
    pub name: &'a str,
    /// `{{.Namespace}}`
    pub namespace: &'a str,
    /// `{{.Domain}}`
    pub domain: &'a str,
    /// `{{.Tag}}`
    pub tag: &'a str,
    /// `{{index .Labels "key"}}`
    pub labels: Option<&'a BTreeMap<String, String>>,
    /// `{{index .Annotations "key"}}`
    pub annotations: Option<&'a BTreeMap<String, String>>,
}

/// A template that has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Name,
    Namespace,
    Domain,
    Tag,
    Label(String),
    Annotation(String),
}

/// A template that Ebb does not understand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the template `{template}` has `{action}`, which {why}")]
pub struct TemplateError {
    /// The whole template.
    pub template: String,
    /// The action that is wrong.
    pub action: String,
    /// Why, as the end of a sentence.
    pub why: String,
}

/// What Ebb understands, for error messages.
const ACTIONS: &str = "is not one of {{.Name}}, {{.Namespace}}, {{.Domain}}, {{.Tag}}, {{index .Labels \"key\"}} and \
    {{index .Annotations \"key\"}}";

impl Template {
    /// The template with values in place of its actions; a label or annotation that is not there is empty.
    pub fn render(&self, values: &TemplateValues<'_>) -> String {
        fn of<'a>(map: Option<&'a BTreeMap<String, String>>, key: &str) -> &'a str {
            map.and_then(|map| map.get(key)).map_or("", String::as_str)
        }
        let mut text = String::with_capacity(self.text.len());
        for part in &self.parts {
            text.push_str(match part {
                Part::Text(text) => text,
                Part::Name => values.name,
                Part::Namespace => values.namespace,
                Part::Domain => values.domain,
                Part::Tag => values.tag,
                Part::Label(key) => of(values.labels, key),
                Part::Annotation(key) => of(values.annotations, key),
            });
        }
        text
    }

    /// The template as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn has(&self, part: &Part) -> bool {
        self.parts.contains(part)
    }

    /// Whether the template names the domain, which a template of a name alone cannot know.
    pub(crate) fn names_domain(&self) -> bool {
        self.has(&Part::Domain)
    }

    /// Whether the template names the tag.
    pub(crate) fn names_tag(&self) -> bool {
        self.has(&Part::Tag)
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(template: &str) -> Result<Self, TemplateError> {
        let wrong = |action: &str, why: &str| TemplateError {
            template: template.to_owned(),
            action: action.to_owned(),
            why: why.to_owned(),
        };
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some((text, after)) = rest.split_once("{{") {
            if !text.is_empty() {
                parts.push(Part::Text(text.to_owned()));
            }
            let (action, after) =
                after.split_once("}}").ok_or_else(|| wrong("{{", "is never closed by }}"))?;
            let part = parse(action.trim()).ok_or_else(|| wrong(&format!("{{{{{action}}}}}"), ACTIONS))?;
            parts.push(part);
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { text: template.to_owned(), parts })
    }
}

fn parse(action: &str) -> Option<Part> {
    match action {
        ".Name" => return Some(Part::Name),
        ".Namespace" => return Some(Part::Namespace),
        ".Domain" => return Some(Part::Domain),
        ".Tag" => return Some(Part::Tag),
        _ => {}
    }
    let (map, key) = action.strip_prefix("index")?.trim_start().split_once(char::is_whitespace)?;
    let key = key.trim();
    let key = key
        .strip_prefix('"')
        .and_then(|key| key.strip_suffix('"'))
        .or_else(|| key.strip_prefix('`').and_then(|key| key.strip_suffix('`')))?;
    if key.contains(['"', '\\', '`']) {
        return None;
    }
    match map {
        ".Labels" => Some(Part::Label(key.to_owned())),
        ".Annotations" => Some(Part::Annotation(key.to_owned())),
        _ => None,
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
