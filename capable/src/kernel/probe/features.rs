//! What this kernel offers and what this process may do, probed once.
//!
//! Each answer is yes, no or unknown, the last two with a reason. Probing changes nothing: it reads
//! files, and loads programs of a few instructions that are dropped at once.
//!
//! For tests of every fallback, the environment can force an answer: `CAPABLE_PROBE_NAME=no`,
//! `=yes` or `=unknown`, where NAME is one of those in [`Features::parts`], such as `KPROBE`.

use std::path::{Path, PathBuf};

use super::support::Support::{No, Yes};
use super::{
    allowed::{may_load, may_open_events},
    attempt, system,
};
use crate::capability::CapabilitySet;
use crate::kernel::btf::{
    Btf, VMLINUX,
    offsets::{self, Layout},
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
}
