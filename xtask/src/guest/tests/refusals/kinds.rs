//! The list of kinds, as `kinds.md` has it.

const LIST: &str = include_str!("kinds.md");

/// A kind of refusal.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// A bash script that makes what it needs, as root.
    pub prepare: &'static str,
    /// The options of `capable why`.
    pub options: &'static str,
    /// A bash script: what the user does.
    pub command: &'static str,
    /// What must be said.
    pub says: Vec<&'static str>,
    /// What must not be said.
    pub never: Vec<&'static str>,
}

/// The kinds that a bare guest can try.
pub fn all() -> impl Iterator<Item = Kind> {
    LIST.split("\n## ")
        .skip(1)
        .filter(|entry| field(entry, "where:").is_some_and(|place| place.starts_with("guest")))
        .map(kind)
}

fn kind(entry: &'static str) -> Kind {
    Kind {
        name: entry.lines().next().unwrap_or_default(),
        prepare: script(entry, "prepare:"),
        options: field(entry, "options:").unwrap_or_default(),
        command: script(entry, "command:"),
        says: fragments(entry, "must contain:"),
        never: fragments(entry, "must not:"),
    }
}

/// What follows the name of a field, on its line.
fn field(entry: &'static str, name: &str) -> Option<&'static str> {
    let line = entry.lines().find(|line| line.starts_with(name))?;
    Some(line[name.len()..].trim())
}

/// The script in the block after a field; empty if there is none.
fn script(entry: &'static str, name: &str) -> &'static str {
    let start = format!("\n{name}\n```bash\n");
    let Some((_, rest)) = entry.split_once(&start) else {
        return "";
    };
    rest.split_once("\n```").map_or("", |(script, _)| script)
}

/// What is quoted in a field.
fn fragments(entry: &'static str, name: &str) -> Vec<&'static str> {
    let quoted = field(entry, name).unwrap_or_default().split('`');
    quoted.skip(1).step_by(2).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_kind_has_a_name_of_its_own_a_command_and_something_to_say() {
        let mut names = BTreeSet::new();
        for kind in all() {
            assert!(names.insert(kind.name), "{} is there twice", kind.name);
            assert!(!kind.command.is_empty(), "{} has no command", kind.name);
            assert!(!kind.says.is_empty(), "{} says nothing", kind.name);
        }
        assert!(names.len() > 40, "{}", names.len());
    }

    #[test]
    fn each_kind_that_is_right_is_in_the_list() {
        let names: Vec<_> = all().map(|kind| kind.name).collect();
        for name in super::super::RIGHT {
            assert!(names.contains(name), "{name}");
        }
    }
}
