//! The overcommit check: the most frequent check by far, and never a need.

use std::iter;

use super::{Class, Finding, Rule, Ruling, by_syscall_alone};
use crate::atlas::Atlas;
use crate::capability::Capability;
use crate::profile::observation::Case;

/// The system calls that account memory and ask for CAP_SYS_ADMIN for no other reason, for use if
/// the caller is not known.
const ONLY_MEMORY: &[&str] = &[
    "mmap",
    "mmap2",
    "brk",
    "mremap",
    "mprotect",
    "pkey_mprotect",
    "munmap",
    "fork",
    "vfork",
    "execve",
    "execveat",
];

/// System calls that account memory but may ask for CAP_SYS_ADMIN for another reason too: clone(2)
/// for namespaces, swapoff(2) for itself.
const MEMORY_AND_MORE: &[&str] = &["clone", "clone3", "shmget", "memfd_create", "swapoff"];

/// `cap_vm_enough_memory` (security/commoncap.c) asks for CAP_SYS_ADMIN without audit at each mmap,
/// brk, fork, exec and growth of the stack. `__vm_enough_memory` (mm/util.c, Linux 6.12) uses the
/// answer in one case only: with `vm.overcommit_memory=2`, the last `vm.admin_reserve_kbytes` are
/// reserved for tasks that hold it.
///
/// If the caller is not known, an unaudited check for CAP_SYS_ADMIN in a system call that accounts
/// memory is taken for this one. If the stack could not be captured, not even the audit flag is
/// known: then only system calls that ask for CAP_SYS_ADMIN for no other reason count.
pub(super) fn overcommit(case: &Case) -> Option<Ruling> {
    if case.facts.capability != Capability::SYS_ADMIN {
        return None;
    }
    let why = "the kernel asks this whenever a process gets memory, and it can be ignored: the \
               answer only matters with vm.overcommit_memory=2 when memory is nearly exhausted, \
               as the last of it is reserved for processes with this capability";
    let among = |syscalls: &[&str]| {
        case.syscall
            .is_some_and(|syscall| syscalls.contains(&syscall))
    };
    let is_it = match (case.caller_symbol(), case.facts.audited()) {
        (Some(caller), _) => {
            let sure = Finding::sure(Class::Advisory, Rule::Overcommit, why);
            return is_overcommit(caller).then_some(sure);
        }
        (None, Some(false)) => among(ONLY_MEMORY) || among(MEMORY_AND_MORE),
        (None, Some(true)) => false,
        (None, None) => among(ONLY_MEMORY),
    };
    let why = by_syscall_alone(why.into(), case);
    is_it.then(|| Finding::unsure(Class::Advisory, Rule::Overcommit, why))
}

/// Whether a function is that of the atlas, or one that the compiler may have put it into. It has been
/// the same in all kernels, also in those that are older than the atlas.
fn is_overcommit(caller: &str) -> bool {
    let place = Atlas::place(Capability::SYS_ADMIN, None, iter::once(caller));
    place.is_some_and(|place| place.is_about_overcommit())
}

#[cfg(test)]
mod tests {
    use super::super::tests::finding;
    use super::*;
    use crate::profile::Outcome;
    use crate::profile::observation::tests::{audited, denied, granted};

    #[test]
    fn the_overcommit_check_is_advisory_whatever_was_decided() {
        for caller in ["cap_vm_enough_memory", "security_vm_enough_memory_mm"] {
            let mut check = granted(Capability::SYS_ADMIN, caller, "mmap");
            check.facts.audit = audited(false);
            assert_eq!(finding(&check).class, Class::Advisory, "{caller}");
            check.facts.verdict = None;
            assert_eq!(finding(&check).rule, Rule::Overcommit, "{caller}");
        }
        let failed = Outcome::SyscallFailed(libc::ENOMEM);
        let check = denied(
            Capability::SYS_ADMIN,
            "cap_vm_enough_memory",
            "mmap",
            failed,
        );
        assert_eq!(finding(&check).class, Class::Advisory);
    }

    #[test]
    fn without_a_caller_only_an_unaudited_check_in_a_memory_call_is_advisory() {
        let mut check = granted(Capability::SYS_ADMIN, "", "clone");
        check.facts.audit = audited(false);
        assert_eq!(finding(&check).rule, Rule::Overcommit);
        check.facts.audit = audited(true);
        assert_eq!(finding(&check).class, Class::Needed);
        check.facts.audit = audited(false);
        check.syscall = Some("ioctl");
        assert_eq!(finding(&check).class, Class::Needed);
    }

    #[test]
    fn without_a_stack_a_check_is_advisory_where_nothing_else_asks() {
        let mut check = granted(Capability::SYS_ADMIN, "", "mmap");
        check.facts.audit = None;
        let found = finding(&check);
        assert_eq!((found.class, found.certain), (Class::Advisory, false));
        check.syscall = Some("clone");
        assert_eq!(finding(&check).class, Class::Needed);
    }

    #[test]
    fn another_function_that_asks_for_sys_admin_without_audit_is_not_overcommit() {
        let mut check = granted(Capability::SYS_ADMIN, "some_function", "mmap");
        check.facts.audit = audited(false);
        assert_ne!(finding(&check).rule, Rule::Overcommit);
    }
}
