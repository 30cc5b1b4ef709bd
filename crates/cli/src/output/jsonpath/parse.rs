//! Reads JSONPath templates.

use super::{Node, Step};

/// A whole template.
pub(super) fn template(text: &str) -> Result<Vec<Node>, String> {
    let mut rest = text;
    let (nodes, ended) = nodes(&mut rest)?;
    if ended { Err("`{end}` without `{range …}`".into()) } else { Ok(nodes) }
}

/// Nodes up to `{end}` or the end of the text, and which of the two it was.
fn nodes(rest: &mut &str) -> Result<(Vec<Node>, bool), String> {
    let mut nodes = Vec::new();
    while !rest.is_empty() {
        let Some(open) = rest.find('{') else {
            nodes.push(Node::Text(std::mem::take(rest).to_owned()));
            break;
        };
        if open > 0 {
            nodes.push(Node::Text(rest[..open].to_owned()));
        }
        let close =
            closing(&rest[open..]).ok_or_else(|| format!("`{{` is never closed in `{}`", &rest[open..]))?;
        let expression = rest[open + 1..open + close].trim();
        *rest = &rest[open + close + 1..];
        if expression == "end" {
            return Ok((nodes, true));
        }
        nodes.push(match expression.strip_prefix("range ") {
            Some(path) => {
                let steps = steps(path.trim())?;
                let (body, ended) = self::nodes(rest)?;
                if !ended {
                    return Err("`{range …}` without `{end}`".into());
                }
                Node::Range(steps, body)
            }
            None => self::expression(expression)?,
        });
    }
    Ok((nodes, false))
}

/// Where the brace that opens the text is closed, quotes aside.
fn closing(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(_), '\\') if !escaped => {
                escaped = true;
                continue;
            }
            (Some(open), c) if c == open && !escaped => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '}') => return Some(at),
            _ => {}
        }
        escaped = false;
    }
    None
}

fn expression(text: &str) -> Result<Node, String> {
    match text.strip_prefix(['"', '\'']) {
        Some(quoted) => Ok(Node::Text(unescape(&quoted[..quoted.len().saturating_sub(1)]))),
        None => Ok(Node::Path(steps(text)?)),
    }
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => plain.extend(chars.next().map(|escaped| match escaped {
                'n' => '\n',
                't' => '\t',
                other => other,
            })),
            other => plain.push(other),
        }
    }
    plain
}

/// A path: `.a.b[0]`, `@.a`, `$.a`.
fn steps(text: &str) -> Result<Vec<Step>, String> {
    let mut rest = text.strip_prefix(['$', '@']).unwrap_or(text);
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let close = bracket(inside).ok_or_else(|| format!("`[` is never closed in `{text}`"))?;
            steps.push(bracketed(&inside[..close])?);
            rest = &inside[close + 1..];
            continue;
        }
        let name = rest.strip_prefix('.').unwrap_or(rest);
        if name.starts_with('.') {
            return Err(format!("`..` is not supported in `{text}`"));
        }
        let end = name_end(name);
        match &name[..end] {
            "" => {}
            "*" => steps.push(Step::All),
            field => steps.push(Step::Field(field.replace("\\.", "."))),
        }
        rest = &name[end..];
    }
    Ok(steps)
}

/// The end of a field's name: the next dot that is not escaped, or a bracket.
fn name_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '\\' => escaped = true,
            '.' if !escaped => return at,
            '[' => return at,
            _ => escaped = false,
        }
    }
    text.len()
}

/// The closing bracket, quotes aside.
fn bracket(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, ']') => return Some(at),
            _ => {}
        }
    }
    None
}

fn bracketed(text: &str) -> Result<Step, String> {
    let text = text.trim();
    if text == "*" {
        return Ok(Step::All);
    }
    if let Some(quoted) = quoted(text) {
        return Ok(Step::Field(quoted.to_owned()));
    }
    if let Some(filter) = text.strip_prefix("?(").and_then(|filter| filter.strip_suffix(')')) {
        let (path, wanted) = filter
            .split_once("==")
            .ok_or_else(|| format!("only `==` is supported in the filter `{filter}`"))?;
        let wanted = wanted.trim();
        return Ok(Step::Where(steps(path.trim())?, quoted(wanted).unwrap_or(wanted).to_owned()));
    }
    text.parse().map(Step::Index).map_err(|_| format!("`[{text}]` is not supported"))
}

fn quoted(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    text[1..].strip_suffix(quote)
}
