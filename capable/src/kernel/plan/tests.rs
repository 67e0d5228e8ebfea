//! Every combination of what a kernel and a user can have.

use capable_common::NO_OFFSET;
use clap::ValueEnum as _;

use super::*;
use crate::capability::CapabilitySet;
use crate::kernel::probe::features::Lockdown;

const KNOWN: Offsets = Offsets::all(8);

/// A kernel that can do everything, and a user who is allowed to.
fn everything() -> Features {
    Features {
        release: "6.14.0".into(),
        btf: Support::Yes,
        layout: Layout {
            offsets: KNOWN,
            audit: AuditArgument::Options,
            io_worker: 0x10,
            function: Some(1),
            tracepoint: Some(2),
            callers: [Some(3), Some(4), Some(5), Some(6)],
            task_registers: true,
            typed_task: true,
        },
        bpf: Support::Yes,
        kernel_reads: Support::Yes,
        perf_events: Support::Yes,
        kprobe: Support::Yes,
        kretprobe: Support::Yes,
        fexit: Support::Yes,
        tracepoint: Support::Yes,
        ring_buffer: Support::Yes,
        memory: Support::Yes,
        symbols: Support::Yes,
        jit: Support::Yes,
        lockdown: Lockdown::None,
        effective: CapabilitySet::from_bits(u64::MAX),
        initial_user_namespace: Support::Yes,
        initial_pid_namespace: Support::Yes,
        cgroup_mount: None,
        perf_event_paranoid: Some(2),
        kptr_restrict: Some(0),
        unprivileged_bpf_disabled: Some(2),
    }
}

/// `everything`, but for these parts, which are missing for the reason "no PART".
fn without(parts: &[&str]) -> Features {
    let mut features = everything();
    for (name, support) in features.parts() {
        if parts.contains(&name) {
            *support = Support::no(format!("no {name}"));
        }
    }
    if parts.contains(&"BTF") {
        features.layout = Layout::UNKNOWN;
    }
    features
}

fn chosen(features: &Features) -> (Hook, Transport) {
    let plan = plan(features, &Choice::default()).unwrap();
    (plan.hook, plan.transport)
}

fn unknown(plan: &Plan) -> Vec<&'static str> {
    plan.unknown.iter().map(|unknown| unknown.what).collect()
}

#[test]
fn the_most_complete_hook_that_works_is_chosen() {
    use Hook::*;
    use Transport::*;
    for (missing, expected) in [
        (&[][..], (Kprobe, Ring)),
        (&["RING_BUFFER"], (Kprobe, Perf)),
        (&["KRETPROBE"], (Kprobe, Ring)),
        (&["FEXIT", "TRACEPOINT", "SYMBOLS"], (Kprobe, Ring)),
        // The kernel is built without kprobes.
        (&["KPROBE", "KRETPROBE"], (Fexit, Ring)),
        (&["KPROBE", "KRETPROBE", "FEXIT"], (Tracepoint, Ring)),
        // perf_event_paranoid.
        (&["PERF_EVENTS"], (Fexit, Ring)),
        (&["PERF_EVENTS", "FEXIT"], (Tracepoint, Ring)),
        // lockdown=confidentiality.
        (&["KPROBE", "KRETPROBE", "KERNEL_READS"], (Fexit, Ring)),
        // The kernel is built without BTF.
        (&["BTF", "FEXIT", "TRACEPOINT"], (KprobePair, Ring)),
        (
            &["BTF", "FEXIT", "TRACEPOINT", "RING_BUFFER"],
            (KprobePair, Perf),
        ),
    ] {
        assert_eq!(chosen(&without(missing)), expected, "without {missing:?}");
    }
}

#[test]
fn what_works_for_sure_comes_before_what_might() {
    let mut features = everything();
    features.kprobe = Support::unknown("sysfs is not mounted");
    assert_eq!(chosen(&features).0, Hook::Fexit);
    features.fexit = Support::no("refused");
    features.tracepoint = Support::no("none");
    features.kretprobe = Support::no("none");
    let plan = plan(&features, &Choice::default()).unwrap();
    assert_eq!(plan.hook, Hook::Kprobe);
    assert_eq!(plan.doubt, Some(Lack::new("sysfs is not mounted")));
}

