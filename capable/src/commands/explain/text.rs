//! The text form of three sets, as getcap(8), setcap(8) and capsh(1) write and read it:
//! `cap_net_raw=ep`, `=ep cap_sys_admin-ep` (cap_from_text(3)).

use thiserror::Error;

use super::layout::wrap;
use crate::capability::{Capability, CapabilitySet};

/// The three sets of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    /// `e`
    pub effective: CapabilitySet,
    /// `p`
    pub permitted: CapabilitySet,
    /// `i`
    pub inheritable: CapabilitySet,
}

/// Where a text is wrong, and how.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{why}")]
pub(super) struct BadText {
    /// How many bytes stand before the place.
    pub at: usize,
    /// How.
    pub why: String,
}

const OPERATORS: [char; 3] = ['=', '+', '-'];
const FLAGS: &str = "e (effective), i (inheritable) and p (permitted)";

impl Text {
    /// Whether somebody who wrote this meant such a text: there is an operator, and after `+` or `-`
    /// nothing but the letters of sets.
    pub fn is_meant(word: &str) -> bool {
        let flags = |rest: &str| rest.bytes().all(|byte| b"eip".contains(&byte));
        word.contains('=')
            || word.split_whitespace().any(|clause| {
                clause
                    .rsplit_once(['+', '-'])
                    .is_some_and(|(_, rest)| !rest.is_empty() && flags(rest))
            })
    }

    /// Reads clauses with blanks between them: names with commas between them, then operators, each
    /// with the letters of sets. They are carried out one after the other, beginning with empty sets.
    ///
    /// # Errors
    ///
    /// The place of the first mistake.
    pub fn parse(text: &str) -> Result<Self, BadText> {
        let mut sets = Self::default();
        let mut at = 0;
        for clause in text.split_inclusive(char::is_whitespace) {
            let stripped = clause.trim_end();
            if !stripped.is_empty() {
                sets.apply(stripped, at)?;
            }
            at += clause.len();
        }
        Ok(sets)
    }

    /// Carries out one clause that begins here.
    fn apply(&mut self, clause: &str, start: usize) -> Result<(), BadText> {
        let bad = |offset: usize, why: String| BadText {
            at: start + offset,
            why,
        };
        let Some(first) = clause.find(OPERATORS) else {
            let why = format!("an operator is missing: =, + or -, followed by {FLAGS}");
            return Err(bad(clause.len(), why));
        };
        let mut named = CapabilitySet::EMPTY;
        let mut offset = 0;
        for name in clause[..first].split(',') {
            match name {
                "" if first == 0 => named = CapabilitySet::ALL_NAMED,
                "" => return Err(bad(offset, "a name is missing".into())),
                "all" | "ALL" => named = CapabilitySet::ALL_NAMED,
                _ => {
                    let parsed = name.parse::<Capability>();
                    named.insert(parsed.map_err(|error| bad(offset, error.to_string()))?);
                }
            }
            offset += name.len() + 1;
        }
        if first == 0 && !clause.starts_with('=') {
            let why = "only = may stand without names, and means all of them";
            return Err(bad(0, why.into()));
        }
        let mut operator = '=';
        for (index, letter) in clause[first..].char_indices() {
            let offset = first + index;
            match letter {
                '=' if index > 0 => {
                    return Err(bad(offset, "= may only be the first operator".into()));
                }
                '=' => {
                    for set in [
                        &mut self.effective,
                        &mut self.permitted,
                        &mut self.inheritable,
                    ] {
                        *set = set.difference(named);
                    }
                }
                '+' | '-' => operator = letter,
                _ => {
                    let set = match letter {
                        'e' => &mut self.effective,
                        'i' => &mut self.inheritable,
                        'p' => &mut self.permitted,
                        _ => {
                            let why = format!("{letter:?} is no set; there are {FLAGS}");
                            return Err(bad(offset, why));
                        }
                    };
                    *set = match operator {
                        '-' => set.difference(named),
                        _ => set.union(named),
                    };
                }
            }
        }
        if operator != '=' && clause.ends_with(['+', '-']) {
            let why = format!("a set is missing: {FLAGS}");
            return Err(bad(clause.len(), why));
        }
        Ok(())
    }
}

