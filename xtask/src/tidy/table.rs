//! Tables in documents: `| one | two |`.

/// The cells of a row; nothing for other text.
pub(super) fn cells(line: &str) -> Option<Vec<&str>> {
    Some(line.strip_prefix('|')?.trim_end().strip_suffix('|')?.split('|').map(str::trim).collect())
}

/// Whether this is the line under a table's head.
pub(super) fn is_rule(cells: &[&str]) -> bool {
    cells.iter().all(|cell| cell.trim_matches(['-', ':']).is_empty())
}