#[test]
fn a_kprobe_that_could_not_evaluate_the_result_is_not_chosen() {
    let mut features = everything();
    features.layout.offsets.user_ns_owner = NO_OFFSET;
    assert_eq!(chosen(&features).0, Hook::Fexit);
}

#[test]
fn the_line_says_what_is_used_and_why() {
    let line = |features| plan(&features, &Choice::default()).unwrap().to_string();
    assert_eq!(
        line(everything()),
        "hook: kprobe on cap_capable (sees every check), transport: BPF ring buffer"
    );
    assert_eq!(
        line(without(&["KPROBE", "FEXIT", "RING_BUFFER"])),
        "hook: tracepoint capability:cap_capable (kprobe and fexit do not work here, see capable doctor), transport: perf buffers"
    );
    let choice = Choice {
        hook: Some(Hook::Fexit),
        transport: None,
    };
    assert_eq!(
        plan(&everything(), &choice).unwrap().to_string(),
        "hook: fexit on cap_capable (as asked), transport: BPF ring buffer"
    );
}

#[test]
fn what_a_trace_cannot_say_is_said_beforehand() {
    let of = |features: &Features, hook| {
        let choice = Choice {
            hook: Some(hook),
            transport: None,
        };
        unknown(&plan(features, &choice).unwrap())
    };
    for hook in [Hook::Kprobe, Hook::Fexit, Hook::Tracepoint] {
        assert_eq!(of(&everything(), hook), [""; 0], "{hook}");
    }
    let symbols = "names of kernel functions: the caller and kernel stacks";
    assert_eq!(of(&without(&["SYMBOLS"]), Hook::Kprobe), [symbols]);
    // The tracepoint's audit flag is inferred from the names of callers.
    assert_eq!(
        of(&without(&["SYMBOLS"]), Hook::Tracepoint),
        [
            "the audit flag",
            "whether a set*id call made the check",
            symbols
        ]
    );
    let structures = [
        "the checked credentials, and whether ownership granted",
        "the target user namespace",
        "whose credentials were checked",
        "kernel threads and io_uring workers",
        "the parent process",
        "pids inside containers",
        "mount and pid namespaces",
        "the system call",
        "a process from an earlier one that had its PID",
    ];
    assert_eq!(of(&without(&["KERNEL_READS"]), Hook::Fexit), structures);
    assert_eq!(of(&everything(), Hook::KprobePair), structures);
    let mut old = everything();
    old.layout.audit = AuditArgument::Audit;
    assert_eq!(
        of(&old, Hook::Kprobe),
        ["whether a set*id call made the check"]
    );
}

#[test]
fn without_a_privilege_the_error_says_which_and_how_to_get_it() {
    let mut features = everything();
    features.bpf = Support::No(Lack::with_remedy("this process lacks CAP_BPF", "use sudo"));
    let error = plan(&features, &Choice::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot load BPF programs: this process lacks CAP_BPF; use sudo"
    );
}

#[test]
fn a_hook_that_cannot_be_had_is_refused_with_the_one_that_works() {
    let choice = Choice {
        hook: Some(Hook::Kprobe),
        transport: None,
    };
    let features = without(&["KPROBE", "KRETPROBE", "FEXIT"]);
    let error = plan(&features, &choice).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the hook kprobe does not work here: no KPROBE (tracepoint works)"
    );
    let choice = Choice {
        hook: None,
        transport: Some(Transport::Ring),
    };
    let error = plan(&without(&["RING_BUFFER"]), &choice).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the transport ring does not work here: no RING_BUFFER (perf works)"
    );
}

#[test]
fn where_nothing_works_every_cause_is_named() {
    let features = without(&["KPROBE", "FEXIT", "TRACEPOINT"]);
    let error = plan(&features, &Choice::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no hook works here:\n  kprobe: no KPROBE\n  fexit: no FEXIT\n  tracepoint: no TRACEPOINT\n  kretprobe: no KPROBE"
    );
    let features = without(&["PERF_EVENTS", "RING_BUFFER"]);
    let error = plan(&features, &Choice::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no transport works here:\n  ring: no RING_BUFFER\n  perf: no PERF_EVENTS"
    );
}

#[test]
fn names_on_the_command_line_are_those_in_messages() {
    for hook in Hook::value_variants() {
        assert_eq!(Hook::from_str(hook.name(), false), Ok(*hook));
    }
    for transport in Transport::value_variants() {
        assert_eq!(Transport::from_str(transport.name(), false), Ok(*transport));
    }
}

