//! Just enough of Rust's lexical rules to tell code from comments and literals.

/// The text with comments and the insides of string and character literals blanked; lines stay where they are.
pub(super) fn code_only(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let token = token_length(rest, out.chars().next_back());
        match token {
            Some(length) => {
                out.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
                rest = &rest[length..];
            }
            None => {
                out.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    out
}

/// The length of the comment or literal that `text` begins with, if it does.
fn token_length(text: &str, before: Option<char>) -> Option<usize> {
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    match text.as_bytes() {
        [b'/', b'/', ..] => Some(text.find('\n').unwrap_or(text.len())),
        [b'/', b'*', ..] => Some(block_comment(text)),
        [b'"', ..] => Some(escaped(text, '"')),
        [b'r', b'"' | b'#', ..] if !in_word => raw_string(text, 1),
        [b'b' | b'c', b'r', b'"' | b'#', ..] if !in_word => raw_string(text, 2),
        [b'\'', ..] => character(text),
        _ => None,
    }
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        let (change, step) = match &text.as_bytes()[at..] {
            [b'/', b'*', ..] => (1, 2),
            [b'*', b'/', ..] => (-1, 2),
            _ => (0, 1),
        };
        depth += change;
        at += step;
        if depth == 0 {
            break;
        }
    }
    at
}

/// A literal that begins with its quote and ends with the next one that is not escaped.
fn escaped(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// `r"…"`, `r#"…"#` after a prefix; `r#name` is no string.
fn raw_string(text: &str, prefix: usize) -> Option<usize> {
    let hashes = text[prefix..].bytes().take_while(|byte| *byte == b'#').count();
    let inside = text[prefix + hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let start = text.len() - inside.len();
    Some(inside.find(&end).map_or(text.len(), |at| start + at + end.len()))
}

/// `'x'`, `'\n'`, `'\u{1F600}'`; `'a` alone is a lifetime.
fn character(text: &str) -> Option<usize> {
    let mut inside = text.char_indices().skip(1);
    match inside.next()?.1 {
        '\\' => Some(escaped(text, '\'')),
        _ => inside.next().filter(|(_, c)| *c == '\'').map(|(at, _)| at + 1),
    }
}

/// The lines, counted from 1, on which `word` stands as a word of its own.
pub(super) fn lines_with_word<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let has_word = move |line: &str| line.split(|c| !is_word(c)).any(|found| found == word);
    code.lines().enumerate().filter(move |(_, line)| has_word(line)).map(|(index, _)| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_is_left() {
        let check = |text: &str, expect: &[usize]| {
            let code = code_only(text);
            assert_eq!(code.lines().count(), text.lines().count(), "{text}");
            assert_eq!(lines_with_word(&code, "danger").collect::<Vec<_>>(), expect, "{text}\n{code}");
        };
        check("danger {\n}\nfn f() { danger }", &[1, 3]);
        check("#![deny(danger_code)]", &[]);
        check("// danger\n/// danger\n/* danger /* danger */\n danger */ danger", &[4]);
        check("\"danger\"; danger", &[1]);
        check("\"a \\\" danger \\\\\"; x", &[]);
        check("r\"danger\\\"; danger", &[1]);
        check("r#\"danger \" danger\"#; br##\"danger\"# danger\"##;", &[]);
        check("let r#type = 1; danger", &[1]);
        check("b\"danger\"; c\"danger\"; bar\"danger\"", &[]);
        check("'\"'; danger; '\"'", &[1]);
        check("'\\''; danger; '\\u{22}'; '\\\\'; danger", &[1]);
        check("fn f<'a>(x: &'a str) -> &'a str { danger }", &[1]);
        check("'ä'; danger; \"ä danger", &[1]);
    }
}
