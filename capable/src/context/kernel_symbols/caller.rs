//! Which kernel functions cannot be the one that asked for a capability: the tracer's own frames,
//! and the helpers through which the kernel asks. Names are compared in the form that
//! [`clean_name`](crate::kernel::symbols::clean_name) gives them.

use crate::{arch, kernel::hook::Caller};

/// The functions that only pass a check on: those that LSMs and kernel/capability.c offer to the
/// whole kernel, and the wrappers whose caller names the capability. The function that calls them
/// is the one that asked.
///
/// A function that names the capability itself counts as the one that asked, however general it is:
/// so `inode_owner_or_capable` (fs/inode.c, always CAP_FOWNER), `mount_capable` (fs/super.c) and
/// the `cap_*` hooks of security/commoncap.c such as `cap_task_prctl` are not in this list.
/// `ptracer_capable` always asks for CAP_SYS_PTRACE, but it is a helper in kernel/capability.c for
/// others to use, so it is in the list. `bpf_capable`, `perfmon_capable` and
/// `checkpoint_restore_ns_capable` are inline and never appear (include/linux/capability.h, 6.12).
const CAPABILITY_HELPERS: [&str; 30] = [
    // security/commoncap.c
    "cap_capable",
    "cap_capable_helper",
    // security/security.c
    "security_capable",
    "security_capable_noaudit",
    // kernel/capability.c
    "capable",
    "capable_noaudit",
    "ns_capable",
    "ns_capable_common",
    "ns_capable_noaudit",
    "ns_capable_setid",
    "file_ns_capable",
    "capable_wrt_inode_uidgid",
    "has_capability",
    "has_capability_noaudit",
    "has_ns_capability",
    "has_ns_capability_noaudit",
    "ptracer_capable",
    // kernel/bpf/token.c, kernel/bpf/syscall.c (6.9)
    "bpf_ns_capable",
    "bpf_token_capable",
    // net/core/sock.c
    "sk_capable",
    "sk_ns_capable",
    "sk_net_capable",
    "sockopt_capable",
    "sockopt_ns_capable",
    // net/netlink/af_netlink.c
    "__netlink_ns_capable",
    "netlink_ns_capable",
    "netlink_capable",
    "netlink_net_capable",
    // security/smack/smack_access.c
    "smack_privileged",
    "smack_privileged_cred",
];

/// Prefixes of names that belong to the tracing machinery on every architecture, and where each
/// comes from.
const TRACER_PREFIXES: [&str; 14] = [
    // kernel/bpf/trampoline.c, kernel/bpf/dispatcher.c
    "__bpf_prog_enter",
    "__bpf_prog_exit",
    "__bpf_tramp_",
    // kernel/trace/bpf_trace.c, kernel/bpf/stackmap.c
    "bpf_trace_run",
    "__bpf_trace_",
    "bpf_get_stack",
    "__bpf_get_stack",
    "kprobe_multi_link_",
    // include/linux/tracepoint.h, include/trace/
    "__traceiter_",
    "__probestub_",
    // kernel/kprobes.c
    "kretprobe_trampoline",
    "__kretprobe_trampoline",
    // kernel/trace/ftrace.c
    "ftrace_ops_",
    // kernel/trace/fprobe.c
    "fprobe_",
];

/// Whole names that belong to it.
const TRACER_NAMES: [&str; 18] = [
    "trace_call_bpf",
    "perf_trace_run_bpf_submit",
    "perf_trace_cap_capable",
    "kprobe_dispatcher",
    "kprobe_perf_func",
    "kprobe_insn_page",
    "kprobe_optinsn_page",
    "kretprobe_dispatcher",
    "kretprobe_perf_func",
    "kretprobe_rethook_handler",
    "opt_pre_handler",
    "aggr_pre_handler",
    "aggr_post_handler",
    "pre_handler_kretprobe",
    "rethook_trampoline_handler",
    "rethook_try_hook",
    "ftrace_trampoline",
    "arch_ftrace_ops_list_func",
];

/// Whether the function only passes a capability check on.
pub fn is_capability_helper(name: &str) -> bool {
    CAPABILITY_HELPERS.contains(&name)
}

/// Whether `cap_capable` may be inlined into the function, which is in the same file. If so, it is
/// the innermost of the kernel's own frames.
pub fn is_neighbour(name: &str) -> bool {
    Caller::ALL.iter().any(|caller| caller.function() == name)
}

