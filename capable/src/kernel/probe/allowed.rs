//! What this process may do, and why not.

use std::path::Path;

use super::{
    attempt,
    support::{
        Lack, OUTSIDE, Support,
        Support::{No, Yes},
    },
    system,
};
use crate::{
    capability::{Capability, CapabilitySet},
    kernel::bpf::{memory_limit, perf},
};

/// May this process load tracing programs, and if not, what is missing?
pub(super) fn may_load(effective: CapabilitySet, initial_user_namespace: &Support) -> Support {
    if let Some(lack) = system::open_files().and_then(too_few_files) {
        return No(lack);
    }
    if !Path::new("/sys/kernel").exists() {
        return No(Lack::with_remedy(
            "/sys is not mounted, where the kernel describes its types, hooks and processors",
            "mount -t sysfs sysfs /sys",
        ));
    }
    let Err(error) = attempt::programs() else {
        return Yes;
    };
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => {}
        Some(libc::ENOSYS) => {
            return without("CONFIG_BPF_SYSCALL");
        }
        Some(libc::EINVAL) => {
            return without("CONFIG_BPF_EVENTS");
        }
        _ => return Support::unknown(format!("the kernel's answer is unclear: {error}")),
    }
    No(no_programs(
        effective,
        initial_user_namespace,
        memory_limit::bytes(),
    ))
}

/// This kernel is built without a setting that nothing else can replace.
fn without(setting: &str) -> Support {
    No(Lack::with_remedy(
        format!("this kernel is built without {setting}"),
        "use a kernel that has it",
    ))
}

/// Why no trace can start in a process that may have only so many files open.
fn too_few_files(limit: u64) -> Option<Lack> {
    /// Each map, program and hook is an open file: `run` has 48 on Linux 6.18. Perf buffers are
    /// one more for each processor.
    const FILES: u64 = 64;
    (limit < FILES).then(|| {
        Lack::with_remedy(
            format!("this process may have {limit} files open, and tracing takes up to {FILES}"),
            format!("run `ulimit -n {FILES}` first, or more"),
        )
    })
}

/// Why the kernel refuses programs to a process with this limit on locked memory.
fn no_programs(
    effective: CapabilitySet,
    initial_user_namespace: &Support,
    limit: Option<u64>,
) -> Lack {
    if initial_user_namespace.is_no() {
        return Lack::with_remedy(
            "this process is in a user namespace, and capabilities held there do not count for \
             BPF",
            OUTSIDE,
        );
    }
    let missing = [Capability::BPF, Capability::PERFMON].map(|capability| {
        let missing = !effective.contains(capability);
        missing.then(|| capability.to_string())
    });
    let missing: Vec<String> = missing.into_iter().flatten().collect();
    // CAP_SYS_ADMIN stands in for both.
    if !missing.is_empty() && !effective.contains(Capability::SYS_ADMIN) {
        return Lack::with_remedy(
            format!("this process lacks {}", missing.join(" and ")),
            "run capable as root (sudo), or give it CAP_BPF and CAP_PERFMON",
        );
    }
    let others = "a seccomp filter (container runtimes set one), a Linux security module, or a \
                  kernel before 5.8, which requires CAP_SYS_ADMIN";
    match limit {
        Some(bytes) => Lack::with_remedy(
            format!(
                "the kernel refuses bpf(2) although this process holds the capabilities for it, \
                 and the limit on locked memory is {} KiB, to which kernels before 5.11 charge \
                 all programs and maps of a user",
                bytes / 1024
            ),
            format!(
                "run `ulimit -l unlimited` first, or add CAP_SYS_RESOURCE, with which capable \
                 lifts the limit itself; if that does not help, find out what forbids it: {others}"
            ),
        ),
        None => Lack::with_remedy(
            "the kernel refuses bpf(2) although this process holds the capabilities for it",
            format!("find out what forbids it: {others}"),
        ),
    }
}

