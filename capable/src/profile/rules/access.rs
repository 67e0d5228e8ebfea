//! access(2): the program only asks whether it may.

use super::{Class, Finding, Rule, Ruling};
use crate::profile::observation::Case;

/// The check was made by access(2) or one of its successors (`do_faccessat`, fs/open.c).
pub(super) fn is_access(case: &Case) -> bool {
    case.syscall
        .is_some_and(|syscall| matches!(syscall, "access" | "faccessat" | "faccessat2"))
}

/// Granted in access(2): the capability was not used. If the program then does what it asked about,
/// that makes a check of its own. A denial is judged like any other, because the program saw the
/// failure.
pub(super) fn granted(case: &Case) -> Option<Ruling> {
    (is_access(case) && case.facts.is_granted_by_bit()).then(|| {
        Finding::unsure(
            Class::AskedNotNeeded,
            Rule::Access,
            "the program only asked with access(2) whether it may access a file; without the \
             capability the answer is no, and the program may act on that",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::finding;
    use super::*;
    use crate::capability::Capability;
    use crate::event::CredentialOwner;
    use crate::profile::Outcome;
    use crate::profile::observation::tests::{denied, granted};

    #[test]
    fn a_grant_in_access_is_not_a_need_though_its_credentials_are_overridden() {
        let mut check = granted(Capability::DAC_OVERRIDE, "generic_permission", "faccessat2");
        check.facts.owner = Some(CredentialOwner::Overridden);
        let finding = finding(&check);
        assert_eq!(finding.class, Class::AskedNotNeeded);
        assert_eq!(finding.rule, Rule::Access);
        assert!(!finding.certain);
    }

    #[test]
    fn a_denial_in_access_that_the_program_saw_may_be_a_need() {
        let failed = Outcome::SyscallFailed(libc::EACCES);
        let mut check = denied(
            Capability::DAC_OVERRIDE,
            "generic_permission",
            "access",
            failed,
        );
        check.facts.owner = Some(CredentialOwner::Overridden);
        assert_eq!(finding(&check).class, Class::Denied);
    }
}
