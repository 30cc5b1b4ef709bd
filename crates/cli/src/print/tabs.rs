//! Elastic columns: a cell that ends in a tab is as wide as the widest of the cells right above and below it.
//!
//! The rules are those of Go's `text/tabwriter`, which upstream prints with: a column lives as long as consecutive
//! lines have it, and the last cell of a line belongs to none.

/// How wide cells become.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns {
    /// The least width of a cell, its padding included.
    pub(crate) width_min: usize,
    /// Spaces after the widest cell of a column.
    pub(crate) padding: usize,
}

/// Lines with tabs between their cells, aligned.
pub(crate) fn align(text: &str, columns: Columns) -> String {
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    let mut widths: Vec<Vec<usize>> = lines.iter().map(|cells| vec![0; cells.len() - 1]).collect();
    let columns_max = widths.iter().map(Vec::len).max().unwrap_or_default();
    for column in 0..columns_max {
        let mut line = 0;
        while line < lines.len() {
            let block = widths[line..].iter().take_while(|cells| cells.len() > column).count();
            if block == 0 {
                line += 1;
                continue;
            }
            let widest = lines[line..line + block].iter().map(|cells| length(cells[column])).max();
            let width = (widest.unwrap_or_default() + columns.padding).max(columns.width_min);
            widths[line..line + block].iter_mut().for_each(|cells| cells[column] = width);
            line += block;
        }
    }
    let mut aligned = String::with_capacity(text.len() * 2);
    for (cells, widths) in lines.iter().zip(&widths) {
        for (index, cell) in cells.iter().enumerate() {
            aligned.push_str(cell);
            let padding = widths.get(index).map_or(0, |width| width - length(cell));
            aligned.extend(std::iter::repeat_n(' ', padding));
        }
        aligned.push('\n');
    }
    aligned
}

fn length(cell: &str) -> usize {
    cell.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_ends_where_a_line_lacks_it() {
        let check = |text: &str, expect: &str| {
            assert_eq!(align(text, Columns { width_min: 0, padding: 2 }), expect);
        };
        check("", "");
        check("a\tb\n", "a  b\n");
        check("a\t\n", "a  \n");
        check("long\tb\nx\ty\n", "long  b\nx     y\n");
        check("long\tb\n\nx\ty\n", "long  b\n\nx  y\n");
        check("  1\thead\n  \tk:\tv\n  \tkey:\tw\n", "  1  head\n     k:    v\n     key:  w\n");
        check("∞\tb\nab\tc\n", "∞   b\nab  c\n");
    }

    #[test]
    fn cells_have_a_least_width() {
        assert_eq!(align("a\tb\n", Columns { width_min: 6, padding: 3 }), "a     b\n");
    }
}
