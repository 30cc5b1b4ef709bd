//! Cells as a table that people and Markdown read.

const HEADER: [&str; 6] = ["what", "floor or peer", "ebb", "ratio", "budget", "met"];

pub(super) fn render(rows: impl Iterator<Item = [String; 6]>) -> String {
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return String::new();
    }
    let header = HEADER.map(str::to_owned);
    let width = |column: usize| {
        let cells = rows.iter().chain([&header]).map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: [usize; 6] = std::array::from_fn(width);
    let line = |row: &[String; 6]| {
        let cells: String =
            row.iter().zip(widths).map(|(cell, width)| format!(" {cell:<width$} |")).collect();
        format!("|{cells}\n")
    };
    let rule: String = widths.iter().map(|width| format!("{}|", "-".repeat(width + 2))).collect();
    let body: String = rows.iter().map(line).collect();
    format!("{}|{rule}\n{body}", line(&header))
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = ["a → b", "", "1.00 ms", "", "", ""].map(str::to_owned);
        let expect = "\
            | what  | floor or peer | ebb     | ratio | budget | met |\n\
            |-------|---------------|---------|-------|--------|-----|\n\
            | a → b |               | 1.00 ms |       |        |     |\n";
        assert_eq!(super::render([row].into_iter()), expect);
        assert_eq!(super::render(std::iter::empty()), "");
    }
}