/// What a text means, in sentences.
impl Text {
    /// As the capabilities of a file, as setcap(8) writes them.
    pub fn as_file(&self) -> Vec<String> {
        let Self {
            effective,
            permitted,
            inheritable,
        } = *self;
        let held = permitted.union(inheritable);
        if !effective.is_empty() && !effective.contains_all(held) {
            return vec![
                "setcap refuses this: a file has a single effective bit, so e must have all that p \
                 and i have, or nothing."
                    .into(),
            ];
        }
        let mut said = Vec::new();
        if held.is_empty() {
            said.push(
                "An empty attribute: it grants nothing to whoever executes the file. A \
                 set-user-ID-root file with it gives a user the id 0 and no capabilities."
                    .into(),
            );
        }
        if !permitted.is_empty() {
            said.push(format!(
                "Whoever executes the file gets {}, as far as the bounding set has it.",
                names(permitted)
            ));
        }
        if !inheritable.is_empty() {
            said.push(format!(
                "Of {}, whoever executes the file gets what their own inheritable set has too.",
                names(inheritable)
            ));
        }
        if !held.is_empty() && effective.is_empty() {
            said.push(
                "This is permitted, but not in effect until the program raises it by itself."
                    .into(),
            );
        } else if !held.is_empty() {
            said.push("This is in effect from the start.".into());
        }
        if !effective.is_empty() && !permitted.is_empty() {
            said.push("If the bounding set lacks one of p, execve fails with EPERM.".into());
        }
        said.push(
            "The ambient set is cleared. On a nosuid mount the attribute is ignored; with \
             no_new_privs nothing is gained that was not permitted before."
                .into(),
        );
        said
    }

    /// As the sets of a process, as capsh(1) prints them.
    pub fn as_process(&self) -> Vec<String> {
        let Self {
            effective,
            permitted,
            inheritable,
        } = *self;
        if !permitted.contains_all(effective) {
            return vec![format!(
                "No process can have this: {} is effective without being permitted.",
                names(effective.difference(permitted))
            )];
        }
        let mut said = vec![match effective.is_empty() {
            true => "Nothing is in effect.".to_owned(),
            false => format!("In effect: {}.", names(effective)),
        }];
        let idle = permitted.difference(effective);
        if !idle.is_empty() {
            said.push(format!(
                "To be raised at any time, without asking anybody: {}.",
                names(idle)
            ));
        }
        said.push(
            "After execve of an ordinary file, a user has what is in the ambient set, which such a \
             text does not show; root has what the bounding and the inheritable set have."
                .into(),
        );
        if !inheritable.is_empty() {
            said.push(format!(
                "Of {}, execve of a file gives what the file's inheritable set has.",
                names(inheritable)
            ));
        }
        said
    }

