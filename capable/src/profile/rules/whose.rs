//! Rules about whose check it is: one that is not the program's, or not over the namespace that the
//! set is for, says nothing about the set.

use super::{Class, Finding, Rule, Ruling, access};
use crate::event::{CredentialOwner, Relation, Task, Verdict};
use crate::profile::observation::Case;

fn left_out(rule: Rule, why: &'static str) -> Option<Ruling> {
    Some(Ruling::LeftOut {
        rule,
        why: why.into(),
    })
}

/// Kernel threads hold every capability (`init_cred`, kernel/cred.c) and belong to no program.
/// An io_uring worker is a thread of the program with the program's credentials: it counts.
pub(super) fn kernel_thread(case: &Case) -> Option<Ruling> {
    (case.facts.task == Some(Task::KernelThread))
        .then(|| {
            left_out(
                Rule::KernelThread,
                "made by kernel threads, which hold every capability and are not part of the \
                 program",
            )
        })
        .flatten()
}

/// The owner of a user namespace is granted everything in it when acting from the parent namespace
/// (`cap_capable`, security/commoncap.c): no capability was used.
pub(super) fn ownership(case: &Case) -> Option<Ruling> {
    let is_owner = case.facts.verdict.is_some_and(Verdict::is_granted_to_owner);
    is_owner.then(|| {
        Finding::sure(
            Class::AskedNotNeeded,
            Rule::Ownership,
            "granted because the user owns the user namespace: no capability was used",
        )
    })
}

/// A capability in a user namespace that the program itself created says nothing about the set in
/// question. Over a namespace that is not below that of the credentials, nothing is ever granted
/// (`cap_capable`: the walk upwards ends at the credentials' level).
pub(super) fn namespace(case: &Case) -> Option<Ruling> {
    match case.facts.target?.relation {
        Relation::Own if case.target_is_home == Some(false) => left_out(
            Rule::Namespace,
            "made over a child user namespace with capabilities that came with creating it: they \
             are not part of the set",
        ),
        Relation::Outside => left_out(
            Rule::Namespace,
            "made from inside a child user namespace over one outside it: no capability held in \
             the child is enough",
        ),
        Relation::Own | Relation::Below => None,
    }
}

/// Three kinds of credentials say nothing about what to give the program: those that the kernel
/// installs temporarily (overlayfs uses its mounter's), those a file was opened with
/// (`file_ns_capable`), and another task's (`has_capability`). access(2) overrides the credentials
/// with the task's own real ids, so it is kept.
pub(super) fn credentials(case: &Case) -> Option<Ruling> {
    match case.facts.owner? {
        CredentialOwner::Own => None,
        CredentialOwner::Overridden if access::is_access(case) => None,
        CredentialOwner::Overridden => left_out(
            Rule::Credentials,
            "made with credentials that the kernel temporarily substituted for the program's, as \
             overlayfs does with those of its mounter",
        ),
        CredentialOwner::Foreign => left_out(
            Rule::Credentials,
            "made with the credentials of a file's opener or of another task, and not with those \
             of the task itself",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{finding, left_out_by};
    use super::*;
    use crate::capability::Capability;
    use crate::event::TargetNamespace;
    use crate::profile::Outcome;
    use crate::profile::observation::tests::{denied, granted};

    /// A check over a namespace with this relation, which is or is not the one that the set is for.
    fn ask_over(check: &mut Case, relation: Relation, home: bool) {
        check.facts.target = Some(TargetNamespace {
            relation,
            initial: home,
        });
        check.target_is_home = Some(home);
    }

    #[test]
    fn a_kernel_threads_check_is_left_out_and_an_io_uring_workers_counts() {
        let mut check = granted(Capability::CHOWN, "setattr_prepare", "io_uring_enter");
        check.facts.task = Some(Task::KernelThread);
        assert_eq!(left_out_by(&check), Rule::KernelThread);
        check.facts.task = Some(Task::IoWorker);
        assert_eq!(finding(&check).class, Class::Needed);
        check.facts.task = None;
        assert_eq!(finding(&check).class, Class::Needed);
    }

    #[test]
    fn what_the_owner_of_a_namespace_is_granted_needs_no_capability() {
        let mut check = granted(Capability::SYS_ADMIN, "path_mount", "mount");
        ask_over(&mut check, Relation::Below, false);
        for verdict in [Verdict::GrantedByOwnership, Verdict::GrantedByBoth] {
            check.facts.verdict = Some(verdict);
            let finding = finding(&check);
            assert_eq!(finding.class, Class::AskedNotNeeded);
            assert_eq!(finding.rule, Rule::Ownership);
        }
    }

    #[test]
    fn a_check_in_a_child_user_namespace_does_not_reach_the_set() {
        let mut check = granted(Capability::SYS_ADMIN, "path_mount", "mount");
        ask_over(&mut check, Relation::Own, false);
        assert_eq!(left_out_by(&check), Rule::Namespace);
    }

    #[test]
    fn a_check_from_a_child_user_namespace_over_its_parent_does_not_reach_the_set() {
        let failed = Outcome::SyscallFailed(libc::EPERM);
        let mut check = denied(Capability::SYS_TIME, "cap_settime", "settimeofday", failed);
        ask_over(&mut check, Relation::Outside, true);
        assert_eq!(left_out_by(&check), Rule::Namespace);
    }

    #[test]
    fn acting_on_a_child_namespace_by_the_bit_needs_the_capability() {
        let mut check = granted(Capability::SYS_ADMIN, "path_mount", "mount");
        ask_over(&mut check, Relation::Below, false);
        assert_eq!(finding(&check).class, Class::Needed);
    }

    #[test]
    fn other_credentials_than_the_tasks_own_do_not_reach_the_set() {
        let mut check = granted(Capability::SYS_ADMIN, "ovl_do_setxattr", "openat");
        check.facts.owner = Some(CredentialOwner::Overridden);
        assert_eq!(left_out_by(&check), Rule::Credentials);
        check.facts.owner = Some(CredentialOwner::Foreign);
        assert_eq!(left_out_by(&check), Rule::Credentials);
        check.facts.owner = None;
        assert_eq!(finding(&check).class, Class::Needed);
    }
}
