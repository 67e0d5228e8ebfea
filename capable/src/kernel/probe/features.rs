//! What this kernel offers and what this process may do, probed once.
//!
//! Each answer is yes, no or unknown, the last two with a reason. Probing changes nothing: it reads
//! files, and loads programs of a few instructions that are dropped at once.
//!
//! For tests of every fallback, the environment can force an answer: `CAPABLE_PROBE_NAME=no`,
//! `=yes` or `=unknown`, where NAME is one of those in [`Features::parts`], such as `KPROBE`.

use std::path::{Path, PathBuf};

use super::support::{
    OUTSIDE,
    Support::{No, Yes},
};
use super::{attempt, system};
use crate::capability::{Capability, CapabilitySet};
use crate::kernel::{
    bpf::{memory_limit, perf},
    btf::{
        Btf, VMLINUX,
        offsets::{self, Layout},
    },
};

pub use super::support::{Lack, Support};
pub use super::system::Lockdown;

/// `PROC_USER_INIT_INO` and `PROC_PID_INIT_INO` (include/linux/proc_ns.h).
const INITIAL_USER_NAMESPACE: u32 = 0xEFFF_FFFD;
const INITIAL_PID_NAMESPACE: u32 = 0xEFFF_FFFC;

/// What this kernel offers and what this process may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Features {
    /// The kernel's release, as uname(2) gives it.
    pub release: String,
    /// Type information can be read.
    pub btf: Support,
    /// What the type information says about the structures that the tracer reads.
    pub layout: Layout,
    /// This process may load tracing programs.
    pub bpf: Support,
    /// Programs may read the kernel's memory.
    pub kernel_reads: Support,
    /// This process may open perf events for all processes: kprobes and perf buffers need it.
    pub perf_events: Support,
    /// Kprobes are built in and not switched off.
    pub kprobe: Support,
    /// So are those at a function's return.
    pub kretprobe: Support,
    /// The kernel accepts a program that runs after `cap_capable`.
    pub fexit: Support,
    /// The kernel accepts a program at the tracepoint `capability:cap_capable`.
    pub tracepoint: Support,
    /// The kernel has the BPF ring buffer.
    pub ring_buffer: Support,
    /// BPF memory is charged to the cgroup, not to `RLIMIT_MEMLOCK`.
    pub memory: Support,
    /// Addresses of kernel functions can be read.
    pub symbols: Support,
    /// BPF programs are compiled, not interpreted.
    pub jit: Support,
    /// How far the kernel is locked down.
    pub lockdown: Lockdown,
    /// The effective capabilities of this process.
    pub effective: CapabilitySet,
    /// This process is in the initial user namespace, without which its capabilities do not count.
    pub initial_user_namespace: Support,
    /// This process is in the initial pid namespace, whose numbers are shown for processes.
    pub initial_pid_namespace: Support,
    /// Where the version 2 hierarchy of control groups is mounted.
    pub cgroup_mount: Option<PathBuf>,
    /// `kernel.perf_event_paranoid`; Debian and Ubuntu have values of 3 and more.
    pub perf_event_paranoid: Option<i64>,
    /// `kernel.kptr_restrict`
    pub kptr_restrict: Option<i64>,
    /// `kernel.unprivileged_bpf_disabled`
    pub unprivileged_bpf_disabled: Option<i64>,
}

impl Features {
    /// Probes the running kernel, and applies what the environment forces. What BTF does not tell
    /// about the audit argument stays unknown; [`calibration::probe`] finds it out.
    ///
    /// [`calibration::probe`]: crate::kernel::trace::calibration::probe
    pub(in crate::kernel) fn probe() -> Self {
        let mut features = Self::probe_kernel();
        features.force(|name| std::env::var(format!("CAPABLE_PROBE_{name}")).ok());
        features
    }

    fn probe_kernel() -> Self {
        let lockdown = system::lockdown(Path::new("/sys/kernel/security"));
        let effective = system::effective();
        let initial_user_namespace = system::is_initial_namespace("user", INITIAL_USER_NAMESPACE);
        let perf_event_paranoid = system::setting("kernel/perf_event_paranoid");
        let kptr_restrict = system::setting("kernel/kptr_restrict");
        let (btf, mut layout) = read_layout(Path::new(VMLINUX));
        let charged = attempt::memory_charged_to_cgroup();
        let bpf = may_load(effective, &initial_user_namespace);
        let memory = match bpf {
            Yes => charged,
            _ => attempt::not_tried(),
        };
        layout.typed_task = attempt::typed_task(&bpf, &layout);
        let kernel_reads = match lockdown {
            Lockdown::Confidentiality => {
                system::confidentiality("reading kernel memory in BPF programs")
            }
            _ => attempt::kernel_reads(&bpf),
        };
        let mut kprobe = system::kprobe(&lockdown);
        if kprobe.is_yes() && matches!(lockdown, Lockdown::Unknown(_)) && kernel_reads.is_no() {
            kprobe = Support::unknown("the kernel seems to be under lockdown=confidentiality");
        }
        Self {
            release: release(),
            fexit: attempt::fexit(&bpf, &btf, &layout),
            tracepoint: attempt::tracepoint(&bpf, &btf, &layout),
            ring_buffer: attempt::ring_buffer(&bpf),
            perf_events: may_open_events(effective, perf_event_paranoid, &initial_user_namespace),
            kretprobe: system::kretprobe(&kprobe),
            symbols: system::symbols(kptr_restrict, &initial_user_namespace),
            jit: system::jit(),
            initial_pid_namespace: system::is_initial_namespace("pid", INITIAL_PID_NAMESPACE),
            cgroup_mount: system::cgroup_mount(),
            unprivileged_bpf_disabled: system::setting("kernel/unprivileged_bpf_disabled"),
            btf,
            layout,
            bpf,
            kernel_reads,
            kprobe,
            memory,
            lockdown,
            effective,
            initial_user_namespace,
            perf_event_paranoid,
            kptr_restrict,
        }
    }