    /// The sets with their names.
    pub fn named(&self) -> [(&'static str, CapabilitySet); 3] {
        [
            ("effective", self.effective),
            ("permitted", self.permitted),
            ("inheritable", self.inheritable),
        ]
    }

    /// The page about a text.
    pub fn paragraphs(&self, given: &str, columns: usize) -> String {
        let title = format!("{given}: sets as getcap, setcap and capsh write them");
        let mut page = wrap(&title, columns, "", "  ");
        page.push('\n');
        for (name, set) in self.named() {
            let first = format!("  {name:<13}");
            page.push_str(&wrap(&names(set), columns, &first, "               "));
        }
        for (heading, sentences) in [
            ("As the capabilities of a file", self.as_file()),
            ("As the sets of a process", self.as_process()),
        ] {
            page.push('\n');
            page.push_str(heading);
            page.push('\n');
            for sentence in sentences {
                page.push_str(&wrap(&sentence, columns, "  - ", "    "));
            }
        }
        page
    }
}

/// The names in a set, in few words.
fn names(set: CapabilitySet) -> String {
    /// How many capabilities that are not in a set are named in place of those that are.
    const FEW: usize = 5;
    let rest = CapabilitySet::ALL_NAMED.difference(set);
    match rest.len() {
        0 => "all".into(),
        1..=FEW => format!("all but {}", listed(rest)),
        _ => listed(set),
    }
}

fn listed(set: CapabilitySet) -> String {
    set.to_string().replace(',', ", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sets(text: &str) -> (String, String, String) {
        let Text {
            effective,
            permitted,
            inheritable,
        } = Text::parse(text).unwrap();
        (
            effective.to_string(),
            permitted.to_string(),
            inheritable.to_string(),
        )
    }

    fn three(effective: &str, permitted: &str, inheritable: &str) -> (String, String, String) {
        (effective.into(), permitted.into(), inheritable.into())
    }

    #[test]
    fn what_getcap_and_capsh_print_is_read() {
        let raw = "CAP_NET_RAW";
        assert_eq!(sets("cap_net_raw=ep"), three(raw, raw, "none"));
        let both = "CAP_CHOWN,CAP_FOWNER";
        assert_eq!(sets("cap_chown,cap_fowner+ei"), three(both, "none", both));
        let text = Text::parse("=ep cap_sys_admin-ep").unwrap();
        let all_but =
            CapabilitySet::ALL_NAMED.difference(CapabilitySet::from(Capability::SYS_ADMIN));
        assert_eq!((text.effective, text.permitted), (all_but, all_but));
        assert_eq!(sets("="), three("none", "none", "none"));
        assert_eq!(
            sets("cap_kill=p+i cap_kill-p  cap_chown=e"),
            three("CAP_CHOWN", "none", "CAP_KILL")
        );
        assert_eq!(
            sets("cap_kill=eip cap_kill=p"),
            three("none", "CAP_KILL", "none")
        );
        assert_eq!(sets("13+e"), three(raw, "none", "none"));
    }

    #[test]
    fn an_error_names_the_place() {
        for (text, at, part) in [
            ("cap_net_raw=eq", 13, "'q' is no set"),
            ("cap_net_rwa=ep", 0, "did you mean CAP_NET_RAW?"),
            ("cap_kill,cap_chwon+ep", 9, "did you mean CAP_CHOWN?"),
            ("=ep cap_kill", 12, "an operator is missing"),
            ("+ep", 0, "only = may stand without names"),
            ("cap_kill,=ep", 9, "a name is missing"),
            ("cap_kill+", 9, "a set is missing"),
            ("cap_kill=e=p", 10, "= may only be the first operator"),
        ] {
            let error = Text::parse(text).unwrap_err();
            assert_eq!(error.at, at, "{text}");
            assert!(error.why.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn what_it_means_at_execve_is_said_in_sentences() {
        let file = |text: &str| Text::parse(text).unwrap().as_file().join("\n");
        assert_eq!(
            file("cap_net_raw=ep"),
            "Whoever executes the file gets CAP_NET_RAW, as far as the bounding set has it.\n\
             This is in effect from the start.\n\
             If the bounding set lacks one of p, execve fails with EPERM.\n\
             The ambient set is cleared. On a nosuid mount the attribute is ignored; with \
             no_new_privs nothing is gained that was not permitted before."
        );
        let lax = file("cap_net_raw+p");
        assert!(
            lax.contains("not in effect until the program raises it by itself"),
            "{lax}"
        );
        assert!(!lax.contains("EPERM"), "{lax}");
        assert!(file("=").starts_with("An empty attribute: "));
        let inherited = file("cap_chown,cap_fowner+ei");
        let start = "Of CAP_CHOWN, CAP_FOWNER, whoever executes the file gets what their own";
        assert!(inherited.starts_with(start), "{inherited}");
        assert!(file("cap_chown=ep cap_kill=p").starts_with("setcap refuses this"));
        let process = |text: &str| Text::parse(text).unwrap().as_process().join("\n");
        assert!(process("cap_kill=e").starts_with("No process can have this: CAP_KILL"));
        let most = process("=ep cap_sys_admin-ep cap_kill-e");
        assert!(
            most.starts_with("In effect: all but CAP_KILL, CAP_SYS_ADMIN."),
            "{most}"
        );
        assert!(most.contains("without asking anybody: CAP_KILL."), "{most}");
    }

    #[test]
    fn a_page_fits_80_columns() {
        let given = "=ep cap_sys_admin,cap_kill,cap_chown,cap_fowner,cap_setuid,cap_setgid-ep";
        let page = Text::parse(given).unwrap().paragraphs("TEXT", 80);
        assert!(page.lines().all(|line| line.len() <= 80), "{page}");
    }

    #[test]
    fn a_name_with_dashes_is_no_text() {
        for word in [
            "net-raw",
            "file-capabilities",
            "user-namespaces",
            "can_nice",
            "all",
        ] {
            assert!(!Text::is_meant(word), "{word}");
        }
        for word in ["=", "cap_kill+ep", "cap_kill-e", "=ep cap_kill-ep", "x=y"] {
            assert!(Text::is_meant(word), "{word}");
        }
    }
}
