//! The rules: what a check says about whether a capability is needed.
//!
//! [`judge`] tries them in order, and the first one that applies decides. Rules about whose check
//! it is come first (a check that is not the program's says nothing about it), then rules that know
//! the kernel function that asked, then or-chains, then the verdict. docs/classification.md
//! describes each rule with its kernel source.

mod access;
mod chains;
mod listing;
mod memory;
mod places;
mod verdict;
mod whose;
mod why;

use serde::{Deserialize, Serialize};

use super::observation::Case;
use crate::capability::Capability;

pub use chains::{Part, split};
pub use why::Why;
pub(crate) use why::errno_name;

/// The classes of a capability, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Without it, the program does not do the same.
    Needed,
    /// It was refused and the system call failed: it may be needed.
    Denied,
    /// What was seen does not decide whether it is needed.
    CouldNotTell,
    /// The kernel asked, but the program gets on without it.
    AskedNotNeeded,
    /// The kernel asked only to choose a limit or how much to show; it carries on either way.
    Advisory,
}

impl Class {
    /// The class in words.
    pub fn title(self) -> &'static str {
        match self {
            Self::Needed => "needed",
            Self::Denied => "denied",
            Self::CouldNotTell => "could not tell",
            Self::AskedNotNeeded => "asked but not needed",
            Self::Advisory => "advisory",
        }
    }
}

/// The rule that decided. docs/classification.md describes it under this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A kernel thread holds every capability anyway.
    KernelThread,
    /// Granted because the user owns the namespace.
    Ownership,
    /// Asked over another user namespace than the one the set is for.
    Namespace,
    /// Credentials other than the task's own were checked.
    Credentials,
    /// access(2) only asks.
    Access,
    /// The memory overcommit check.
    Overcommit,
    /// The kernel function that asked is known to use the answer only to choose.
    Choice,
    /// The arguments of the system call ask for nothing that needs it.
    Arguments,
    /// The place refuses only writing, and the file was read.
    OnlyRead,
    /// capset(2) that makes nothing inheritable.
    NothingInherited,
    /// set*id to the id that the task already has, or may already have.
    SameId,
    /// The kernel accepts any of several capabilities.
    OrChain,
    /// The program lists processes and opened a file of another one.
    Listing,
    /// The verdict is not known.
    UnknownVerdict,
    /// The program asked for more of something than it has by right.
    More,
    /// A search in `$PATH` that went on.
    Search,
    /// The kernel function that asked is known to refuse.
    Gate,
    /// The kernel function that asked refuses in some cases only.
    Sometimes,
    /// Granted without audit, in a function that is not in the table.
    Unaudited,
    /// Granted, and nothing suggests that it was not needed.
    Granted,
    /// Denied, and the system call succeeded all the same.
    DeniedSucceeded,
    /// Denied, and the system call failed for another reason.
    DeniedOtherwise,
    /// Denied, and the system call failed, or its end was not seen.
    Denied,
}

/// What a rule says about some checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// They count for this class.
    Counts(Finding),
    /// They say nothing about the program: the rule's sentence says why.
    LeftOut {
        /// The rule that left them out.
        rule: Rule,
        /// The reason, in one sentence.
        why: Why,
    },
}

/// What a rule found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The class.
    pub class: Class,
    /// The rule.
    pub rule: Rule,
    /// False if the rule errs on the side of caution.
    pub certain: bool,
    /// The reason, in one sentence.
    pub why: Why,
    /// What the kernel accepts instead of this capability.
    pub alternative: Option<Capability>,
}

impl Finding {
    fn sure(class: Class, rule: Rule, why: impl Into<Why>) -> Ruling {
        Ruling::Counts(Self {
            class,
            rule,
            certain: true,
            why: why.into(),
            alternative: None,
        })
    }

    /// Certain only if the kernel function that asked is known.
    fn sure_of_caller(case: &Case, class: Class, rule: Rule, why: impl Into<Why>) -> Ruling {
        match case.caller_symbol() {
            Some(_) => Self::sure(class, rule, why),
            None => Self::unsure(class, rule, why),
        }
    }

    fn unsure(class: Class, rule: Rule, why: impl Into<Why>) -> Ruling {
        Ruling::Counts(Self {
            class,
            rule,
            certain: false,
            why: why.into(),
            alternative: None,
        })
    }
}

/// A rule: returns a ruling if it applies to the case.
type Answer = fn(&Case) -> Option<Ruling>;

/// The rules before or-chains: whose check it is, and what the asking function is known for.
const FIRST: &[Answer] = &[
    whose::kernel_thread,
    whose::ownership,
    whose::namespace,
    access::granted,
    whose::credentials,
    memory::overcommit,
    places::arguments,
    places::choice,
    places::only_read,
    places::nothing_inherited,
    verdict::same_id,
];

/// The rules after or-chains.
const THEN: &[Answer] = &[
    verdict::unknown,
    verdict::id_may_be_the_same,
    places::more,
    places::granted,
    verdict::unaudited,
    verdict::granted,
    verdict::search,
    verdict::denied_but_succeeded,
    verdict::denied_but_failed_otherwise,
];

