//! Which hook and which transport to use: a decision without side effects.
//!
//! Completeness first. The kprobe sees every call and evaluates the result itself; fexit and the
//! tracepoint give the kernel's own result but are skipped while they already run on the same
//! processor; a pair of kprobe and kretprobe needs no BTF, and gives the least.

mod error;
mod unknown;

use std::fmt;

use capable_common::{AuditArgument, NO_OFFSET, Offsets};

use super::btf::offsets::Layout;
use super::probe::features::{Features, Lack, Support};

pub use error::PlanError;
pub use unknown::Unknown;

/// How checks are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Hook {
    /// A kprobe on `cap_capable`, which evaluates the result itself
    Kprobe,
    /// A kprobe and a kretprobe on `cap_capable`: the one gives the arguments, the other the result
    #[value(name = "kretprobe")]
    KprobePair,
    /// A BPF program after `cap_capable`
    Fexit,
    /// The tracepoint capability:cap_capable (Linux 6.14 and later)
    Tracepoint,
}

impl Hook {
    /// All of them, the most complete first.
    pub const BY_PREFERENCE: [Self; 4] = [
        Self::Kprobe,
        Self::Fexit,
        Self::Tracepoint,
        Self::KprobePair,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kprobe => "kprobe",
            Self::KprobePair => "kretprobe",
            Self::Fexit => "fexit",
            Self::Tracepoint => "tracepoint",
        }
    }

    /// What it is attached to, as a user reads it.
    pub fn description(self) -> &'static str {
        match self {
            Self::Kprobe => "kprobe on cap_capable",
            Self::KprobePair => "kprobe and kretprobe on cap_capable",
            Self::Fexit => "fexit on cap_capable",
            Self::Tracepoint => "tracepoint capability:cap_capable",
        }
    }

    /// Whether it works here.
    pub fn support(self, features: &Features) -> Support {
        let f = features;
        match self {
            Self::Kprobe => Support::all([
                &f.bpf,
                &f.kprobe,
                &f.btf,
                &f.kernel_reads,
                &f.perf_events,
                &evaluates(&f.layout.offsets, &f.btf),
            ]),
            Self::KprobePair => Support::all([&f.bpf, &f.kprobe, &f.kretprobe, &f.perf_events]),
            Self::Fexit => Support::all([&f.bpf, &f.btf, &f.fexit]),
            Self::Tracepoint => Support::all([&f.bpf, &f.btf, &f.tracepoint]),
        }
    }

    /// What it may not see; all but the first kind is counted and shown as lost.
    pub fn may_miss(self) -> &'static [&'static str] {
        const SKIPPED: &str =
            "checks made while the program already runs on the same processor (counted)";
        match self {
            Self::Kprobe => &[],
            Self::KprobePair => &[
                "setting the securebits, where the compiler inlined its check (said at start)",
                "results, when more checks are under way at once than the kretprobe has room for (counted)",
            ],
            // The tracepoint is in the body, and is inlined with it.
            Self::Fexit | Self::Tracepoint => &[SKIPPED],
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Everything that evaluating a result takes must be found in the kernel's structures.
fn evaluates(offsets: &Offsets, btf: &Support) -> Support {
    let needed = [
        offsets.cred_euid,
        offsets.cred_effective,
        offsets.cred_user_ns,
        offsets.user_ns_parent,
        offsets.user_ns_level,
        offsets.user_ns_owner,
    ];
    if btf.is_yes() && needed.contains(&NO_OFFSET) {
        return Support::no("this kernel's BTF does not describe struct cred and user_namespace");
    }
    Support::Yes
}

/// How records reach user space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Transport {
    /// The BPF ring buffer, one for all processors (Linux 5.8 and later)
    Ring,
    /// A perf buffer for each processor
    Perf,
}

impl Transport {
    /// All of them, the preferred first.
    pub const BY_PREFERENCE: [Self; 2] = [Self::Ring, Self::Perf];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ring => "ring",
            Self::Perf => "perf",
        }
    }

    /// What it is, as a user reads it.
    pub fn description(self) -> &'static str {
        match self {
            Self::Ring => "BPF ring buffer",
            Self::Perf => "perf buffers",
        }
    }

    /// Whether it works here.
    pub fn support(self, features: &Features) -> Support {
        match self {
            Self::Ring => Support::all([&features.bpf, &features.ring_buffer]),
            Self::Perf => Support::all([&features.bpf, &features.perf_events]),
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the user asks for; `None` leaves the choice to [`plan`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// This hook and no other.
    pub hook: Option<Hook>,
    /// This transport and no other.
    pub transport: Option<Transport>,
}

/// What will be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The hook to attach.
    pub hook: Hook,
    /// The transport to open.
    pub transport: Transport,
    /// What the kernel side is told of the kernel's structures: unknown where it may not, or
    /// need not, read them.
    pub layout: Layout,
    /// Whether it works could not be told beforehand: what to say when it fails.
    pub doubt: Option<Lack>,
    /// What this trace cannot say of a check, and why.
    pub unknown: Vec<Unknown>,
    /// What this hook may not see.
    pub may_miss: &'static [&'static str],
    /// Why this hook.
    pub reason: String,
    /// Better hooks do not work here.
    pub is_fallback: bool,
}

