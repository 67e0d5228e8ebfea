//! What passes the gate.

use std::fs;

use super::*;
use crate::profile::observation::tests::{audited, denied, granted, once};
use crate::profile::{Case, Outcome, Run};

fn report(cases: impl IntoIterator<Item = Case>) -> Report {
    Report::new(Run::default(), once(cases))
}

fn offending(report: &Report, allowed: &str) -> Vec<(Capability, Reason)> {
    offences(report, allowed.parse().unwrap())
        .iter()
        .map(|offence| (offence.report.capability, offence.reason))
        .collect()
}

#[test]
fn what_is_needed_offends_unless_it_is_allowed() {
    let report = report([granted(Capability::NET_RAW, "inet_create", "socket")]);
    assert_eq!(offending(&report, "net_raw"), []);
    assert_eq!(
        offending(&report, "none"),
        [(Capability::NET_RAW, Reason::Needed)]
    );
}

#[test]
fn the_overcommit_check_of_root_passes_the_gate() {
    let mut noise = granted(Capability::SYS_ADMIN, "cap_vm_enough_memory", "mmap");
    noise.facts.audit = audited(false);
    assert_eq!(offending(&report([noise]), "none"), []);
}

#[test]
fn a_wide_one_that_stood_in_for_a_narrow_one_is_used() {
    let report = report([
        denied(
            Capability::BPF,
            "bpf_check",
            "bpf",
            Outcome::SyscallSucceeded,
        ),
        granted(Capability::SYS_ADMIN, "bpf_check", "bpf"),
    ]);
    assert_eq!(
        offending(&report, "none"),
        [
            (Capability::BPF, Reason::Needed),
            (Capability::SYS_ADMIN, Reason::Used)
        ]
    );
    assert_eq!(offending(&report, "sys_admin"), []);
    assert_eq!(
        offending(&report, "bpf"),
        [(Capability::SYS_ADMIN, Reason::Used)]
    );
}

#[test]
fn a_denied_check_offends_nobody_and_an_unknown_one_does() {
    let failed = Outcome::SyscallFailed(libc::EPERM);
    let refused = denied(Capability::CHOWN, "setattr_prepare", "chown", failed);
    assert_eq!(offending(&report([refused.clone()]), "none"), []);
    let mut unknown = refused;
    unknown.facts.verdict = None;
    assert_eq!(
        offending(&report([unknown]), "none"),
        [(Capability::CHOWN, Reason::CouldNotTell)]
    );
}

#[test]
fn a_list_and_a_file_with_comments_allow_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("allowed");
    fs::write(&file, "# for ping\nnet_raw  # sockets\n\nCAP_CHOWN, kill\n").unwrap();
    let expected = "net_raw,chown,kill".parse().unwrap();
    assert_eq!(allowed("net_raw,chown,kill").unwrap(), expected);
    assert_eq!(allowed(file.to_str().unwrap()).unwrap(), expected);
    fs::write(&file, "net_raw\nnet_rwa\n").unwrap();
    let error = allowed(file.to_str().unwrap()).unwrap_err().to_string();
    assert!(
        error.contains("line 2") && error.contains("NET_RAW"),
        "{error}"
    );
}

#[test]
fn what_is_neither_a_list_nor_a_file_is_named() {
    let error = allowed("net_rwa").unwrap_err().to_string();
    assert!(error.contains("'net_rwa'"), "{error}");
    assert!(error.contains("did you mean CAP_NET_RAW"), "{error}");
    assert!(error.contains("nor a file"), "{error}");
}

#[test]
fn a_report_as_baseline_lets_only_what_is_new_offend() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let old = report([granted(Capability::NET_RAW, "inet_create", "socket")]);
    fs::write(&file, old.json().unwrap()).unwrap();
    let new = report([
        granted(Capability::NET_RAW, "inet_create", "socket"),
        granted(Capability::CHOWN, "setattr_prepare", "chown"),
    ]);
    let known = baseline(&file).unwrap();
    assert_eq!(known, allowed(file.to_str().unwrap()).unwrap());
    let found: Vec<_> = offences(&new, known)
        .iter()
        .map(|offence| offence.report.capability)
        .collect();
    assert_eq!(found, [Capability::CHOWN]);
}

#[test]
fn a_baseline_that_is_no_report_is_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("not.json");
    fs::write(&file, "net_raw\n").unwrap();
    let error = baseline(&file).unwrap_err().to_string();
    assert!(
        error.contains("not.json") && error.contains("not a report"),
        "{error}"
    );
}
