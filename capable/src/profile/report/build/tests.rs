//! What the report says about a run.

use super::*;
use crate::profile::observation::tests::{audited, denied, granted, once, times};
use crate::profile::report::ReportedLoss;

fn report(observations: Vec<Observation>) -> Report {
    Report::new(Run::default(), observations)
}

#[test]
fn the_needed_set_is_the_answer_and_the_noise_is_named() {
    let mut overcommit = times(
        1_014,
        granted(
            Capability::SYS_ADMIN,
            "security_vm_enough_memory_mm",
            "mmap",
        ),
    );
    overcommit.case.facts.audit = audited(false);
    let report = report(vec![
        overcommit,
        times(1, granted(Capability::NET_RAW, "inet_create", "socket")),
    ]);
    assert_eq!(report.needed, Capability::NET_RAW.into());
    assert_eq!(report.checks, 1_015);
    assert_eq!(
        report.of_class(Class::Advisory),
        Capability::SYS_ADMIN.into()
    );
    assert_eq!(report.capabilities[0].capability, Capability::NET_RAW);
}

#[test]
fn a_capability_with_several_classes_has_the_strongest_and_shows_all() {
    let mut overcommit = times(
        9,
        granted(Capability::SYS_ADMIN, "security_vm_enough_memory_mm", "brk"),
    );
    overcommit.case.facts.audit = audited(false);
    let report = report(vec![
        overcommit,
        times(1, granted(Capability::SYS_ADMIN, "path_mount", "mount")),
    ]);
    let [only] = report.capabilities.as_slice() else {
        panic!("{:?}", report.capabilities);
    };
    assert_eq!(only.class, Class::Needed);
    assert!(only.why.contains("path_mount"));
    let classes: Vec<_> = only.evidence.iter().map(|line| line.class).collect();
    assert_eq!(classes, [Class::Needed, Class::Advisory]);
    assert_eq!(only.counts.checks, 10);
    assert_eq!(only.counts.unaudited, 9);
}

#[test]
fn what_is_needed_only_while_starting_is_said_so() {
    let mut bind = granted(Capability::NET_BIND_SERVICE, "__inet_bind", "bind");
    bind.phase = Phase::Starting;
    let settled = Run {
        settled: true,
        ..Run::default()
    };
    let starting = Report::new(settled, once([bind.clone()]));
    assert!(starting.capabilities[0].starting_only);
    assert!(starting.capabilities[0].why.contains("only while starting"));
    let ended_at_once = report(once([bind.clone()]));
    assert!(!ended_at_once.capabilities[0].starting_only);
    let mut later = bind.clone();
    later.phase = Phase::Running;
    let both = report(once([bind, later]));
    assert!(!both.capabilities[0].starting_only);
}

#[test]
fn nothing_is_dropped_without_a_line_that_says_how_many_and_why() {
    let mut kernel = times(12, granted(Capability::SYS_ADMIN, "do_mount", "mount"));
    kernel.case.facts.task = Some(Task::KernelThread);
    let mut other = kernel.clone();
    other.case.facts.capability = Capability::CHOWN;
    let report = report(vec![kernel, other]);
    assert!(report.capabilities.is_empty());
    let [line] = report.left_out.as_slice() else {
        panic!("{:?}", report.left_out);
    };
    assert_eq!(line.checks, 24);
    assert_eq!(line.capabilities.len(), 2);
    assert_eq!(report.checks, 24);
}

#[test]
fn every_check_is_counted_once() {
    let failed = Outcome::SyscallFailed(libc::EPERM);
    let report = report(vec![
        times(
            5,
            denied(
                Capability::PERFMON,
                "perf_event_open",
                "perf_event_open",
                failed,
            ),
        ),
        times(
            5,
            denied(
                Capability::SYS_ADMIN,
                "perf_event_open",
                "perf_event_open",
                failed,
            ),
        ),
        times(3, granted(Capability::CHOWN, "setattr_prepare", "chown")),
    ]);
    let counted: u64 = report
        .capabilities
        .iter()
        .map(|each| each.counts.checks)
        .sum();
    let left_out: u64 = report.left_out.iter().map(|line| line.checks).sum();
    assert_eq!(counted + left_out, report.checks);
    assert_eq!(report.checks, 13);
}

