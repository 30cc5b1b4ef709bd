//! What is wrong with an expression, shown where it is wrong (upstream: cel-go, `common/error.go`).

/// Something wrong at one place of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Issue {
    /// The place, in characters from the start.
    pub(crate) at: usize,
    pub(crate) message: String,
}

/// How many are told.
const ISSUES_MAX: usize = 100;
/// How long a line may be that is shown.
const LINE_BYTES_MAX: usize = 16_384;

impl Issue {
    pub(crate) fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }
}

/// All issues as one text, in the order of their places.
pub(crate) fn render(source: &str, mut issues: Vec<Issue>) -> String {
    issues.sort_by_key(|issue| issue.at);
    let more = issues.len().saturating_sub(ISSUES_MAX);
    let mut texts: Vec<String> = issues.iter().take(ISSUES_MAX).map(|issue| show(source, issue)).collect();
    if more > 0 {
        texts.push(format!("{more} more errors were truncated"));
    }
    texts.join("\n")
}

fn show(source: &str, issue: &Issue) -> String {
    let (mut row, mut column, mut begin) = (1, 0, 0);
    for (count, (at, char)) in source.char_indices().enumerate() {
        if count == issue.at {
            break;
        }
        column += 1;
        if char == '\n' {
            (row, column, begin) = (row + 1, 0, at + 1);
        }
    }
    let head = format!("ERROR: <input>:{row}:{}: {}", column + 1, issue.message);
    let line = source[begin..].split('\n').next().unwrap_or_default();
    if line.len() > LINE_BYTES_MAX {
        return head;
    }
    let line = line.replace('\t', " ");
    let mut chars = line.chars();
    let dots: String =
        chars.by_ref().take(column).map(|char| if char.len_utf8() > 1 { '\u{ff0e}' } else { '.' }).collect();
    let mark = if chars.next().is_some_and(|char| char.len_utf8() > 1) { '\u{ff3e}' } else { '^' };
    format!("{head}\n | {line}\n | {dots}{mark}")
}
