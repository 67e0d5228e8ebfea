//! The table of rooms in ARCHITECTURE.md.

use std::path::Path;

/// The heading that the table stands below.
const HEADING: &str = "## Rooms\n";

/// A row of the table.
#[derive(Debug)]
pub struct Room {
    /// A file of `capable/src`, or a folder and a slash.
    pub name: String,
    /// The rooms that it uses; `None` where these are all above it.
    pub uses: Option<Vec<String>>,
}

impl Room {
    /// Whether its files may use those of another.
    pub fn may_use(&self, other: &str, is_above: bool) -> bool {
        match &self.uses {
            None => is_above,
            Some(uses) => uses.iter().any(|name| name == other),
        }
    }
}

/// Reads the table.
pub fn read(document: &str) -> Vec<Room> {
    let (_, section) = document
        .split_once(HEADING)
        .expect("ARCHITECTURE.md has a section on rooms");
    section
        .lines()
        .skip_while(|line| !line.starts_with("| `"))
        .take_while(|line| line.starts_with("| `"))
        .map(row)
        .collect()
}

fn row(line: &str) -> Room {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let &[name, _holds, uses] = &cells[..] else {
        panic!("a row of rooms has three cells: {line}");
    };
    let uses = match uses {
        "all above" => None,
        "nothing" => Some(Vec::new()),
        names => Some(names.split(", ").map(unquoted).collect()),
    };
    Room {
        name: unquoted(name),
        uses,
    }
}

fn unquoted(name: &str) -> String {
    let inside = name
        .strip_prefix('`')
        .and_then(|name| name.strip_suffix('`'));
    inside
        .unwrap_or_else(|| panic!("{name} is not in backticks"))
        .to_owned()
}

/// The row of the room that a file is in.
pub fn room_of(rooms: &[Room], file: &Path) -> Option<usize> {
    let file = file.to_str()?;
    rooms.iter().position(|room| {
        file == room.name || (room.name.ends_with('/') && file.starts_with(&room.name))
    })
}
