//! The simple JSON paths of printer columns and subresources (upstream: client-go, `util/jsonpath`): fields, indexes
//! and filters by equality, as `.status.conditions[?(@.type=="Ready")].status`.

use serde_json::Value;

/// A path into an object, read once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPath(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Field(String),
    /// From the end, where negative.
    Index(i64),
    All,
    /// Items whose value at the path is this one.
    Filter {
        path: Vec<String>,
        equal: bool,
        text: String,
    },
}

impl JsonPath {
    /// Reads a path, which begins with a dot.
    ///
    /// # Errors
    /// A sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (step, after) = match rest.as_bytes()[0] {
                b'.' => field(&rest[1..])?,
                b'[' => bracket(&rest[1..])?,
                _ => return Err(format!("{text:?} is not a path: it should go on with . or [ at {rest:?}")),
            };
            steps.extend(step);
            rest = after;
        }
        Ok(Self(steps))
    }

    /// The first value that the path leads to.
    pub fn find<'a>(&self, object: &'a Value) -> Option<&'a Value> {
        walk(object, &self.0)
    }

    /// The names of the fields, where the path is made of nothing else.
    pub fn fields(&self) -> Option<Vec<&str>> {
        self.0
            .iter()
            .map(|step| match step {
                Step::Field(name) => Some(name.as_str()),
                _ => None,
            })
            .collect()
    }
}

fn walk<'a>(value: &'a Value, steps: &[Step]) -> Option<&'a Value> {
    let Some((step, rest)) = steps.split_first() else { return Some(value) };
    match step {
        Step::Field(name) => walk(value.get(name)?, rest),
        Step::Index(at) => {
            let items = value.as_array()?;
            let len = i64::try_from(items.len()).ok()?;
            let at = usize::try_from(if *at < 0 { len + at } else { *at }).ok()?;
            walk(items.get(at)?, rest)
        }
        Step::All => each(value).find_map(|item| walk(item, rest)),
        Step::Filter { path, equal, text } => each(value)
            .filter(|item| {
                let found = path.iter().try_fold(*item, |value, name| value.get(name));
                found.is_some_and(|found| (plain(found) == *text) == *equal)
            })
            .find_map(|item| walk(item, rest)),
    }
}

/// The items of a list, or the values of an object.
fn each(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(fields) => Box::new(fields.values()),
        _ => Box::new(std::iter::empty()),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

type Read<'a> = Result<(Option<Step>, &'a str), String>;

/// `name`, in which a backslash makes any character a part of it.
fn field(text: &str) -> Read<'_> {
    let mut name = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' => name.extend(chars.next().map(|(_, char)| char)),
            '.' | '[' => return Ok((some(name), &text[at..])),
            char => name.push(char),
        }
    }
    Ok((some(name), ""))
}

/// A dot before a bracket, or alone, is the object itself.
fn some(name: String) -> Option<Step> {
    match name.as_str() {
        "" => None,
        "*" => Some(Step::All),
        _ => Some(Step::Field(name)),
    }
}

/// `0]`, `*]`, `'name']` or `?(@.a=="b")]`.
fn bracket(text: &str) -> Read<'_> {
    let inside_end = |text: &str| {
        let mut quote = None;
        text.char_indices().find_map(|(at, char)| match (quote, char) {
            (None, ']') => Some(at),
            (None, '"' | '\'') => {
                quote = Some(char);
                None
            }
            (Some(open), char) if open == char => {
                quote = None;
                None
            }
            _ => None,
        })
    };
    let end = inside_end(text).ok_or_else(|| format!("unterminated array in [{text}"))?;
    let (inside, rest) = (text[..end].trim(), &text[end + 1..]);
    let step = if inside == "*" {
        Step::All
    } else if let Some(filter) = inside.strip_prefix("?(").and_then(|filter| filter.strip_suffix(')')) {
        self::filter(filter)?
    } else if let Some(name) = unquoted(inside) {
        Step::Field(unescaped(&name))
    } else {
        Step::Index(inside.parse().map_err(|_| format!("invalid array index {inside}"))?)
    };
    Ok((Some(step), rest))
}

fn filter(text: &str) -> Result<Step, String> {
    let (equal, (path, wanted)) = match (text.split_once("=="), text.split_once("!=")) {
        (Some(parts), _) => (true, parts),
        (None, Some(parts)) => (false, parts),
        (None, None) => return Err(format!("only == and != are understood in a filter: {text}")),
    };
    let path = path.trim().strip_prefix('@').ok_or_else(|| format!("a filter begins with @: {text}"))?;
    let path = path.split('.').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let wanted = wanted.trim();
    Ok(Step::Filter { path, equal, text: unquoted(wanted).unwrap_or_else(|| wanted.to_owned()) })
}

fn unquoted(text: &str) -> Option<String> {
    let inside = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inside('\'').or_else(|| inside('"')).map(str::to_owned)
}

/// A name without the backslashes that make any character a part of it.
fn unescaped(name: &str) -> String {
    let mut chars = name.chars();
    let next = || match chars.next() {
        Some('\\') => chars.next(),
        char => char,
    };
    std::iter::from_fn(next).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_to_values() {
        let object = json!({
            "spec": {"a.b": 1, "list": [{"n": "x"}, {"n": "y"}]},
            "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Live", "status": "False"}]},
        });
        let cases = [
            (".spec.list[1].n", json!("y")),
            (".spec.list[-1].n", json!("y")),
            (".spec.list[*].n", json!("x")),
            (".spec.a\\.b", json!(1)),
            (".spec['a.b']", json!(1)),
            (".spec['a\\.b']", json!(1)),
            (".status.conditions[?(@.type==\"Live\")].status", json!("False")),
            (".status.conditions[?(@.type!='Ready')].status", json!("False")),
            (".spec.nothing", Value::Null),
            (".spec.list[7]", Value::Null),
        ];
        for (path, expect) in cases {
            let found = JsonPath::parse(path).unwrap().find(&object).cloned();
            assert_eq!(found.unwrap_or_default(), expect, "{path}");
        }
        for wrong in ["spec", ".spec[", ".spec[x]", ".a[?(@.b<1)]"] {
            assert!(JsonPath::parse(wrong).is_err(), "{wrong}");
        }
    }
}