/// May this process open perf events, and if not, what is missing?
pub(super) fn may_open_events(
    effective: CapabilitySet,
    paranoid: Option<i64>,
    initial_user_namespace: &Support,
) -> Support {
    let Err(error) = perf::open_bpf_output() else {
        return Yes;
    };
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => {}
        Some(libc::ENOSYS | libc::ENOENT) => {
            return without("CONFIG_PERF_EVENTS");
        }
        _ => return Support::unknown(format!("the kernel's answer is unclear: {error}")),
    }
    No(no_events(effective, paranoid, initial_user_namespace))
}

/// Why the kernel refuses perf events to a process.
fn no_events(
    effective: CapabilitySet,
    paranoid: Option<i64>,
    initial_user_namespace: &Support,
) -> Lack {
    match paranoid {
        _ if initial_user_namespace.is_no() => Lack::with_remedy(
            "this process is in a user namespace, and capabilities held there do not count for \
             perf events",
            OUTSIDE,
        ),
        Some(level @ 3..) if !effective.contains(Capability::SYS_ADMIN) => Lack::with_remedy(
            format!(
                "kernel.perf_event_paranoid is {level}, with which this distribution's kernel \
                 allows perf_event_open only to CAP_SYS_ADMIN"
            ),
            "run `sysctl kernel.perf_event_paranoid=2`, or add CAP_SYS_ADMIN",
        ),
        _ if !effective.contains(Capability::PERFMON) => Lack::with_remedy(
            "this process lacks CAP_PERFMON",
            "run capable as root (sudo), or give it CAP_BPF and CAP_PERFMON",
        ),
        _ => Lack::with_remedy(
            "the kernel refuses perf_event_open although this process holds the capability for \
             it",
            "find out what forbids it: a seccomp filter (container runtimes set one) or a Linux \
             security module",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_refuses_is_told_from_what_the_user_may_not_do() {
        let (everything, nothing) = (CapabilitySet::from_bits(u64::MAX), CapabilitySet::EMPTY);
        let inside = Support::no("this process is in a user namespace");
        for (held, paranoid, initial, reason, remedy) in [
            (
                nothing,
                Some(4),
                &Yes,
                "is 4",
                "sysctl kernel.perf_event_paranoid=2",
            ),
            (nothing, Some(2), &Yes, "lacks CAP_PERFMON", "sudo"),
            (
                everything,
                Some(2),
                &Yes,
                "although this process holds",
                "seccomp",
            ),
            (
                everything,
                Some(4),
                &inside,
                "user namespace",
                "on the host",
            ),
        ] {
            let lack = no_events(held, paranoid, initial);
            assert!(lack.reason.contains(reason), "{lack}");
            assert!(lack.remedy.unwrap().contains(remedy), "{reason}");
        }
    }

    #[test]
    fn a_limit_on_open_files_that_is_too_low_is_told_before_any_attempt() {
        assert_eq!(too_few_files(1024), None);
        let lack = too_few_files(9).unwrap();
        assert!(lack.reason.contains("may have 9 files open"), "{lack}");
        assert!(lack.remedy.unwrap().contains("ulimit -n 64"));
    }

    #[test]
    fn a_limit_that_could_not_be_lifted_is_named_before_what_else_may_refuse_programs() {
        let everything = CapabilitySet::from_bits(u64::MAX);
        let two: CapabilitySet = [Capability::BPF, Capability::PERFMON].into_iter().collect();
        let reason = |held, limit| no_programs(held, &Yes, limit).to_string();
        assert!(
            reason(CapabilitySet::EMPTY, Some(65536)).contains("lacks CAP_BPF and CAP_PERFMON")
        );
        assert!(!reason(everything, None).contains("locked memory"));
        let limited = no_programs(two, &Yes, Some(65536));
        assert!(
            limited.reason.contains("limit on locked memory is 64 KiB"),
            "{limited}"
        );
        let remedy = limited.remedy.unwrap();
        assert!(remedy.starts_with("run `ulimit -l unlimited`"), "{remedy}");
    }
}
