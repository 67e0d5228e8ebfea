//! The text as users read it.

use super::*;
use crate::capability::Capability;
use crate::event::Task;
use crate::profile::observation::tests::{audited, denied, granted, once, times};
use crate::profile::{Case, Outcome, Phase, Run};

/// A run with something in every class.
pub(crate) fn varied() -> Report {
    let mut overcommit = granted(
        Capability::SYS_ADMIN,
        "security_vm_enough_memory_mm",
        "mmap",
    );
    overcommit.facts.audit = audited(false);
    let mut kernel = granted(Capability::CHOWN, "setattr_prepare", "chown");
    kernel.facts.task = Some(Task::KernelThread);
    let mut unknown = granted(Capability::NET_ADMIN, "dev_ioctl", "ioctl");
    unknown.facts.verdict = None;
    let failed = Outcome::SyscallFailed(libc::EPERM);
    let starting = Case {
        phase: Phase::Starting,
        ..granted(Capability::NET_RAW, "inet_create", "socket")
    };
    Report::new(
        Run {
            command: ["ping", "-c1", "127.0.0.1"].map(str::to_owned).to_vec(),
            kernel: Some("6.1.0-40-amd64".to_owned()),
            hook: Some("kprobe".to_owned()),
            duration: 1_234_000_000,
            ..Run::default()
        },
        once([
            kernel,
            unknown,
            starting,
            granted(Capability::SYS_ADMIN, "path_mount", "mount"),
            denied(Capability::SYS_NICE, "can_nice", "setpriority", failed),
            denied(
                Capability::DAC_READ_SEARCH,
                "generic_permission",
                "openat",
                Outcome::SyscallSucceeded,
            ),
        ])
        .into_iter()
        .chain([times(1_014, overcommit)]),
    )
}

#[test]
fn it_begins_with_the_answer() {
    let text = text(&varied());
    let mut lines = text.lines();
    assert_eq!(
        lines.next(),
        Some("ping -c1 127.0.0.1: needs CAP_NET_RAW, CAP_SYS_ADMIN.")
    );
    assert_eq!(
        lines.next(),
        Some("Denied, and may be needed: CAP_SYS_NICE.")
    );
    assert_eq!(
        lines.next(),
        Some("Could not tell whether needed: CAP_NET_ADMIN.")
    );
}

#[test]
fn it_fits_80_columns() {
    for line in text(&varied()).lines() {
        assert!(line.chars().count() <= WIDTH, "{line}");
    }
}

#[test]
fn it_says_what_was_left_out_and_what_else_a_capability_was_asked_for() {
    let text = text(&varied());
    assert!(text.contains("1 check made by kernel threads"), "{text}");
    assert!(text.contains("CAP_NET_RAW: granted once\n"), "{text}");
    assert!(
        text.contains("CAP_SYS_ADMIN: granted 1015 times\n"),
        "{text}"
    );
    assert!(
        text.contains("- advisory, 1014 checks: the kernel asks this whenever"),
        "{text}"
    );
}

#[test]
fn a_loss_comes_first_and_is_loud() {
    let mut report = varied();
    report.incomplete = Some(vec![ReportedLoss {
        cause: "the buffer was full".to_owned(),
        lost: Some(1_200),
    }]);
    let text = text(&report);
    assert!(text.starts_with("INCOMPLETE: the set may lack"), "{text}");
    let unwrapped = text.replace("\n  ", " ");
    assert!(
        unwrapped.contains("1200 because the buffer was full."),
        "{text}"
    );
    assert!(unwrapped.contains(": needs at least CAP_NET_RAW"), "{text}");
    assert!(
        unwrapped.contains("were seen in 1.2 s; INCOMPLETE"),
        "{text}"
    );
}

#[test]
fn a_refusal_is_named_below_the_answer() {
    let failed = Outcome::SyscallFailed(libc::EPERM);
    let refused = denied(Capability::CHOWN, "setattr_prepare", "fchownat", failed);
    let text = text(&Report::new(Run::default(), once([refused])));
    assert!(
        text.contains("Denied, and may be needed: CAP_CHOWN."),
        "{text}"
    );
}

#[test]
fn a_name_cannot_colour_the_terminal() {
    let mut check = granted(Capability::CHOWN, "setattr_prepare", "chown");
    check.program = "\x1b[31mred".into();
    let report = Report::new(
        Run {
            command: vec!["\x1b]0;title\x07".to_owned()],
            ..Run::default()
        },
        once([check]),
    );
    assert!(!text(&report).contains('\x1b'));
}
