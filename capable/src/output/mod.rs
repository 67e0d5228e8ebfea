//! What the user sees: rows in one of several formats, one file per format.
//!
//! [`OutputOptions`] is what was typed, [`OutputConfig`](options::OutputConfig) what it means, and
//! a [`Sink`] takes the rows. A [`Row`] contains only what the sink's [`RowNeeds`] ask for, so a
//! column that is not shown costs nothing. A sink writes to the caller's buffer and allocates
//! nothing per row.

mod cell;
mod clock;
mod colour;
pub mod columns;
mod csv;
mod folded;
mod json;
mod layout;
mod needs;
mod numbers;
mod options;
mod row;
mod sink;
mod stacks;
mod static_table;
mod table;
mod templates;
#[cfg(test)]
mod tests;
mod value;

pub use clock::{Clock, TimeFormat};
pub use colour::ColorChoice;
pub use csv::{Csv, Formulas};
pub use folded::Folded;
pub use json::Json;
pub use needs::RowNeeds;
pub use options::{OutputOptions, RowFormat, Terminal};
pub use row::{ContainerRef, Frame, NamedStack, Row};
pub use sink::Sink;
pub use static_table::{static_table, table_text};
pub use table::Table;
