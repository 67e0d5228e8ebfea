//! Tables that are printed once, as a whole: `list`, `doctor`, summaries.

use comfy_table::{Cell, ContentArrangement, Table, presets::NOTHING};

use crate::escape::printable;

/// A table in the common style: plain, the header in upper case, two blanks between columns. Cells
/// are escaped, because they may contain names of files and tasks.
///
/// Fitted to the width of the terminal, if there is one; the caller may align columns.
pub fn static_table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Table {
    let mut table = Table::new();
    table
        .load_preset(NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header.map(|name| Cell::new(name.to_uppercase())));
    for row in rows {
        table.add_row(row.map(|cell| Cell::new(printable(cell.as_bytes()))));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

/// The text of a table, without trailing blanks.
pub fn table_text(table: &Table) -> String {
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_static_table_is_plain_and_safe_to_print() {
        let table = static_table(
            ["name", "file"],
            [["ping".to_owned(), "/bin/\x1b[31mping".to_owned()]],
        );
        assert_eq!(table_text(&table), "NAME  FILE\nping  /bin/\\x1b[31mping\n");
    }
}