/// All that a plan depends on, each in every state, with every request.
#[test]
fn every_combination_ends_in_a_plan_that_can_work_or_in_its_cause() {
    const PARTS: [&str; 9] = [
        "BPF",
        "BTF",
        "KERNEL_READS",
        "PERF_EVENTS",
        "KPROBE",
        "KRETPROBE",
        "FEXIT",
        "TRACEPOINT",
        "RING_BUFFER",
    ];
    let hooks: Vec<Option<Hook>> = Hook::ALL.map(Some).into_iter().chain([None]).collect();
    let transports = [None, Some(Transport::Ring), Some(Transport::Perf)];
    let mut planned = 0;
    for combination in 0..3u32.pow(PARTS.len() as u32) {
        let state = |part: usize| combination / 3u32.pow(part as u32) % 3;
        let mut features = everything();
        for (name, support) in features.parts() {
            let Some(part) = PARTS.iter().position(|part| *part == name) else {
                continue;
            };
            *support = match state(part) {
                0 => Support::Yes,
                1 => Support::no(name),
                _ => Support::unknown(name),
            };
        }
        if features.btf.is_no() {
            features.layout = Layout::UNKNOWN;
        }
        for &hook in &hooks {
            for transport in transports {
                match plan(&features, &Choice { hook, transport }) {
                    Ok(plan) => {
                        planned += 1;
                        check_plan(&features, hook, transport, &plan);
                    }
                    Err(error) => check_error(&features, hook, transport, &error),
                }
            }
        }
    }
    assert!(planned > 0);
}

fn check_plan(features: &Features, hook: Option<Hook>, transport: Option<Transport>, plan: &Plan) {
    let context = || format!("{plan:?} for {features:?}");
    let (by_hook, by_transport) = (
        plan.hook.support(features),
        plan.transport.support(features),
    );
    assert!(!by_hook.is_no() && !by_transport.is_no(), "{}", context());
    assert!(hook.is_none_or(|hook| hook == plan.hook), "{}", context());
    assert!(
        transport.is_none_or(|asked| asked == plan.transport),
        "{}",
        context()
    );
    let sure = by_hook.is_yes() && by_transport.is_yes();
    assert_eq!(plan.doubt.is_none(), sure, "{}", context());
    if hook.is_none() {
        let first = Hook::ALL
            .into_iter()
            .find(|hook| hook.support(features).is_yes());
        assert!(
            first.is_none_or(|first| first == plan.hook),
            "{}",
            context()
        );
    }
    if features.kernel_reads.is_no() || features.btf.is_no() {
        assert_eq!(plan.layout.offsets, Offsets::UNKNOWN, "{}", context());
        assert!(!plan.layout.task_registers, "{}", context());
        assert!(!plan.unknown.is_empty(), "{}", context());
    }
    assert!(!plan.to_string().contains('\n'), "{}", context());
}

fn check_error(
    features: &Features,
    hook: Option<Hook>,
    transport: Option<Transport>,
    error: &PlanError,
) {
    let hooks_work = Hook::ALL.map(|hook| !hook.support(features).is_no());
    let transports_work = Transport::ALL.map(|each| !each.support(features).is_no());
    match error {
        PlanError::Bpf(_) => assert!(features.bpf.is_no()),
        PlanError::Hook {
            hook: asked,
            instead,
            ..
        } => {
            assert_eq!(Some(*asked), hook);
            assert!(asked.support(features).is_no());
            assert_eq!(instead.is_some(), hooks_work.contains(&true));
            assert!(instead.is_none_or(|instead| !instead.support(features).is_no()));
        }
        PlanError::NoHook(lacks) => {
            assert!(!hooks_work.contains(&true));
            assert_eq!(lacks.len(), Hook::ALL.len());
        }
        PlanError::Transport {
            transport: asked,
            instead,
            ..
        } => {
            assert_eq!(Some(*asked), transport);
            assert!(asked.support(features).is_no());
            assert_eq!(instead.is_some(), transports_work.contains(&true));
        }
        PlanError::NoTransport(lacks) => {
            assert!(!transports_work.contains(&true));
            assert_eq!(lacks.len(), Transport::ALL.len());
        }
    }
}
