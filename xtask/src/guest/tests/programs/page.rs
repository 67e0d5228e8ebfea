//! The table as the manual shows it.

use super::exceptions::survives;
use super::name;
use super::table::{PROGRAMS, Runs};

/// The lines of the manual between its two marks.
pub fn rows() -> String {
    let mut text = "| program | user | set |\n|---|---|---|\n".to_owned();
    let mut notes = Vec::new();
    for program in PROGRAMS {
        let user = match program.runs {
            Runs::Root => "root",
            Runs::RootThenNobody | Runs::Nobody => "nobody",
        };
        let set: Vec<String> = program
            .needs
            .iter()
            .map(|&capability| match survives(program.name, capability) {
                None => name(capability),
                Some(reason) => {
                    let known = notes.iter().position(|note| *note == reason);
                    let number = known.unwrap_or_else(|| {
                        notes.push(reason);
                        notes.len() - 1
                    });
                    format!("{} ({})", name(capability), number + 1)
                }
            })
            .collect();
        text += &format!("| {} | {user} | {} |\n", program.shown, set.join(", "));
    }
    for (number, note) in notes.iter().enumerate() {
        text += &format!("\n({}) {note}.\n", number + 1);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::rows;

    #[test]
    fn the_manual_shows_the_table() {
        let manual = crate::places::workspace().join("docs/manual.md");
        let manual = std::fs::read_to_string(manual).unwrap();
        let (_, rest) = manual.split_once("<!-- programs -->\n").unwrap();
        let (shown, _) = rest.split_once("<!-- end -->\n").unwrap();
        assert_eq!(shown, rows());
    }
}
