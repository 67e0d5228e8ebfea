//! Rules for a profile of AppArmor (apparmor.d(5), "Capability Rules").

use super::{Emitter, ProgramNeeds, bare_names, comment};

/// Writes the rules. They only limit: AppArmor asks after the sets of the process were looked at
/// (`apparmor_capable`, security/apparmor/lsm.c), and refuses what no rule of the profile names.
pub(super) struct Apparmor;

impl Emitter for Apparmor {
    fn emit(&self, needs: &ProgramNeeds, out: &mut String) {
        super::preamble(out, needs, "Rules of an AppArmor profile");
        comment(
            out,
            "Put them into the profile of the program, which below /etc/apparmor.d has the name of \
             its file. They limit what it may use, and give it nothing that it does not hold.",
        );
        let names = bare_names(needs.set);
        if names.is_empty() {
            comment(
                out,
                "It needs none: a profile without a capability rule refuses all of them.",
            );
        }
        for name in names {
            out.push_str(&format!("capability {},\n", name.to_ascii_lowercase()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Consumer;
    use super::super::tests::{lines, needs};

    #[test]
    fn each_capability_is_a_rule_that_ends_in_a_comma() {
        assert_eq!(
            lines(Consumer::Apparmor, &needs("net_raw,chown")),
            ["capability chown,", "capability net_raw,"]
        );
    }

    #[test]
    fn an_empty_set_has_no_rule_and_says_what_that_means() {
        let needs = needs("none");
        assert_eq!(lines(Consumer::Apparmor, &needs), Vec::<String>::new());
        let text = Consumer::Apparmor.emit(&needs);
        assert!(text.contains("refuses all of them"), "{text}");
    }
}