impl fmt::Display for Plan {
    /// One line, such as `hook: kprobe on cap_capable (sees every check), transport: BPF ring
    /// buffer`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hook, transport) = (self.hook.description(), self.transport.description());
        let reason = &self.reason;
        let advice = match self.is_fallback {
            true => ", see capable doctor",
            false => "",
        };
        write!(f, "hook: {hook} ({reason}{advice}), transport: {transport}")
    }
}

/// Chooses the hook and the transport.
///
/// What works for sure comes before what could not be told, and then the more complete hook
/// before the less complete one. What the user asks for is taken unless it cannot work.
///
/// # Errors
///
/// Nothing works here, or not what was asked for; the error says why and what would.
pub fn plan(features: &Features, request: &Request) -> Result<Plan, PlanError> {
    if let Support::No(lack) = &features.bpf {
        return Err(PlanError::Bpf(lack.clone()));
    }
    let hooks = Hook::BY_PREFERENCE.map(|hook| (hook, hook.support(features)));
    let transports = Transport::BY_PREFERENCE.map(|each| (each, each.support(features)));
    let (hook, hook_support) = match request.hook {
        Some(hook) => (hook, chosen(hook, &hooks, PlanError::hook)?),
        None => best(&hooks).ok_or_else(|| PlanError::no_hook(&hooks))?,
    };
    let (transport, transport_support) = match request.transport {
        Some(transport) => (
            transport,
            chosen(transport, &transports, PlanError::transport)?,
        ),
        None => best(&transports).ok_or_else(|| PlanError::no_transport(&transports))?,
    };
    let layout = visible(features, hook);
    Ok(Plan {
        hook,
        transport,
        layout,
        doubt: Support::all([&hook_support, &transport_support])
            .lack()
            .cloned(),
        unknown: unknown::of(features, hook, &layout),
        may_miss: hook.may_miss(),
        reason: reason(request, hook, &hooks),
        is_fallback: request.hook.is_none() && hook != Hook::BY_PREFERENCE[0],
    })
}

/// The first that works for sure, or else the first that might.
fn best<T: Copy>(choices: &[(T, Support)]) -> Option<(T, Support)> {
    let sure = choices.iter().find(|(_, support)| support.is_yes());
    let possible = || choices.iter().find(|(_, support)| !support.is_no());
    sure.or_else(possible).cloned()
}

/// What the user asked for, unless it cannot work.
fn chosen<T: Copy + PartialEq, const N: usize>(
    asked: T,
    choices: &[(T, Support); N],
    refuse: impl Fn(T, Lack, Option<T>) -> PlanError,
) -> Result<Support, PlanError> {
    match choices.iter().find(|(choice, _)| *choice == asked) {
        Some((_, Support::No(lack))) => {
            let instead = best(choices).map(|(choice, _)| choice);
            Err(refuse(asked, lack.clone(), instead))
        }
        Some((_, support)) => Ok(support.clone()),
        None => Ok(Support::Yes),
    }
}

/// The part of the layout that the kernel side may use with this hook.
fn visible(features: &Features, hook: Hook) -> Layout {
    let mut layout = features.layout;
    // With unknown offsets the verifier removes every read, so that a program loads where reads
    // are refused. The pair is for kernels without BTF and is kept to what these can do.
    if features.kernel_reads.is_no() || hook == Hook::KprobePair {
        layout.offsets = Offsets::UNKNOWN;
        // What the helper gives would have to be read.
        layout.task_registers = false;
        layout.typed_task = false;
    }
    if hook == Hook::Tracepoint {
        layout.audit = match features.symbols {
            Support::No(_) => AuditArgument::Unknown,
            _ => AuditArgument::CallPath,
        };
    }
    layout
}

/// What is good about a hook, or which would be better.
fn reason(request: &Request, hook: Hook, hooks: &[(Hook, Support)]) -> String {
    if request.hook.is_some() {
        return "as asked".into();
    }
    if hook == Hook::Kprobe {
        return "sees every check".into();
    }
    let better: Vec<&str> = hooks
        .iter()
        .take_while(|(better, _)| *better != hook)
        .map(|(better, _)| better.name())
        .collect();
    format!("no {} here", better.join(" or "))
}

#[cfg(test)]
mod tests;
