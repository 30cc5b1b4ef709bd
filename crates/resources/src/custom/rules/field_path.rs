//! The field that a rule's error is told of: `.spec.replicas`, `.labels['a']` (upstream: apiextensions-apiserver,
//! `ValidFieldPath`).

use super::{item, other};
use crate::custom::types::JSONSchemaProps;

/// The path as errors have it.
///
/// # Errors
/// When the schema has no such field.
pub(crate) fn normalize(path: &str, schema: &JSONSchemaProps) -> Result<String, String> {
    let mut normal = String::new();
    let mut schema = schema;
    let mut rest = path;
    while !rest.is_empty() {
        let name;
        (name, rest) = step(rest)?;
        let named = schema.properties.as_ref().filter(|properties| !properties.is_empty());
        match (named, other(schema)) {
            (Some(properties), _) => {
                schema = properties.get(&name).ok_or("does not refer to a valid field")?;
                if !normal.is_empty() {
                    normal.push('.');
                }
                normal.push_str(&name);
            }
            (None, Some(values)) => {
                schema = values;
                normal.push_str(&format!("[{name}]"));
            }
            (None, None) => return Err("does not refer to a valid field".into()),
        }
        // Items of a list have no names.
        if item(schema).is_some() && !rest.is_empty() {
            return Err("does not refer to a valid field".into());
        }
    }
    Ok(normal)
}

/// The first name of a path, and what follows it.
fn step(path: &str) -> Result<(String, &str), String> {
    if let Some(after) = path.strip_prefix('.') {
        let end = after.find(['.', '[', ']']).unwrap_or(after.len());
        return match after.split_at(end) {
            ("", _) => Err("unexpected end of JSON path".into()),
            (name, rest) => Ok((name.to_owned(), rest)),
        };
    }
    let Some(after) = path.strip_prefix('[') else { return Err(format!("expected [ or . but got: {path}")) };
    let Some(quoted) = after.strip_prefix('\'') else {
        return Err(format!("expected single quoted string but got {after}"));
    };
    let mut name = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '\'' => {
                let rest = quoted[at + 1..].strip_prefix(']').ok_or("expected ]")?;
                return Ok((name, rest));
            }
            '\\' => match chars.next().map(|(_, char)| char) {
                Some('n') => name.push('\n'),
                Some('r') => name.push('\r'),
                Some('t') => name.push('\t'),
                Some(char @ ('\\' | '\'')) => name.push(char),
                _ => return Err("invalid string literal: invalid escape char".into()),
            },
            char => name.push(char),
        }
    }
    Err("unexpected end of JSON path".into())
}
