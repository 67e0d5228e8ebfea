//! Which hook and which transport to use: a decision without side effects.
//!
//! Completeness first. The kprobe sees every call and evaluates the result itself; fexit and the
//! tracepoint give the kernel's own result but are skipped while they already run on the same
//! processor; a pair of kprobe and kretprobe needs no BTF, but tells the least.

mod error;
mod support;
mod unknown;

use std::fmt;

use capable_common::{AuditArgument, Offsets};

use super::btf::offsets::Layout;
use super::hook::{Hook, Transport};
use super::probe::features::{Features, Lack, Support};

pub use error::PlanError;
pub use unknown::Unknown;

/// What the user chose; `None` leaves the choice to [`plan`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Choice {
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
    /// What the kernel side is told about the kernel's structures: unknown if it must not, or need
    /// not, read them.
    pub(crate) layout: Layout,
    /// If it could not be told beforehand whether this works: what to say when it fails.
    pub doubt: Option<Lack>,
    /// What this trace cannot say of a check, and why.
    pub unknown: Vec<Unknown>,
    /// What this hook may not see.
    pub may_miss: &'static [&'static str],
    /// Why this hook.
    pub reason: String,
    /// Whether better hooks do not work here.
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
/// What works for sure is preferred to what might work; after that, the more complete hook is
/// preferred. What the user asks for is used unless it cannot work.
///
/// # Errors
///
/// Nothing works here, or what was asked for does not; the error says why, and what would work.
pub fn plan(features: &Features, choice: &Choice) -> Result<Plan, PlanError> {
    if let Support::No(lack) = &features.bpf {
        return Err(PlanError::Bpf(lack.clone()));
    }
    let hooks = Hook::ALL.map(|hook| (hook, hook.support(features)));
    let transports = Transport::ALL.map(|each| (each, each.support(features)));
    let (hook, hook_support) = match choice.hook {
        Some(hook) => (hook, chosen(hook, &hooks, PlanError::hook)?),
        None => best(&hooks).ok_or_else(|| PlanError::no_hook(&hooks))?,
    };
    let (transport, transport_support) = match choice.transport {
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
        reason: reason(choice, hook, &hooks),
        is_fallback: choice.hook.is_none() && hook != Hook::ALL[0],
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
    // With unknown offsets the verifier removes every read, so the program loads even if reads are
    // refused. The pair is meant for kernels without BTF and is limited to what they can do.
    if features.kernel_reads.is_no() || hook == Hook::KprobePair {
        layout.offsets = Offsets::UNKNOWN;
        // What the helper returns would have to be read.
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

/// What is good about a hook, or why a better one is not used.
fn reason(choice: &Choice, hook: Hook, hooks: &[(Hook, Support)]) -> String {
    if choice.hook.is_some() {
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
    match &better[..] {
        [only] => format!("{only} does not work here"),
        [all @ .., last] => format!("{} and {last} do not work here", all.join(", ")),
        [] => String::new(),
    }
}

#[cfg(test)]
mod tests;
