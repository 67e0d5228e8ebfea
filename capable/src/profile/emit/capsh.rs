//! A capsh(1) command that runs the program with exactly this set.

use super::{Emitter, ProgramNeeds, RunsAs, comment, libcap_names, shell};
use crate::capability::CapabilitySet;

/// Writes the command.
///
/// Root's permitted set after exec is its bounding set, so dropping the other capabilities is
/// enough. Another user keeps only its ambient set. capsh processes its options in order and raises
/// what each one needs as long as that is permitted, so the bounding set is dropped first.
pub(super) struct Capsh;

impl Emitter for Capsh {
    fn emit(&self, needs: &ProgramNeeds, out: &mut String) {
        super::preamble(out, needs, "Command");
        comment(
            out,
            "Run it as root. A capability that the kernel has and libcap does not know stays in \
             the bounding set.",
        );
        let names = libcap_names(needs.set).join(",");
        let rest = libcap_names(CapabilitySet::ALL_NAMED.difference(needs.set)).join(",");
        let mut words = vec!["capsh".to_owned()];
        if !rest.is_empty() {
            words.push(format!("--drop={rest}"));
        }
        match &needs.runs_as {
            RunsAs::Root => {}
            RunsAs::Unknown => comment(
                out,
                "The user that it runs as is not known: this is for root. For another user, use \
                 `capable run --user NAME`.",
            ),
            RunsAs::User(user) => {
                words.push("--keep=1".to_owned());
                words.push(match user.parse::<u32>() {
                    Ok(uid) => {
                        comment(
                            out,
                            "With a number, capsh keeps root's groups: better give a \
                         name.",
                        );
                        format!("--uid={uid}")
                    }
                    Err(_) => format!("--user={user}"),
                });
                if !names.is_empty() {
                    words.push(format!("--inh={names}"));
                    words.push(format!("--addamb={names}"));
                }
            }
        }
        words.extend(["--", "-c", r#"exec "$0" "$@""#].map(str::to_owned));
        if needs.command.is_empty() {
            comment(out, "The command is not known: put it in place of COMMAND.");
            words.push("COMMAND".to_owned());
        }
        words.extend(needs.command.iter().cloned());
        out.push_str(&shell::command(&words));
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::super::Consumer;
    use super::super::tests::{lines, needs};
    use super::*;

    #[test]
    fn root_keeps_the_set_by_dropping_the_rest() {
        let mut needs = needs("net_raw");
        needs.command = vec!["ping".to_owned(), "a b".to_owned()];
        let [line] = lines(Consumer::Capsh, &needs).try_into().unwrap();
        assert!(line.starts_with("capsh --drop=cap_chown,"), "{line}");
        assert!(!line.contains("cap_net_raw"), "{line}");
        assert!(
            line.ends_with(r#" -- -c 'exec "$0" "$@"' ping 'a b'"#),
            "{line}"
        );
    }

    #[test]
    fn another_user_gets_the_set_as_ambient() {
        let mut needs = needs("net_raw,kill");
        needs.runs_as = RunsAs::User("nobody".to_owned());
        let [line] = lines(Consumer::Capsh, &needs).try_into().unwrap();
        assert!(
            line.contains(
                " --keep=1 --user=nobody --inh=cap_kill,cap_net_raw \
                 --addamb=cap_kill,cap_net_raw -- -c "
            ),
            "{line}"
        );
    }

    #[test]
    fn the_full_set_drops_nothing() {
        let [line] = lines(Consumer::Capsh, &needs("all")).try_into().unwrap();
        assert!(!line.contains("--drop"), "{line}");
    }
}
