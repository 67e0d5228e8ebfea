//! Chooses the columns that a format shows.

use super::{COLUMNS, Column};
use crate::{
    escape::printable,
    output::{static_table, table_text},
};

/// The columns of a table if nothing else was asked for: 80 terminal columns.
pub const DEFAULT: &[&str] = &[
    "time", "uid", "pid", "comm", "cap", "name", "audit", "result",
];

/// What `--extra` adds.
pub const EXTRA: &[&str] = &[
    "tid",
    "ppid",
    "insetid",
    "syscall",
    "caller",
    "namespace",
    "cred",
];

/// The columns of `-o wide`: 200 terminal columns.
pub const WIDE: &[&str] = &[
    "time",
    "user",
    "pid",
    "tid",
    "ppid",
    "comm",
    "cap",
    "name",
    "audit",
    "insetid",
    "result",
    "errno",
    "syscall",
    "caller",
    "namespace",
    "cred",
    "unit",
    "container",
];

/// The list of columns is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ColumnError {
    /// There is no such column.
    #[error(
        "there is no column '{given}'{}; 'capable --columns help' lists them",
        nearest.map(|key| format!(", did you mean '{key}'?")).unwrap_or_default()
    )]
    Unknown {
        /// What was given.
        given: String,
        /// The key that looks most like it.
        nearest: Option<&'static str>,
    },
    /// A column is given twice.
    #[error("the column '{0}' is given twice")]
    Twice(&'static str),
}

/// The columns that the user named, by key or by field, in that order.
pub fn choose(names: &[String]) -> Result<Vec<&'static Column>, ColumnError> {
    let mut chosen: Vec<&'static Column> = Vec::with_capacity(names.len());
    for name in names {
        let column = find(name).ok_or_else(|| ColumnError::Unknown {
            given: printable(name.as_bytes()),
            nearest: nearest(name),
        })?;
        if chosen.iter().any(|other| other.key == column.key) {
            return Err(ColumnError::Twice(column.key));
        }
        chosen.push(column);
    }
    Ok(chosen)
}

/// The columns with these keys, which are built in.
pub fn by_keys(keys: &[&str]) -> Vec<&'static Column> {
    keys.iter().filter_map(|key| find(key)).collect()
}

/// What `--columns help` prints.
pub fn help() -> String {
    let rows = COLUMNS.iter().map(|column| {
        [
            column.key.to_owned(),
            column.field.to_owned(),
            column.description.to_owned(),
        ]
    });
    let table = static_table(["column", "json", "meaning"], rows);
    let mut text = table_text(&table);
    text.push_str(&format!(
        "\ndefault: {}\n-x adds: {}\nwide:    {}\n",
        DEFAULT.join(","),
        EXTRA.join(","),
        WIDE.join(",")
    ));
    text
}

/// A column by its key, its field or its name in CSV, in any case.
fn find(name: &str) -> Option<&'static Column> {
    let name = name.trim().to_ascii_lowercase();
    let key = COLUMNS.iter().find(|column| column.key == name);
    key.or_else(|| {
        COLUMNS
            .iter()
            .find(|column| column.field == name || column.field.replace('.', "_") == name)
    })
}

fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let alike = |column: &&'static Column| {
        let key = strsim::jaro_winkler(&name, column.key);
        key.max(strsim::jaro_winkler(&name, column.field))
    };
    COLUMNS
        .iter()
        .max_by(|a, b| alike(a).total_cmp(&alike(b)))
        .filter(|column| alike(column) > 0.7)
        .map(|column| column.key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str]) -> Result<Vec<&'static str>, ColumnError> {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        Ok(choose(&names)?.iter().map(|column| column.key).collect())
    }

    #[test]
    fn columns_are_found_by_header_by_field_and_by_csv_name() {
        assert_eq!(chosen(&["name", "PID"]), Ok(vec!["name", "pid"]));
        assert_eq!(
            chosen(&["syscall.number", "credentials_euid", "capability"]),
            Ok(vec!["sysno", "euid", "name"])
        );
    }

    #[test]
    fn a_column_that_does_not_exist_is_an_error_that_names_the_nearest() {
        let error = chosen(&["pid", "sycall"]).unwrap_err().to_string();
        assert_eq!(
            error,
            "there is no column 'sycall', did you mean 'syscall'?; 'capable --columns help' lists \
             them"
        );
        let error = chosen(&["\x1b[31m"]).unwrap_err().to_string();
        assert_eq!(
            error,
            r"there is no column '\x1b[31m'; 'capable --columns help' lists them"
        );
        assert_eq!(chosen(&["pid", "Pid"]), Err(ColumnError::Twice("pid")));
    }

    #[test]
    fn the_sets_of_columns_name_columns_that_exist() {
        for set in [DEFAULT, EXTRA, WIDE] {
            assert_eq!(by_keys(set).len(), set.len());
        }
    }

    #[test]
    fn the_help_names_every_column_and_says_what_it_holds() {
        let help = help();
        for column in COLUMNS {
            let line = help
                .lines()
                .find(|line| line.split_whitespace().next() == Some(column.key))
                .unwrap();
            assert!(line.contains(column.field), "{line}");
            assert!(line.contains(column.description), "{line}");
        }
    }
}
