//! Refusals for which a capability was asked and denied.

use super::{
    Refusal, System,
    explained::{Found, Reason},
    object, permission,
    words::sentence,
};
use crate::{
    capability::{Capability, CapabilitySet},
    event::Relation,
    profile::{
        Observation, Outcome,
        rules::{self, Class, Ruling},
    },
};

/// The reason, if a denied check is it.
pub(super) fn explain(refusal: &Refusal, system: &dyn System) -> Option<Reason> {
    let observation = deciding(refusal)?;
    let facts = &observation.case.facts;
    let capability = facts.capability;
    let mut sentences = Vec::new();
    let found = match &refusal.held {
        Some(held) if held.credentials.effective.contains(capability) => {
            let elsewhere = facts
                .target
                .is_none_or(|target| target.relation != Relation::Own);
            if !elsewhere {
                // The check was of other credentials, or they were changed meanwhile.
                return None;
            }
            sentences.push(wrong_namespace(observation));
            Found::Namespace(capability)
        }
        Some(held) if held.credentials.permitted.contains(capability) => {
            sentences.push(format!(
                "{capability} is permitted but not effective: the program must raise it, or its \
                 file needs it as +ep."
            ));
            Found::NotEffective(capability)
        }
        Some(_) => {
            sentences.push(not_held(refusal, capability));
            Found::Capability(capability)
        }
        // The call returned success, and what was held is not known. A check over another namespace
        // than that of the credentials is not granted by what is held there.
        None if facts
            .target
            .is_some_and(|target| target.relation == Relation::Outside) =>
        {
            sentences.push(format!(
                "{capability} would allow it if it were held in another user namespace than that of \
                 the process: {} counts here.",
                counting(observation)
            ));
            Found::Namespace(capability)
        }
        None => {
            sentences.push(format!("{capability} would allow it."));
            Found::Capability(capability)
        }
    };
    if let Some(what) = effect(observation) {
        sentences.push(what);
    }
    sentences.extend(permission::without(refusal, capability, system));
    sentences.extend(instead(refusal, capability, system));
    if matches!(found, Found::Capability(_))
        && let Some(explanation) = capability.explanation()
    {
        sentences.push(format!("It would also allow to {}.", explanation.summary));
    }
    Some((found, sentences))
}

/// The denied check that the refusal is about: of those of which the rules say that they may be
/// needed, the one that allows least.
fn deciding(refusal: &Refusal) -> Option<&Observation> {
    let mut judged: Vec<Observation> = refusal.denied.clone();
    for observation in &mut judged {
        observation.case.outcome = match refusal.call.errno {
            Some(errno) => Outcome::SyscallFailed(errno),
            None => Outcome::SyscallSucceeded,
        };
    }
    let decides: CapabilitySet = rules::split(&judged)
        .iter()
        .filter(|part| match rules::judge(part) {
            Ruling::Counts(finding) => finding.class == Class::Denied,
            // Asked over another user namespace: the set is not for it, but the refusal is.
            Ruling::LeftOut { .. } => part.observation.case.facts.is_denied(),
        })
        .map(|part| part.observation.case.facts.capability)
        .collect();
    refusal
        .denied
        .iter()
        .find(|observation| decides.contains(observation.case.facts.capability))
}

/// The effective user, as it is compared with that of another process.
fn own_user(refusal: &Refusal) -> Option<u32> {
    refusal.held.as_ref().map(|held| held.credentials.euid)
}

fn not_held(refusal: &Refusal, capability: Capability) -> String {
    let bounding = refusal
        .held
        .as_ref()
        .is_some_and(|held| !held.credentials.bounding.contains(capability));
    match bounding {
        true => format!(
            "{capability} would allow it, and was not held; the bounding set lacks it too, so no \
             file can give it."
        ),
        false => format!("{capability} would allow it, and was not held."),
    }
}

fn wrong_namespace(observation: &Observation) -> String {
    format!(
        "{} is held, but in the wrong user namespace: {} counts here.",
        observation.case.facts.capability,
        counting(observation)
    )
}

