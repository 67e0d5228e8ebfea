//! Lines of a container's configuration (lxc.container.conf(5), "Capabilities").

use super::{
    Emitter, ProgramNeeds, RunsAs, as_root_note, bare_names, comment, may_set_no_new_privs,
    no_new_privs_note,
};

/// Writes the lines.
///
/// A container must not have both a list of what is kept and one of what is dropped, and what a
/// distribution includes drops some: an empty value clears what was set before.
pub(super) struct Lxc;

impl Emitter for Lxc {
    fn emit(&self, needs: &ProgramNeeds, out: &mut String) {
        super::preamble(out, needs, "Configuration of a container of LXC");
        comment(
            out,
            "Put it at the end of the container's config. It is for a container that runs this \
             program alone (lxc-execute), not for one that boots an init.",
        );
        if let Some(note) = as_root_note(needs, "a container that runs as root") {
            comment(out, &note);
        }
        if matches!(needs.runs_as, RunsAs::User(_)) && !needs.set.is_empty() {
            comment(
                out,
                "It ran as a user other than root, which holds only what the program's file in the \
                 container has too: LXC sets no ambient capabilities.",
            );
        }
        out.push_str("lxc.cap.drop =\nlxc.cap.keep =\n");
        let names = bare_names(needs.set);
        let kept = match names.is_empty() {
            true => "none".to_owned(),
            false => names.join(" ").to_ascii_lowercase(),
        };
        out.push_str(&format!("lxc.cap.keep = {kept}\n"));
        if super::needs_file_capabilities(needs) {
            return;
        }
        if let Some(note) = no_new_privs_note(needs, "lxc.no_new_privs = 1") {
            comment(out, &note);
        }
        if may_set_no_new_privs(needs) {
            out.push_str("lxc.no_new_privs = 1\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{lines, needs};
    use super::super::{Consumer, RunsAs};

    #[test]
    fn only_what_is_needed_is_kept_and_lists_from_before_are_cleared() {
        assert_eq!(
            lines(Consumer::Lxc, &needs("net_raw,chown")),
            [
                "lxc.cap.drop =",
                "lxc.cap.keep =",
                "lxc.cap.keep = chown net_raw",
                "lxc.no_new_privs = 1",
            ]
        );
    }

    #[test]
    fn nothing_is_kept_by_the_word_for_it() {
        let lines = lines(Consumer::Lxc, &needs("none"));
        assert!(
            lines.contains(&"lxc.cap.keep = none".to_owned()),
            "{lines:?}"
        );
    }

    #[test]
    fn another_user_is_told_that_it_holds_what_its_file_has() {
        let mut needs = needs("net_raw");
        needs.runs_as = RunsAs::User("nobody".to_owned());
        let text = Consumer::Lxc.emit(&needs);
        assert!(text.contains("no ambient capabilities"), "{text}");
        assert!(!text.contains("no_new_privs = 1"), "{text}");
    }
}
