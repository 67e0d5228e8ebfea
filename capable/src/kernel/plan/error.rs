//! Why there is no plan, and what would work.

use std::fmt;

use crate::kernel::{
    hook::{Hook, Transport},
    probe::features::{Lack, Support},
};

/// Why tracing is not possible here, or not in the way that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No BPF program can be loaded at all, usually because a privilege is missing.
    #[error("cannot load BPF programs: {0}")]
    Bpf(Lack),
    /// The hook that was asked for does not work here.
    #[error("the hook {hook} does not work here: {lack}{}", works(*.instead))]
    Hook {
        /// What was asked for.
        hook: Hook,
        /// Why it does not work.
        lack: Lack,
        /// What works.
        instead: Option<Hook>,
    },
    /// No hook works here.
    #[error("no hook works here:{}", list(.0))]
    NoHook(Vec<(&'static str, Lack)>),
    /// The transport that was asked for does not work here.
    #[error("the transport {transport} does not work here: {lack}{}", works(*.instead))]
    Transport {
        /// What was asked for.
        transport: Transport,
        /// Why it does not work.
        lack: Lack,
        /// What works.
        instead: Option<Transport>,
    },
    /// No transport works here.
    #[error("no transport works here:{}", list(.0))]
    NoTransport(Vec<(&'static str, Lack)>),
}

impl PlanError {
    pub(super) fn hook(hook: Hook, lack: Lack, instead: Option<Hook>) -> Self {
        Self::Hook {
            hook,
            lack,
            instead,
        }
    }

    pub(super) fn transport(transport: Transport, lack: Lack, instead: Option<Transport>) -> Self {
        Self::Transport {
            transport,
            lack,
            instead,
        }
    }

    pub(super) fn no_hook(hooks: &[(Hook, Support)]) -> Self {
        Self::NoHook(lacks(
            hooks.iter().map(|(hook, support)| (hook.name(), support)),
        ))
    }

    pub(super) fn no_transport(transports: &[(Transport, Support)]) -> Self {
        let named = transports
            .iter()
            .map(|(transport, support)| (transport.name(), support));
        Self::NoTransport(lacks(named))
    }
}

fn lacks<'a>(
    choices: impl Iterator<Item = (&'static str, &'a Support)>,
) -> Vec<(&'static str, Lack)> {
    let lack = |(name, support): (_, &Support)| Some((name, support.lack()?.clone()));
    choices.filter_map(lack).collect()
}

fn works(choice: Option<impl fmt::Display>) -> String {
    choice.map_or_else(String::new, |choice| format!(" ({choice} works)"))
}

fn list(lacks: &[(&'static str, Lack)]) -> String {
    lacks
        .iter()
        .map(|(name, lack)| format!("\n  {name}: {lack}"))
        .collect()
}