/// Whether the function belongs to the tracer or to the kernel's tracing machinery.
///
/// Such frames lie between the program and the function that it is attached to.
pub fn is_tracer_frame(name: &str) -> bool {
    let mut names = TRACER_NAMES.iter().chain(arch::TRACER_NAMES);
    let mut prefixes = TRACER_PREFIXES.iter().chain(arch::TRACER_PREFIXES);
    is_generated(name)
        || names.any(|whole| *whole == name)
        || prefixes.any(|prefix| name.starts_with(prefix))
}

/// Whether the name was made up for generated code: a program is `bpf_prog_` and the 16 digits of
/// its tag (`bpf_get_prog_name`, kernel/bpf/core.c), a trampoline or dispatcher `bpf_trampoline_`
/// or `bpf_dispatcher_` and digits or `xdp` (kernel/bpf/trampoline.c). The kernel's own functions,
/// such as `bpf_prog_load`, have the same prefix and do ask for capabilities.
fn is_generated(name: &str) -> bool {
    if let Some(tag) = name.strip_prefix("bpf_prog_") {
        let tag = tag.as_bytes();
        return tag.len() >= 16
            && tag[..16].iter().all(u8::is_ascii_hexdigit)
            && tag.get(16).is_none_or(|&byte| byte == b'_');
    }
    let number = name
        .strip_prefix("bpf_trampoline_")
        .or_else(|| name.strip_prefix("bpf_dispatcher_"));
    number.is_some_and(|rest| {
        rest.starts_with("xdp") || rest.starts_with(|c: char| c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::kernel::symbols::clean_name;

    #[test]
    fn generated_code_is_told_from_functions_with_similar_names() {
        assert!(is_tracer_frame("bpf_prog_6deef7357e7b4530_cap_capable"));
        assert!(is_tracer_frame("bpf_prog_6deef7357e7b4530"));
        assert!(is_tracer_frame("bpf_trampoline_6442491529"));
        assert!(is_tracer_frame("bpf_trace_run5"));
        assert!(!is_tracer_frame("bpf_prog_load"));
        assert!(!is_tracer_frame("bpf_prog_attach_check_attach_type"));
        assert!(!is_tracer_frame("bpf_trampoline_link_prog"));
        assert!(!is_tracer_frame("perf_trace_init"));
        for name in [arch::TRACER_NAMES, arch::TRACER_PREFIXES].concat() {
            assert!(is_tracer_frame(name), "{name}");
        }
    }

    /// The atlas knows more helpers: those that only answer (`can_nice`) count as the one that asked
    /// here. But where its lines ask for several capabilities through one, its callers name them.
    #[test]
    fn the_helpers_are_those_of_the_atlas_whose_callers_name_the_capability() {
        const STACKS: &str = include_str!("../../../atlas/stacks");
        const LINES: &str = include_str!(concat!(env!("OUT_DIR"), "/atlas.sites"));
        // Linux 5.1 removed it, and the atlas begins with 5.10.
        const OLDER: &str = "security_capable_noaudit";
        let others = [
            // Another capability in another kernel (include/linux/filter.h, 5.10 and 6.12).
            "bpf_jit_blinding_enabled",
            // Reads a set and makes no check.
            "cap_raised",
            // Writes a map of ids, and refuses what the map holds (kernel/user_namespace.c, 6.12).
            "map_write",
        ];
        let known: Vec<&str> = STACKS
            .lines()
            .filter_map(|line| line.strip_prefix("helper ")?.split(' ').next())
            .collect();
        for name in CAPABILITY_HELPERS.iter().filter(|name| **name != OLDER) {
            assert!(known.contains(name), "{name}");
        }
        let mut asked: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for line in LINES.lines() {
            if let [_, capability, helper, _, ..] = line.split(" | ").collect::<Vec<_>>()[..]
                && capability != "?"
            {
                asked.entry(helper).or_default().insert(capability);
            }
        }
        asked.retain(|_, capabilities| capabilities.len() > 1);
        assert!(asked.contains_key("capable"));
        for name in asked.keys().filter(|name| !others.contains(name)) {
            assert!(is_capability_helper(name), "{name} is not in the list");
        }
        for name in others {
            assert!(
                asked.contains_key(name) && !is_capability_helper(name),
                "{name}"
            );
        }
    }

    #[test]
    fn helpers_pass_the_question_on_and_others_answer_it() {
        assert!(is_capability_helper("ns_capable"));
        assert!(is_capability_helper(clean_name("ns_capable_common.isra.0")));
        for answer in [
            "can_nice",
            "map_write",
            arch::entry!("chroot"),
            "inode_owner_or_capable",
        ] {
            assert!(!is_capability_helper(answer), "{answer}");
        }
    }
}
