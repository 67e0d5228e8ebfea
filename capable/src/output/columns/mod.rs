//! The columns: one table that defines everything about each of them.
//!
//! A column is found by the key that `--columns` takes or by its field in JSON. Tables, CSV, JSON
//! and the help are all made from this table, so a new column is one entry in it.

mod all;
mod choose;
mod values;

pub use all::COLUMNS;
pub use choose::{ColumnError, DEFAULT, EXTRA, WIDE, by_keys, choose, help};

use super::{Clock, Row, RowNeeds, value::Value};

/// How a cell is aligned in its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers, so that the digits line up.
    Right,
}

/// What a column shows in a table.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// The value.
    pub value: for<'a> fn(&'a Row<'_>) -> Value<'a>,
    /// Writes the value over the blanks of its column if that takes no more than a copy, and
    /// returns whether it did.
    pub put: fn(&Row<'_>, &mut [u8], Align, &mut Clock) -> bool,
}

/// One column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// What `--columns` calls it: the header in lower case.
    pub key: &'static str,
    /// The field in JSON: `group.name` if it is inside an object. In CSV it is `group_name`.
    pub field: &'static str,
    /// The header in a table.
    pub header: &'static str,
    /// What it holds, in one line.
    pub description: &'static str,
    /// Its width in a table, in terminal columns.
    pub width: u16,
    /// The smallest useful width: on a narrow terminal the column shrinks to it.
    pub least: u16,
    /// How its cells are aligned.
    pub align: Align,
    /// What rows must contain for it.
    pub needs: RowNeeds,
    /// Its value depends only on the capability, the result, the flags, users and groups (and what
    /// [`Row::names`] says of their names), the credentials, the namespaces and the cgroup's id, so
    /// it is the same for all checks that agree in these.
    pub by_kind: bool,
    /// The value for people.
    pub shown: Shown,
    /// The value for programs, in JSON and CSV.
    pub data: for<'a> fn(&'a Row<'_>) -> Value<'a>,
}

impl Column {
    /// The object and the name within it, for JSON; no object for a field of the row itself.
    pub fn path(&self) -> (Option<&'static str>, &'static str) {
        match self.field.split_once('.') {
            Some((group, name)) => (Some(group), name),
            None => (None, self.field),
        }
    }

    const fn text(
        key: &'static str,
        header: &'static str,
        width: u16,
        shown: Shown,
        description: &'static str,
    ) -> Self {
        Self {
            key,
            field: key,
            header,
            description,
            width,
            least: width,
            align: Align::Left,
            needs: RowNeeds::empty(),
            by_kind: false,
            shown,
            data: shown.value,
        }
    }

    const fn number(
        key: &'static str,
        header: &'static str,
        width: u16,
        shown: Shown,
        description: &'static str,
    ) -> Self {
        let mut column = Self::text(key, header, width, shown, description);
        column.align = Align::Right;
        column
    }

    const fn field(mut self, field: &'static str) -> Self {
        self.field = field;
        self
    }

    const fn least(mut self, least: u16) -> Self {
        self.least = least;
        self
    }

    const fn needs(mut self, needs: RowNeeds) -> Self {
        self.needs = needs;
        self
    }

    const fn by_kind(mut self) -> Self {
        self.by_kind = true;
        self
    }

    const fn data(mut self, data: for<'a> fn(&'a Row<'_>) -> Value<'a>) -> Self {
        self.data = data;
        self
    }
}