/// Judges the checks of this part.
pub fn judge(part: &Part) -> Ruling {
    let ask = |rules: &[Answer]| rules.iter().find_map(|rule| rule(&part.observation.case));
    ask(FIRST)
        .or_else(|| {
            part.role
                .map(|role| chains::ruling(&part.observation.case, role))
        })
        .or_else(|| ask(THEN))
        .unwrap_or_else(|| verdict::denied(&part.observation.case))
}

/// Stands in for the name of the kernel function that asked.
const UNKNOWN_CALLER: &str = "a kernel function that is not known";

/// The sentence for a check that was recognised by its system call alone.
fn by_syscall_alone(why: Why, case: &Case) -> Why {
    match case.syscall {
        Some(syscall) => why
            .text(" (asked in ")
            .text(UNKNOWN_CALLER)
            .text(", and taken for this because of ")
            .syscall(syscall)
            .text(")"),
        None => why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Verdict;
    use crate::profile::Outcome;
    use crate::profile::observation::tests::{audited, granted, times};

    /// The ruling on a case by itself.
    pub(super) fn ruling(case: &Case) -> Ruling {
        judge(&Part {
            observation: times(1, case.clone()),
            role: None,
        })
    }

    /// The finding on a case by itself; fails where it was left out.
    pub(super) fn finding(case: &Case) -> Finding {
        match ruling(case) {
            Ruling::Counts(finding) => finding,
            Ruling::LeftOut { why, .. } => panic!("left out: {why}"),
        }
    }

    /// The rule that left a case out; fails where it counts.
    pub(super) fn left_out_by(case: &Case) -> Rule {
        match ruling(case) {
            Ruling::LeftOut { rule, .. } => rule,
            Ruling::Counts(finding) => panic!("counts: {finding:?}"),
        }
    }

    #[test]
    fn insetid_is_information_and_changes_nothing() {
        let mut check = granted(Capability::SETUID, "__sys_setreuid", "setreuid");
        let without = finding(&check);
        check.facts.insetid = Some(true);
        assert_eq!(finding(&check), without);
        assert_eq!(without.class, Class::Needed);
    }

    /// Whatever is said about a check whose caller is not known is a guess about who asked, unless
    /// that does not matter.
    #[test]
    fn where_it_matters_who_asked_an_unknown_caller_is_said_and_nothing_is_certain() {
        let whoever = [
            Rule::Ownership,
            Rule::Access,
            Rule::SameId,
            Rule::DeniedSucceeded,
        ];
        let syscalls = [
            "mmap",
            "clone",
            "execve",
            "ioctl",
            "bpf",
            "setuid",
            "faccessat2",
            "seccomp",
        ];
        let verdicts = [None, Some(Verdict::Granted), Some(Verdict::Denied(1))];
        let outcomes = [
            Outcome::Unknown,
            Outcome::SyscallSucceeded,
            Outcome::SyscallFailed(libc::EPERM),
            Outcome::SyscallFailed(libc::ENOENT),
        ];
        let all = Capability::all().filter(|&capability| capability != Capability::FSETID);
        for capability in all {
            for (syscall, verdict) in syscalls
                .iter()
                .flat_map(|&syscall| verdicts.iter().map(move |&verdict| (syscall, verdict)))
            {
                for (audit, outcome) in [None, audited(true), audited(false)]
                    .into_iter()
                    .flat_map(|audit| outcomes.map(|outcome| (audit, outcome)))
                {
                    let mut check = granted(capability, "", syscall);
                    (check.facts.verdict, check.facts.audit) = (verdict, audit);
                    check.outcome = outcome;
                    let finding = finding(&check);
                    let is_said =
                        finding.why.to_string().contains(UNKNOWN_CALLER) && !finding.certain;
                    assert!(
                        is_said || whoever.contains(&finding.rule),
                        "{check:?}: {finding:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_manual_and_the_schema_have_every_rule_under_its_name_in_json() {
        let manual = include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/docs/classification.md"
        ));
        let schema = include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/docs/json-schema-report.json"
        ));
        for rule in RULES {
            let name = serde_json::to_value(rule).unwrap();
            let heading = format!("### `{}`", name.as_str().unwrap());
            assert!(manual.contains(&heading), "{heading}");
            assert!(
                schema.contains(&format!("{name},\n")) || rule == Rule::Denied,
                "{name}"
            );
        }
    }

    const RULES: [Rule; 23] = [
        Rule::KernelThread,
        Rule::Ownership,
        Rule::Namespace,
        Rule::Credentials,
        Rule::Access,
        Rule::Overcommit,
        Rule::Choice,
        Rule::Arguments,
        Rule::OnlyRead,
        Rule::NothingInherited,
        Rule::SameId,
        Rule::OrChain,
        Rule::Listing,
        Rule::UnknownVerdict,
        Rule::More,
        Rule::Search,
        Rule::Gate,
        Rule::Sometimes,
        Rule::Unaudited,
        Rule::Granted,
        Rule::DeniedSucceeded,
        Rule::DeniedOtherwise,
        Rule::Denied,
    ];

    #[test]
    fn a_needed_capability_outranks_every_other_class() {
        assert!(Class::Needed < Class::Denied);
        assert!(Class::Denied < Class::CouldNotTell);
        assert!(Class::CouldNotTell < Class::AskedNotNeeded);
        assert!(Class::AskedNotNeeded < Class::Advisory);
    }
}
