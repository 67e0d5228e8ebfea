//! What tracing can depend on, in the order in which it matters.

use serde::Serialize;

use super::{Lack, Plan, PlanError, Support};
use crate::kernel::probe::features::{Features, Lockdown};

/// One requirement and its answer.
#[derive(Debug, Serialize)]
pub(super) struct Requirement {
    /// Its name in JSON.
    pub name: &'static str,
    /// Its name in the table.
    #[serde(rename = "description")]
    pub label: &'static str,
    /// `None` if it could not be determined.
    pub works: Option<bool>,
    /// A note, although it works.
    pub note: Option<String>,
    /// Why it does not work, or why this could not be determined.
    pub reason: Option<String>,
    /// What to do about that.
    pub remedy: Option<String>,
    /// What a trace uses instead, so that nothing needs to be done about it.
    pub replaced_by: Option<&'static str>,
}

impl Requirement {
    fn new(name: &'static str, label: &'static str, support: &Support) -> Self {
        let lack = support.lack().cloned();
        Self {
            name,
            label,
            works: match support {
                Support::Yes => Some(true),
                Support::No(_) => Some(false),
                Support::Unknown(_) => None,
            },
            note: None,
            reason: lack.as_ref().map(|lack| lack.reason.clone()),
            remedy: lack.and_then(|lack| lack.remedy),
            replaced_by: None,
        }
    }

    fn with_note(mut self, note: Option<String>) -> Self {
        // The reason already says it better.
        self.note = note.filter(|_| self.reason.is_none());
        self
    }

    /// Fills in what a working trace uses instead.
    fn replace(&mut self, plan: &Plan) {
        self.replaced_by = match self.name {
            _ if self.works == Some(true) || plan.doubt.is_some() => None,
            "perf_events" | "kprobe" | "kretprobe" | "fexit" | "tracepoint" => {
                Some(plan.hook.name())
            }
            "ring_buffer" => Some(plan.transport.name()),
            _ => None,
        };
    }

    /// The answer as the table shows it.
    pub(super) fn answer(&self) -> &'static str {
        match self.works {
            Some(true) => "yes",
            Some(false) => "no",
            None => "can't tell",
        }
    }

    /// What the table says of the answer.
    pub(super) fn detail(&self) -> String {
        let replaced = self
            .replaced_by
            .map(|other| format!("not needed, because {other} works"));
        let parts = match &replaced {
            Some(_) => [&self.note, &self.reason, &replaced],
            None => [&self.note, &self.reason, &self.remedy],
        };
        let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        parts.join("; ")
    }
}

/// What hooks are made of. One of them is enough.
const HOOKS: [&str; 4] = ["kprobe", "kretprobe", "fexit", "tracepoint"];

/// Where no program may be loaded, it is not known whether another hook works: then what this kernel
/// lacks need not be mended.
fn leave_open(all: &mut [Requirement]) {
    let is_hook = |it: &Requirement| HOOKS.contains(&it.name);
    if !all.iter().any(|it| is_hook(it) && it.works.is_none()) {
        return;
    }
    let lacking = all
        .iter_mut()
        .filter(|it| is_hook(it) && it.works == Some(false));
    for requirement in lacking {
        requirement.remedy =
            Some("another hook may work: run capable doctor as root (sudo) to see".to_owned());
    }
}

/// Everything that tracing can depend on.
pub(super) fn requirements(
    features: &Features,
    plan: &Result<Plan, PlanError>,
) -> Vec<Requirement> {
    let f = features;
    let mut all = vec![
        Requirement::new("bpf", "loading BPF programs", &f.bpf),
        Requirement::new("perf_events", "opening perf events", &f.perf_events).with_note(
            f.perf_event_paranoid
                .map(|level| format!("kernel.perf_event_paranoid is {level}")),
        ),
        Requirement::new(
            "user_namespace",
            "initial user namespace",
            &user_namespace(f),
        ),
        lockdown(f),
        Requirement::new("btf", "type information (BTF)", &f.btf),
        Requirement::new("kernel_reads", "reading kernel memory", &f.kernel_reads),
        Requirement::new("kprobe", "kprobes", &f.kprobe),
        Requirement::new("kretprobe", "kretprobes", &f.kretprobe),
        Requirement::new("fexit", "fexit programs", &f.fexit),
        Requirement::new("tracepoint", "tracepoint cap_capable", &f.tracepoint),
        Requirement::new("ring_buffer", "BPF ring buffer", &f.ring_buffer),
        Requirement::new("memory", "BPF memory charged to cgroups", &f.memory),
        Requirement::new("symbols", "addresses of kernel functions", &f.symbols),
        Requirement::new("jit", "BPF compiler (JIT)", &f.jit),
        Requirement::new("pid_namespace", "initial pid namespace", &pid_namespace(f)),
        Requirement::new("cgroup2", "control groups version 2", &cgroup(f)).with_note(
            f.cgroup_mount
                .as_ref()
                .map(|path| format!("mounted at {}", path.display())),
        ),
    ];
    match plan {
        Ok(plan) => all.iter_mut().for_each(|each| each.replace(plan)),
        Err(PlanError::Bpf(_)) => leave_open(&mut all),
        Err(_) => {}
    }
    all
}

fn lockdown(features: &Features) -> Requirement {
    let (support, note) = match &features.lockdown {
        Lockdown::None => (Support::Yes, "not locked down"),
        Lockdown::Integrity => (Support::Yes, "lockdown=integrity, which allows tracing"),
        Lockdown::Confidentiality => (
            Support::No(Lack::with_remedy(
                "lockdown=confidentiality forbids kprobes and reads of kernel memory",
                "boot with lockdown=integrity, or without lockdown",
            )),
            "",
        ),
        // Confidentiality forbids these reads: if they work, it is not in force.
        Lockdown::Unknown(_) if features.kernel_reads.is_yes() => (
            Support::Yes,
            "not lockdown=confidentiality, because kernel memory can be read",
        ),
        Lockdown::Unknown(lack) => (Support::Unknown(lack.clone()), ""),
    };
    let note = (!note.is_empty()).then(|| note.to_owned());
    Requirement::new("lockdown", "lockdown allows kprobes", &support).with_note(note)
}

fn user_namespace(features: &Features) -> Support {
    match &features.initial_user_namespace {
        Support::No(lack) => Support::No(Lack::with_remedy(
            format!(
                "{}, and capabilities held there do not count for BPF",
                lack.reason
            ),
            "run capable on the host, or in a container with the host's user namespace",
        )),
        other => other.clone(),
    }
}

fn pid_namespace(features: &Features) -> Support {
    match &features.initial_pid_namespace {
        Support::No(lack) => Support::No(Lack::with_remedy(
            format!(
                "{}, so processes have other PIDs here than on the host, which are those that a \
                 trace shows",
                lack.reason
            ),
            "-p takes the PIDs of this namespace, and the column nspid shows them; `capable run` \
             works on the host only",
        )),
        other => other.clone(),
    }
}

fn cgroup(features: &Features) -> Support {
    match features.cgroup_mount {
        Some(_) => Support::Yes,
        None => Support::No(Lack::with_remedy(
            "cgroup2 is not mounted, so units and containers will not be known",
            "run `mount -t cgroup2 cgroup2 /sys/fs/cgroup`",
        )),
    }
}
