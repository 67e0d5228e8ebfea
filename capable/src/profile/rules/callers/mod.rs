//! Kernel functions that are known for what they do with the answer.
//!
//! The audit flag does not tell a gate from a question (docs/classification.md, "Who asked"): the
//! function that asks does. The table is data in [`table`]; this file looks things up in it.

mod table;

use super::{Class, Finding, Rule, Ruling, Why, by_syscall_alone};
use crate::capability::Capability;
use crate::profile::observation::Case;

/// What a kernel function does with the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// It chooses a limit, how much to show or which way to take, and goes on either way; it
    /// asks whether or not that matters for this call.
    Choice,
    /// It refuses without. In the table where the function asks without audit, or only when
    /// something else did not do, which makes a better reason than "granted".
    Gate,
    /// It refuses without in some cases, which the check does not show.
    Sometimes,
}

/// One row of the table.
struct Entry {
    /// The functions, without the compiler's suffix. One that the compiler may inline is
    /// followed by those it is inlined into.
    callers: &'static [&'static str],
    /// System calls that lead nowhere else with this capability; they do where the function is
    /// another or unknown.
    syscalls: &'static [&'static str],
    /// The capability; `None` is any.
    capability: Option<Capability>,
    /// The audit flag; `None` is any.
    audited: Option<bool>,
    /// What the function does with the answer.
    effect: Effect,
    /// One sentence; for a gate and for "sometimes" it goes on after "granted ...: ".
    why: &'static str,
    /// Where the kernel says so.
    #[cfg_attr(not(test), expect(dead_code, reason = "the source beside each fact"))]
    source: &'static str,
}

impl Entry {
    fn is_about(&self, case: &Case) -> bool {
        let listed = |list: &[&str], name: Option<&str>| name.is_some_and(|it| list.contains(&it));
        let here = (self.callers.is_empty() && self.syscalls.is_empty())
            || listed(self.callers, case.caller_symbol())
            || listed(self.syscalls, case.syscall);
        here && self
            .capability
            .is_none_or(|capability| capability == case.facts.capability)
            && (self.audited.is_none() || self.audited == case.facts.audited())
    }

    /// It is about a function, and which one asked is not known.
    fn is_by_syscall_alone(&self, case: &Case) -> bool {
        !self.callers.is_empty() && case.caller_symbol().is_none()
    }
}

fn entry(case: &Case) -> Option<&'static Entry> {
    table::ENTRIES.iter().find(|entry| entry.is_about(case))
}

/// The function goes on either way, whatever was decided.
pub(super) fn choice(case: &Case) -> Option<Ruling> {
    let entry = entry(case).filter(|entry| entry.effect == Effect::Choice)?;
    if entry.is_by_syscall_alone(case) {
        let why = by_syscall_alone(entry.why, case);
        return Some(Finding::unsure(Class::Advisory, Rule::Choice, why));
    }
    Some(Finding::sure(Class::Advisory, Rule::Choice, entry.why))
}

/// The function refuses without: always, or in some cases.
pub(super) fn gate(case: &Case) -> Option<Ruling> {
    let entry = entry(case).filter(|_| case.facts.is_granted_by_bit())?;
    let why = Why::from("granted ")
        .origin(case)
        .text(": ")
        .text(entry.why);
    match entry.effect {
        Effect::Gate => Some(Finding::sure_of_caller(
            case,
            Class::Needed,
            Rule::Gate,
            why,
        )),
        Effect::Sometimes => Some(Finding::unsure(Class::Needed, Rule::Sometimes, why)),
        Effect::Choice => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::finding;
    use super::*;
    use crate::event::Verdict;
    use crate::profile::observation::tests::{audited, granted};

    /// Each row is found by each of its functions and system calls, and gives its class.
    #[test]
    fn every_row_of_the_table_decides_its_own_checks() {
        for entry in table::ENTRIES {
            let capability = entry.capability.unwrap_or(Capability::KILL);
            let by_caller = entry.callers.iter().map(|caller| (*caller, "ioctl"));
            let by_syscall = entry.syscalls.iter().map(|syscall| ("other", *syscall));
            for (caller, syscall) in by_caller.chain(by_syscall) {
                let mut check = granted(capability, caller, syscall);
                check.facts.audit = audited(entry.audited != Some(false));
                let finding = finding(&check);
                let (class, certain) = match entry.effect {
                    Effect::Choice => (Class::Advisory, true),
                    Effect::Gate => (Class::Needed, true),
                    Effect::Sometimes => (Class::Needed, false),
                };
                assert_eq!(
                    (finding.class, finding.certain),
                    (class, certain),
                    "{caller}"
                );
                let why = finding.why.to_string();
                assert!(why.contains(entry.why), "{caller} {syscall}: {why}");
            }
            assert!(
                entry.source.contains(".c"),
                "{:?} has no source",
                entry.callers
            );
        }
    }

    #[test]
    fn the_manual_names_every_function_of_the_table() {
        let manual = include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/docs/classification.md"
        ));
        for caller in table::ENTRIES.iter().flat_map(|entry| entry.callers) {
            assert!(manual.contains(&format!("`{caller}`")), "{caller}");
        }
    }

    #[test]
    fn reading_the_symbol_table_is_advisory_and_so_is_its_denial() {
        let mut check = granted(Capability::SYSLOG, "kallsyms_show_value", "openat");
        check.facts.audit = audited(false);
        assert_eq!(finding(&check).class, Class::Advisory);
        check.facts.verdict = Some(Verdict::Denied(libc::EPERM));
        assert_eq!(finding(&check).class, Class::Advisory);
    }

    #[test]
    fn ptracer_capable_and_a_seccomp_filter_are_gates_though_not_audited() {
        for (capability, caller, syscall) in [
            (Capability::SYS_PTRACE, "ptracer_capable", "execve"),
            (Capability::SYS_ADMIN, "do_seccomp", "seccomp"),
        ] {
            let mut check = granted(capability, caller, syscall);
            check.facts.audit = audited(false);
            let finding = finding(&check);
            assert_eq!(finding.rule, Rule::Gate, "{caller}");
            assert_eq!(finding.class, Class::Needed, "{caller}");
        }
    }

    #[test]
    fn the_same_function_with_another_audit_flag_or_capability_is_not_meant() {
        let lowering = granted(Capability::SYS_RESOURCE, "__set_oom_adj.isra.0", "write");
        assert_eq!(finding(&lowering).rule, Rule::Granted);
        let mut always = lowering.clone();
        always.facts.audit = audited(false);
        assert_eq!(finding(&always).class, Class::Advisory);
        always.facts.capability = Capability::SYS_NICE;
        assert_ne!(finding(&always).class, Class::Advisory);
    }

    #[test]
    fn fsetid_never_refuses_whoever_asks() {
        let check = granted(Capability::FSETID, "some_file_system", "fchmodat");
        assert_eq!(finding(&check).class, Class::Advisory);
    }

    #[test]
    fn what_is_only_asked_past_a_limit_is_a_need() {
        let check = granted(Capability::SYS_RESOURCE, "copy_process", "clone");
        let finding = finding(&check);
        assert_eq!(finding.class, Class::Needed);
        assert!(finding.why.to_string().contains("RLIMIT_NPROC"));
    }

    #[test]
    fn what_some_cases_need_is_kept_but_not_certain() {
        let check = granted(Capability::PERFMON, "bpf_check", "bpf");
        let finding = finding(&check);
        assert_eq!((finding.class, finding.certain), (Class::Needed, false));
    }
}
