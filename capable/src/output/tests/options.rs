use clap::CommandFactory;

use super::{Cli, options};
use crate::output::{RowFormat, Terminal, columns::ColumnError, options::OutputError};

fn error(arguments: &str) -> OutputError {
    options(arguments)
        .validate(&Terminal::default())
        .unwrap_err()
}

#[test]
fn the_options_are_sound() {
    Cli::command().debug_assert();
}

#[test]
fn options_that_do_not_work_together_are_errors_that_say_what_would() {
    assert_eq!(
        error("--columns pid,nam"),
        OutputError::Column(ColumnError::Unknown {
            given: "nam".into(),
            nearest: Some("name")
        })
    );
    assert_eq!(
        error("-o folded --columns pid"),
        OutputError::ColumnsOfFolded
    );
    assert_eq!(error("-o json --time relative"), OutputError::TimeOfJson);
    options("-o json --time iso")
        .validate(&Terminal::default())
        .unwrap();
}

#[test]
fn folded_can_be_asked_for_in_two_ways() {
    assert_eq!(options("--folded").format(), RowFormat::Folded);
    assert_eq!(options("-o folded").format(), RowFormat::Folded);
    assert_eq!(options("").format(), RowFormat::Table);
}

#[test]
fn help_of_the_columns_is_not_a_column() {
    assert!(options("--columns help").columns_help().is_some());
    assert!(options("--columns pid").columns_help().is_none());
}
