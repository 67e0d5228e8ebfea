//! Rules that go by the verdict and by how the system call ended, if nothing else decided.

use super::why::errno_name;
use super::{Class, Finding, Rule, Ruling, Why};
use crate::capability::Capability;
use crate::profile::observation::{Case, Outcome};

/// setuid(2) and setgid(2) ask before they look whether the id changes (`__sys_setuid`,
/// `__sys_setgid`, kernel/sys.c): setting the id that the task already has succeeds without the
/// capability.
pub(super) fn same_id(case: &Case) -> Option<Ruling> {
    let capability = case.facts.capability;
    let asked_by_set_id = capability == Capability::SETUID || capability == Capability::SETGID;
    (asked_by_set_id && case.id_unchanged == Some(true)).then(|| {
        Finding::sure(
            Class::AskedNotNeeded,
            Rule::SameId,
            "the id was set to the value that the process already had, which needs no capability",
        )
    })
}

/// The same if the ids were not compared: the capability is kept. Before 6.3 (and in stable kernels
/// that did not take the change) setresuid(2) and setresgid(2) ask first too (`__sys_setresuid`,
/// kernel/sys.c).
pub(super) fn id_may_be_the_same(case: &Case) -> Option<Ruling> {
    let syscall = case.syscall?;
    let asks_first = matches!(
        syscall.trim_end_matches("32"),
        "setuid" | "setgid" | "setresuid" | "setresgid"
    );
    (asks_first && case.facts.is_granted_by_bit() && case.id_unchanged.is_none()).then(|| {
        Finding::unsure(
            Class::Needed,
            Rule::SameId,
            Why::from("granted ").origin(case).text(
                "; needed only if the id really changed, which capable cannot tell: the kernel \
                 may ask before it compares the ids",
            ),
        )
    })
}

/// The hook could not tell what was decided.
pub(super) fn unknown(case: &Case) -> Option<Ruling> {
    case.facts.verdict.is_none().then(|| {
        Finding::unsure(
            Class::CouldNotTell,
            Rule::UnknownVerdict,
            Why::from("asked ")
                .origin(case)
                .text("; this kernel and hook do not show whether it was granted"),
        )
    })
}

/// The kernel mostly asks without audit if it can do without the capability. A function that is not
/// in the table may be an exception, so the capability is kept.
pub(super) fn unaudited(case: &Case) -> Option<Ruling> {
    (case.facts.is_granted_by_bit() && case.facts.audited() == Some(false)).then(|| {
        Finding::unsure(
            Class::Needed,
            Rule::Unaudited,
            Why::from("granted without audit ").origin(case).text(
                "; the kernel mostly asks without audit when it can continue without the \
                 capability, but this function is not a known one: try without",
            ),
        )
    })
}

/// Granted by the effective set at an unknown place: what the kernel does there without the
/// capability is not known either.
pub(super) fn granted(case: &Case) -> Option<Ruling> {
    case.facts.is_granted_by_bit().then(|| {
        let kept = match case.caller_symbol() {
            Some(_) => {
                "; that is a place that capable does not know, so the capability is kept: try \
                 without"
            }
            None => {
                "; whether the kernel refuses without it depends on the function, so it is kept: \
                 try without"
            }
        };
        let why = Why::from("granted ").origin(case).text(kept);
        Finding::unsure(Class::Needed, Rule::Granted, why)
    })
}

/// execve(2) or a question whether a file may be executed was refused, and the process went on to
/// execute a file: a search in `$PATH` through a folder that it may not read.
pub(super) fn search(case: &Case) -> Option<Ruling> {
    (case.facts.is_denied() && case.outcome == Outcome::SearchWentOn).then(|| {
        let why = Why::from("denied ")
            .origin(case)
            .text(", while a program was searched for: the search went on and found one elsewhere");
        Finding::unsure(Class::AskedNotNeeded, Rule::Search, why)
    })
}

/// The system call succeeded without it. That proves nothing if a refusal is reported some other
/// way.
pub(super) fn denied_but_succeeded(case: &Case) -> Option<Ruling> {
    let succeeded = case.facts.is_denied()
        && case.outcome == Outcome::SyscallSucceeded
        && !case.is_told_elsewhere();
    succeeded.then(|| {
        Finding::sure(
            Class::AskedNotNeeded,
            Rule::DeniedSucceeded,
            Why::from("denied ")
                .origin(case)
                .text(", but the call succeeded without it"),
        )
    })
}

/// Errors about a path or a wait, not about permission.
const UNRELATED: &[i32] = &[
    libc::ENOENT,
    libc::ENOTDIR,
    libc::EISDIR,
    libc::EEXIST,
    libc::ELOOP,
    libc::ENAMETOOLONG,
    libc::EINTR,
    libc::EINPROGRESS,
];

/// The system call failed with an errno that a missing capability does not cause. With `hidepid=2`,
/// a process that may not be seen gives ENOENT (`proc_pid_permission`, fs/proc/base.c), so
/// CAP_SYS_PTRACE is not judged by it.
pub(super) fn denied_but_failed_otherwise(case: &Case) -> Option<Ruling> {
    let Outcome::SyscallFailed(errno) = case.outcome else {
        return None;
    };
    let unrelated = case.facts.is_denied()
        && UNRELATED.contains(&errno)
        && case.facts.capability != Capability::SYS_PTRACE;
    unrelated.then(|| {
        Finding::unsure(
            Class::AskedNotNeeded,
            Rule::DeniedOtherwise,
            Why::from("denied ")
                .origin(case)
                .text(", but the call failed for another reason (")
                .errno(errno)
                .text(")"),
        )
    })
}

