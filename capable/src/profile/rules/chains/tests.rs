//! Or-chains, as the kernel makes them.

use super::super::judge;
use super::*;
use crate::profile::observation::tests::{denied, granted, once, times};
use crate::profile::{Outcome, Phase};

/// Capability, class and count of each part.
fn said(observations: &[Observation]) -> Vec<(Capability, Class, u64)> {
    let mut said: Vec<_> = split(observations)
        .iter()
        .map(|part| match judge(part) {
            Ruling::Counts(finding) => (
                part.observation.case.facts.capability,
                finding.class,
                part.observation.count,
            ),
            Ruling::LeftOut { why, .. } => panic!("left out: {why}"),
        })
        .collect();
    said.sort();
    said
}

const BPF_CALL: (&str, &str) = ("bpf_check", "bpf");

fn bpf_denied(capability: Capability, outcome: Outcome) -> Case {
    denied(capability, BPF_CALL.0, BPF_CALL.1, outcome)
}

#[test]
fn the_narrow_one_is_needed_where_the_wide_one_stood_in_for_it() {
    let said = said(&[
        times(3, bpf_denied(Capability::BPF, Outcome::SyscallSucceeded)),
        times(3, granted(Capability::SYS_ADMIN, BPF_CALL.0, BPF_CALL.1)),
    ]);
    assert_eq!(
        said,
        [
            (Capability::SYS_ADMIN, Class::AskedNotNeeded, 3),
            (Capability::BPF, Class::Needed, 3),
        ]
    );
}

#[test]
fn the_finding_names_the_alternative() {
    let parts = split(&once([
        denied(
            Capability::DAC_READ_SEARCH,
            "generic_permission",
            "openat",
            Outcome::SyscallSucceeded,
        ),
        granted(Capability::DAC_OVERRIDE, "generic_permission", "openat"),
    ]));
    let needed: Vec<_> = parts
        .iter()
        .filter_map(|part| match judge(part) {
            Ruling::Counts(finding) if finding.class == Class::Needed => {
                Some((part.observation.case.facts.capability, finding.alternative))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        needed,
        [(Capability::DAC_READ_SEARCH, Some(Capability::DAC_OVERRIDE))]
    );
}

#[test]
fn grants_of_the_wide_one_that_the_chain_does_not_explain_remain_a_need() {
    let said = said(&[
        times(
            2,
            denied(
                Capability::DAC_READ_SEARCH,
                "generic_permission",
                "openat",
                Outcome::SyscallSucceeded,
            ),
        ),
        times(
            5,
            granted(Capability::DAC_OVERRIDE, "generic_permission", "openat"),
        ),
    ]);
    assert_eq!(
        said,
        [
            (Capability::DAC_OVERRIDE, Class::Needed, 3),
            (Capability::DAC_OVERRIDE, Class::AskedNotNeeded, 2),
            (Capability::DAC_READ_SEARCH, Class::Needed, 2),
        ]
    );
}

#[test]
fn where_both_were_denied_only_the_narrow_one_may_be_a_need() {
    let failed = Outcome::SyscallFailed(libc::EPERM);
    let said = said(&once([
        bpf_denied(Capability::BPF, failed),
        bpf_denied(Capability::SYS_ADMIN, failed),
    ]));
    assert_eq!(
        said,
        [
            (Capability::SYS_ADMIN, Class::AskedNotNeeded, 1),
            (Capability::BPF, Class::Denied, 1),
        ]
    );
}

#[test]
fn two_narrow_ones_share_the_grants_of_one_wide_one() {
    let succeeded = Outcome::SyscallSucceeded;
    let said = said(&[
        times(2, bpf_denied(Capability::BPF, succeeded)),
        times(2, bpf_denied(Capability::PERFMON, succeeded)),
        times(4, granted(Capability::SYS_ADMIN, BPF_CALL.0, BPF_CALL.1)),
    ]);
    assert_eq!(
        said,
        [
            (Capability::SYS_ADMIN, Class::AskedNotNeeded, 2),
            (Capability::SYS_ADMIN, Class::AskedNotNeeded, 2),
            (Capability::PERFMON, Class::Needed, 2),
            (Capability::BPF, Class::Needed, 2),
        ]
    );
}

#[test]
fn checks_of_another_function_process_or_phase_are_no_chain() {
    let narrow = bpf_denied(Capability::BPF, Outcome::SyscallSucceeded);
    let wide = granted(Capability::SYS_ADMIN, BPF_CALL.0, BPF_CALL.1);
    let mut elsewhere = wide.clone();
    elsewhere.caller = Some("path_mount".into());
    let mut another = wide.clone();
    another.pid = Some(8);
    let mut earlier = wide.clone();
    earlier.phase = Phase::Starting;
    for other in [elsewhere, another, earlier] {
        assert!(said(&once([narrow.clone(), other])).contains(&(
            Capability::SYS_ADMIN,
            Class::Needed,
            1
        )));
    }
}

#[test]
fn a_chain_of_some_functions_only_is_none_in_others() {
    let chain = |caller: &str| {
        said(&once([
            denied(
                Capability::SYS_RESOURCE,
                caller,
                "clone",
                Outcome::SyscallSucceeded,
            ),
            granted(Capability::SYS_ADMIN, caller, "clone"),
        ]))
    };
    assert!(chain("copy_process").contains(&(Capability::SYS_RESOURCE, Class::Needed, 1)));
    assert!(chain("elsewhere").contains(&(Capability::SYS_ADMIN, Class::Needed, 1)));
}

#[test]
fn where_the_wide_one_is_asked_first_the_narrow_one_is_named_all_the_same() {
    let said = said(&once([granted(
        Capability::SYS_ADMIN,
        "ioprio_check_cap",
        "ioprio_set",
    )]));
    assert_eq!(
        said,
        [
            (Capability::SYS_ADMIN, Class::AskedNotNeeded, 1),
            (Capability::SYS_NICE, Class::Needed, 0),
        ]
    );
}

#[test]
fn no_check_is_lost() {
    let succeeded = Outcome::SyscallSucceeded;
    let observations = [
        times(7, bpf_denied(Capability::BPF, succeeded)),
        times(2, bpf_denied(Capability::SYS_ADMIN, succeeded)),
        times(3, granted(Capability::SYS_ADMIN, BPF_CALL.0, BPF_CALL.1)),
        times(11, granted(Capability::CHOWN, "setattr_prepare", "chown")),
    ];
    let total: u64 = split(&observations)
        .iter()
        .map(|part| part.observation.count)
        .sum();
    assert_eq!(total, 23);
}

#[test]
fn a_chain_in_a_function_that_is_not_known_is_not_certain_and_says_so() {
    let parts = split(&once([
        denied(
            Capability::DAC_READ_SEARCH,
            "",
            "openat",
            Outcome::SyscallSucceeded,
        ),
        granted(Capability::DAC_OVERRIDE, "", "openat"),
    ]));
    assert_eq!(parts.len(), 2);
    for part in parts {
        let Ruling::Counts(finding) = judge(&part) else {
            panic!("left out: {part:?}");
        };
        assert_eq!(finding.rule, Rule::OrChain);
        assert!(!finding.certain, "{finding:?}");
        assert!(finding.why.to_string().contains("not known"), "{finding:?}");
    }
}