#[test]
fn a_loss_makes_the_answer_incomplete() {
    let loss = ReportedLoss {
        cause: "the buffer was full".to_owned(),
        lost: Some(3),
    };
    let run = Run {
        losses: vec![loss.clone()],
        ..Run::default()
    };
    let report = Report::new(run, Vec::new());
    assert_eq!(report.incomplete, Some(vec![loss]));
}

#[test]
fn what_is_not_known_is_said() {
    let mut check = times(4, granted(Capability::CHOWN, "", "chown"));
    check.case.facts.verdict = None;
    let report = report(vec![check]);
    assert_eq!(report.capabilities[0].class, Class::CouldNotTell);
    assert!(report.needed.is_empty());
    assert_eq!(report.unknowns.len(), 2);
    assert!(report.unknowns[0].starts_with("4 checks without a known result"));
}

#[test]
fn a_narrow_capability_that_was_held_has_its_alternative() {
    let report = report(once([granted(Capability::BPF, "bpf_btf_load", "bpf")]));
    assert_eq!(
        report.capabilities[0].alternative,
        Some(Capability::SYS_ADMIN)
    );
}

/// ../shared/errata.md, "Alternatives that do not do": opening by handle takes no other capability,
/// and since 6.12 the kernel's log takes none either.
#[test]
fn an_alternative_must_do_at_every_place() {
    let alternative = |checks: Vec<_>| report(once(checks)).capabilities[0].alternative;
    let read = Capability::DAC_READ_SEARCH;
    let by_path = granted(read, "generic_permission", "openat");
    let by_handle = granted(read, "handle_to_path", "open_by_handle_at");
    assert_eq!(
        alternative(vec![by_path.clone()]),
        Some(Capability::DAC_OVERRIDE)
    );
    assert_eq!(alternative(vec![by_handle.clone()]), None);
    assert_eq!(alternative(vec![by_path, by_handle]), None);
    let log = granted(Capability::SYSLOG, "check_syslog_permissions", "syslog");
    assert!(log.place.is_some());
    assert_eq!(alternative(vec![log]), None);
    let unknown = granted(Capability::SYSLOG, "", "syslog");
    assert_eq!(alternative(vec![unknown]), None);
}

#[test]
fn the_busiest_places_are_listed_and_the_rest_is_counted() {
    let checks = (1..=7)
        .map(|number| {
            times(
                number,
                granted(Capability::CHOWN, &format!("caller_{number}"), "chown"),
            )
        })
        .collect();
    let report = report(checks);
    let places = &report.capabilities[0].places;
    assert_eq!(places.len(), PLACES);
    assert_eq!(places[0].caller.as_deref(), Some("caller_7"));
    assert_eq!(report.capabilities[0].more_places, 2);
}

#[test]
fn each_program_of_the_tree_gets_its_own_needs() {
    let mut mount = granted(Capability::SYS_ADMIN, "path_mount", "mount");
    mount.program = "mount".into();
    let chown = granted(Capability::CHOWN, "setattr_prepare", "chown");
    let report = report(once([mount, chown]));
    let by_program = report.needed_by_program();
    assert!(by_program.contains(&("mount", Capability::SYS_ADMIN.into())));
    assert!(by_program.contains(&("prog", Capability::CHOWN.into())));
}

#[test]
fn what_could_not_be_known_of_an_advisory_check_is_not_worth_a_sentence() {
    let overcommit = denied(
        Capability::SYS_ADMIN,
        "cap_vm_enough_memory",
        "mmap",
        Outcome::Unknown,
    );
    let kept = denied(
        Capability::CHOWN,
        "setattr_prepare",
        "chown",
        Outcome::Unknown,
    );
    assert_eq!(report(once([overcommit.clone()])).unknowns, [""; 0]);
    let unknowns = report(once([overcommit, kept])).unknowns;
    assert_eq!(unknowns.len(), 1);
    assert!(unknowns[0].starts_with("1 check denied"), "{unknowns:?}");
}