/// Denied, and either the program saw the system call fail, or its end was not seen.
pub(super) fn denied(case: &Case) -> Ruling {
    let denied = Why::from("denied ").origin(case);
    match case.outcome {
        Outcome::SyscallFailed(errno) => {
            let why = denied.text(", and the call failed (").errno(errno);
            let Some(place) = &case.place else {
                let why =
                    why.text("): if the command fails because of this, give it the capability");
                return Finding::sure_of_caller(case, Class::Denied, Rule::Denied, why);
            };
            let why = why
                .text("): without it, ")
                .sentences(place)
                .text(". If the command fails because of this, give it the capability");
            if errno_name(errno).is_none_or(|name| place.may_give(name)) {
                Finding::sure(Class::Denied, Rule::Denied, why)
            } else {
                Finding::unsure(Class::Denied, Rule::Denied, why)
            }
        }
        Outcome::SyscallSucceeded => Finding::unsure(
            Class::Denied,
            Rule::Denied,
            case.place.iter().fold(
                denied.text("; whether it was refused is not in the result of the call"),
                |why, place| why.text(": without it, ").sentences(place),
            ),
        ),
        Outcome::Unknown | Outcome::SearchWentOn => Finding::unsure(
            Class::Denied,
            Rule::Denied,
            denied.text("; the outcome of the call was not observed"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::finding;
    use super::*;
    use crate::profile::observation::tests::{audited, denied, granted};

    #[test]
    fn a_granted_check_is_a_need_and_says_where() {
        let finding = finding(&granted(Capability::CHOWN, "setattr_prepare", "fchownat"));
        assert_eq!((finding.class, finding.certain), (Class::Needed, true));
        assert!(
            finding
                .why
                .to_string()
                .contains("in setattr_prepare, for fchownat(2)")
        );
    }

    #[test]
    fn a_grant_without_audit_in_an_unknown_function_is_kept_but_not_certain() {
        let mut check = granted(Capability::NET_ADMIN, "unheard_of", "ioctl");
        check.facts.audit = audited(false);
        let finding = finding(&check);
        assert_eq!((finding.class, finding.certain), (Class::Needed, false));
        assert_eq!(finding.rule, Rule::Unaudited);
    }

    #[test]
    fn an_unknown_verdict_is_said_to_be_unknown() {
        let mut check = granted(Capability::CHOWN, "setattr_prepare", "chown");
        check.facts.verdict = None;
        let finding = finding(&check);
        assert_eq!(finding.class, Class::CouldNotTell);
        assert_eq!(finding.rule, Rule::UnknownVerdict);
    }

    #[test]
    fn a_denied_check_after_which_the_call_succeeded_was_not_needed() {
        let check = denied(
            Capability::SYS_PTRACE,
            "__ptrace_may_access",
            "readlink",
            Outcome::SyscallSucceeded,
        );
        let finding = finding(&check);
        assert_eq!(finding.class, Class::AskedNotNeeded);
        assert_eq!(finding.rule, Rule::DeniedSucceeded);
    }

    #[test]
    fn a_denied_check_after_which_the_call_failed_may_be_a_need() {
        let failed = Outcome::SyscallFailed(libc::EPERM);
        let found = finding(&denied(
            Capability::CHOWN,
            "setattr_prepare",
            "chown",
            failed,
        ));
        assert_eq!((found.class, found.certain), (Class::Denied, true));
        assert!(found.why.to_string().contains("EPERM"));
        let unseen = finding(&denied(
            Capability::CHOWN,
            "setattr_prepare",
            "chown",
            Outcome::Unknown,
        ));
        assert_eq!((unseen.class, unseen.certain), (Class::Denied, false));
    }

    #[test]
    fn a_denied_path_lookup_that_ended_in_enoent_was_not_needed() {
        let missing = Outcome::SyscallFailed(libc::ENOENT);
        let lookup = denied(
            Capability::DAC_READ_SEARCH,
            "generic_permission",
            "execve",
            missing,
        );
        assert_eq!(finding(&lookup).class, Class::AskedNotNeeded);
        let hidden = denied(
            Capability::SYS_PTRACE,
            "__ptrace_may_access",
            "openat",
            missing,
        );
        assert_eq!(finding(&hidden).class, Class::Denied);
    }

    #[test]
    fn setting_the_id_that_one_has_is_not_a_need() {
        let mut check = granted(Capability::SETUID, "__sys_setuid", "setuid");
        check.id_unchanged = Some(true);
        assert_eq!(finding(&check).class, Class::AskedNotNeeded);
        check.id_unchanged = Some(false);
        let changed = finding(&check);
        assert_eq!((changed.class, changed.certain), (Class::Needed, true));
        check.id_unchanged = None;
        let unknown = finding(&check);
        assert_eq!((unknown.class, unknown.certain), (Class::Needed, false));
    }
}
