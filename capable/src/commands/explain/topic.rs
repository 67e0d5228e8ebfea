//! Topics: rules that are about no single capability, half a page each.
//!
//! A topic is a file below `topics/`: a title, and sections of paragraphs, lists and lines that are
//! shown as they are. The facts are from security/commoncap.c, kernel/user_namespace.c and
//! fs/exec.c of Linux 5.10 to 7.3, and from capabilities(7), credentials(7) and
//! user_namespaces(7).

use serde::Serialize;

use super::layout::wrap;

/// Every topic, in the order in which a reader who knows none of them would want them.
pub(in crate::commands) static TOPICS: [(&str, &str); 10] = [
    ("sets", include_str!("topics/sets.md")),
    ("execve", include_str!("topics/execve.md")),
    ("setuid", include_str!("topics/setuid.md")),
    ("ambient", include_str!("topics/ambient.md")),
    ("inheritable", include_str!("topics/inheritable.md")),
    ("bounding", include_str!("topics/bounding.md")),
    ("no_new_privs", include_str!("topics/no_new_privs.md")),
    ("securebits", include_str!("topics/securebits.md")),
    (
        "file-capabilities",
        include_str!("topics/file-capabilities.md"),
    ),
    ("user-namespaces", include_str!("topics/user-namespaces.md")),
];

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Topic {
    /// One line of JSON has it as the others have theirs.
    kind: &'static str,
    name: &'static str,
    title: &'static str,
    sections: Vec<Section>,
}

/// A part of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Section {
    /// `None` for what stands before the first heading.
    heading: Option<&'static str>,
    /// Paragraphs, lists and indented lines, with empty lines between them.
    text: &'static str,
}

impl Topic {
    /// The topic of this name, whichever way its words are joined.
    pub fn named(name: &str) -> Option<Self> {
        let plain = |name: &str| name.to_ascii_lowercase().replace('-', "_");
        let wanted = plain(name);
        let (name, text) = TOPICS.iter().find(|(name, _)| plain(name) == wanted)?;
        Some(Self::parse(name, text))
    }

    fn parse(name: &'static str, text: &'static str) -> Self {
        let (title, text) = text.split_once('\n').unwrap_or((text, ""));
        let mut sections = Vec::new();
        for (index, part) in text.split("\n## ").enumerate() {
            let (heading, text) = match part.split_once('\n') {
                Some((heading, text)) if index > 0 => (Some(heading), text),
                _ => (None, part),
            };
            sections.push(Section {
                heading,
                text: text.trim_matches('\n'),
            });
        }
        Self {
            kind: "topic",
            name,
            title: title.trim_start_matches("# "),
            sections,
        }
    }

    /// The topic for a terminal.
    pub fn paragraphs(&self, columns: usize) -> String {
        let title = format!("{}: {}", self.name, self.title);
        let mut page = wrap(&title, columns, "", "  ");
        for section in &self.sections {
            page.push('\n');
            if let Some(heading) = section.heading {
                page.push_str(heading);
                page.push('\n');
            }
            page.push_str(&section.paragraphs(columns));
        }
        page
    }
}

impl Section {
    fn paragraphs(&self, columns: usize) -> String {
        let mut page = String::new();
        for (index, block) in self.text.split("\n\n").enumerate() {
            if index > 0 {
                page.push('\n');
            }
            for line in block.lines() {
                page.push_str(&match (line.strip_prefix("- "), line.starts_with(' ')) {
                    (Some(item), _) => wrap(item, columns, "  - ", "    "),
                    (None, true) => format!("{line}\n"),
                    (None, false) => wrap(line, columns, "  ", "  "),
                });
            }
        }
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::Capability;

    #[test]
    fn every_topic_has_a_title_an_algorithm_and_further_reading_within_80_columns() {
        for (name, text) in TOPICS {
            let topic = Topic::parse(name, text);
            assert!(!topic.title.is_empty() && !topic.title.ends_with('.'));
            assert_eq!(topic.sections[0].heading, None, "{name}");
            assert!(topic.sections.iter().all(|part| !part.text.is_empty()));
            let last = topic.sections.last().and_then(|part| part.heading);
            assert_eq!(last, Some("See"), "{name}");
            assert!(text.contains("\n    "), "{name}: no algorithm");
            let page = topic.paragraphs(80);
            for line in page.lines() {
                assert!(line.len() <= 80 && line.is_ascii(), "{name}: {line}");
            }
            assert!((20..75).contains(&page.lines().count()), "{name}");
        }
    }

    #[test]
    fn a_topic_names_capabilities_and_topics_that_exist() {
        for (name, text) in TOPICS {
            for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
                if word.starts_with("CAP_") {
                    assert!(word.parse::<Capability>().is_ok(), "{name}: {word}");
                }
            }
            for (_, rest) in text
                .match_indices("`capable explain ")
                .map(|(at, it)| (at, &text[at + it.len()..]))
            {
                let other = rest.split('`').next().unwrap();
                let known = Topic::named(other).is_some() || other.contains('=') || other == "NAME";
                assert!(known, "{name}: {other}");
            }
        }
    }

    #[test]
    fn names_are_found_however_their_words_are_joined() {
        for name in ["no_new_privs", "no-new-privs", "NO_NEW_PRIVS"] {
            assert_eq!(Topic::named(name).unwrap().name, "no_new_privs");
        }
        assert_eq!(Topic::named("umask"), None);
    }

    #[test]
    fn lists_and_algorithms_keep_their_form() {
        let topic = Topic::parse(
            "t",
            "# A title\n\nProse.\n\n## Rules\n\n- one\n- two\n\n    a  b\n",
        );
        assert_eq!(
            topic.paragraphs(80),
            "t: A title\n\n  Prose.\n\nRules\n  - one\n  - two\n\n    a  b\n"
        );
    }
}