    /// Every answer by the name that the environment and `capable doctor -o json` use.
    pub fn parts(&mut self) -> [(&'static str, &mut Support); 11] {
        [
            ("BTF", &mut self.btf),
            ("BPF", &mut self.bpf),
            ("KERNEL_READS", &mut self.kernel_reads),
            ("PERF_EVENTS", &mut self.perf_events),
            ("KPROBE", &mut self.kprobe),
            ("KRETPROBE", &mut self.kretprobe),
            ("FEXIT", &mut self.fexit),
            ("TRACEPOINT", &mut self.tracepoint),
            ("RING_BUFFER", &mut self.ring_buffer),
            ("MEMORY", &mut self.memory),
            ("SYMBOLS", &mut self.symbols),
        ]
    }

    /// Applies forced answers.
    fn force(&mut self, forced: impl Fn(&str) -> Option<String>) {
        for (name, support) in self.parts() {
            let Some(answer) = forced(name) else { continue };
            let setting = format!("CAPABLE_PROBE_{name}={answer}");
            *support = match answer.as_str() {
                "yes" => Yes,
                "no" => Support::no(setting),
                "unknown" => Support::unknown(setting),
                _ => Support::unknown(format!("{setting} is not valid: give yes, no or unknown")),
            };
        }
        if self.btf.is_no() {
            self.layout = Layout::UNKNOWN;
        }
    }
}

fn release() -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    release.trim().to_owned()
}

fn read_layout(path: &Path) -> (Support, Layout) {
    let remedy = "use a kernel with CONFIG_DEBUG_INFO_BTF=y, or --hook kretprobe, which needs no \
     BTF";
    if !path.exists() {
        let reason = format!(
            "{} does not exist: this kernel is built without CONFIG_DEBUG_INFO_BTF",
            path.display()
        );
        return (No(Lack::with_remedy(reason, remedy)), Layout::UNKNOWN);
    }
    match Btf::read(path, &offsets::QUERY).and_then(|btf| Layout::resolve(&btf)) {
        Ok(layout) => (Yes, layout),
        Err(error) => (
            No(Lack::with_remedy(error.to_string(), remedy)),
            Layout::UNKNOWN,
        ),
    }
}

/// This kernel is built without a setting that nothing else can replace.
fn without(setting: &str) -> Support {
    No(Lack::with_remedy(
        format!("this kernel is built without {setting}"),
        "use a kernel that has it",
    ))
}

/// May this process load tracing programs, and if not, what is missing?
fn may_load(effective: CapabilitySet, initial_user_namespace: &Support) -> Support {
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
fn may_open_events(
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
    fn the_environment_forces_each_answer_and_nothing_else() {
        let untouched = Features::probe_kernel();
        let names: Vec<&str> = untouched.clone().parts().map(|(name, _)| name).to_vec();
        for name in names {
            for (answer, expected) in [
                ("yes", Yes),
                ("no", Support::no(format!("CAPABLE_PROBE_{name}=no"))),
                (
                    "unknown",
                    Support::unknown(format!("CAPABLE_PROBE_{name}=unknown")),
                ),
            ] {
                let mut features = untouched.clone();
                features.force(|asked| (asked == name).then(|| answer.to_owned()));
                let mut before = untouched.clone();
                for ((part, forced), (_, plain)) in features.parts().into_iter().zip(before.parts())
                {
                    let wanted = if part == name { &expected } else { &*plain };
                    assert_eq!(forced, wanted, "{part} with {name}={answer}");
                }
            }
        }
    }

    #[test]
    fn an_answer_that_is_none_is_not_taken_for_one() {
        let mut features = Features::probe_kernel();
        features.force(|name| (name == "BTF").then(|| "off".to_owned()));
        let Support::Unknown(lack) = &features.btf else {
            panic!("{:?}", features.btf);
        };
        assert_eq!(
            lack.reason,
            "CAPABLE_PROBE_BTF=off is not valid: give yes, no or unknown"
        );
    }

    #[test]
    fn without_type_information_nothing_is_known_of_it() {
        let (btf, layout) = read_layout(Path::new("/nonexistent"));
        assert!(btf.is_no());
        assert_eq!(layout, Layout::UNKNOWN);
        let damaged = tempfile::NamedTempFile::new().unwrap();
        assert!(read_layout(damaged.path()).0.is_no());
    }

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