/// The user namespace in which a capability counts for a check.
fn counting(observation: &Observation) -> &'static str {
    let target = observation.case.facts.target;
    match target.is_some_and(|target| target.initial) {
        true => "the initial one",
        false => "that of the object",
    }
}

/// What the kernel does there, as the atlas has it.
fn effect(observation: &Observation) -> Option<String> {
    let told: String = observation.case.place.as_ref()?.told().concat();
    let elsewhere = observation.case.place.as_ref()?.is_told_elsewhere();
    let also = match elsewhere {
        true => " The call itself returns success: the refusal is in the answer, or shows nowhere.",
        false => "",
    };
    (!told.is_empty()).then(|| format!("Without it, {told}.{also}"))
}

/// What would do in place of the capability, besides the permissions of files.
fn instead(refusal: &Refusal, capability: Capability, system: &dyn System) -> Option<String> {
    let user = || {
        let held = refusal.held.as_ref()?;
        Some(system.user(held.credentials.euid))
    };
    let target = refusal.call.target.as_ref();
    match capability {
        Capability::NET_BIND_SERVICE => {
            let first = system.setting("net.ipv4.ip_unprivileged_port_start")?;
            let port = object::port(&refusal.call)?;
            Some(format!(
                "Instead of it: a port from {first} on, or net.ipv4.ip_unprivileged_port_start at \
                 {port} or below."
            ))
        }
        Capability::KILL => {
            let owner = system.user(target?.uid?);
            Some(sentence(&format!(
                "process {} belongs to {owner}: the user {} may signal only its own processes.",
                target?.pid,
                user()?
            )))
        }
        Capability::SYS_NICE if target.is_some_and(|target| target.uid != own_user(refusal)) => {
            let owner = system.user(target?.uid?);
            Some(format!(
                "Process {} belongs to {owner}, and this ran as {}.",
                target?.pid,
                user()?
            ))
        }
        Capability::SYS_NICE if refusal.is(&["nice", "setpriority"]) => Some(
            "Instead of it: a higher RLIMIT_NICE (LimitNICE= in a unit, limits.conf), for processes of \
             the same user."
                .to_owned(),
        ),
        Capability::SYS_NICE if refusal.is(&["sched_setscheduler", "sched_setattr", "sched_setparam"]) => {
            Some("Instead of it: a higher RLIMIT_RTPRIO (LimitRTPRIO= in a unit, limits.conf).".to_owned())
        }
        Capability::FOWNER | Capability::DAC_OVERRIDE if refusal.is(&["link", "linkat"]) => {
            let value = system
                .setting("fs.protected_hardlinks")
                .filter(|value| value != "0")?;
            Some(format!(
                "fs.protected_hardlinks is {value}: the owner may link to a file, and so may who may \
                 read and write it, so CAP_DAC_OVERRIDE does in place of CAP_FOWNER."
            ))
        }
        Capability::IPC_LOCK => Some(
            "Instead of it: a higher RLIMIT_MEMLOCK (LimitMEMLOCK= in a unit, limits.conf).".to_owned(),
        ),
        Capability::SYS_PTRACE if refusal.is(&["ptrace", "process_vm_readv", "process_vm_writev"]) => {
            let scope = system.setting("kernel.yama.ptrace_scope")?;
            let meaning = match scope.as_str() {
                "0" => return None,
                "1" => "a process may trace only its descendants without it",
                "2" => "nobody may trace without it",
                _ => "nobody may trace, until the next boot",
            };
            Some(format!("kernel.yama.ptrace_scope is {scope}: {meaning}."))
        }
        Capability::PERFMON => {
            let level = system.setting("kernel.perf_event_paranoid")?;
            Some(format!("kernel.perf_event_paranoid is {level}."))
        }
        Capability::BPF => {
            let level = system.setting("kernel.unprivileged_bpf_disabled")?;
            Some(format!("kernel.unprivileged_bpf_disabled is {level}."))
        }
        Capability::SYSLOG => {
            let level = system.setting("kernel.dmesg_restrict")?;
            Some(format!("kernel.dmesg_restrict is {level}: with 0, everybody may read the log."))
        }
        _ => None,
    }
}
