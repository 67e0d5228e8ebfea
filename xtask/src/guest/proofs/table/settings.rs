//! Files below `/proc` and `/sys` that only some may write, and what others show less of.

use super::prelude::*;

const ADMIN: &str = "SYS_ADMIN";

/// A module is loaded, and its sections have addresses.
const SECTION: &std::ffi::CStr = c"/sys/module/tun/sections/.text";

/// Proofs about settings.
pub const PROOFS: &[Proof] = &[
    proof("proc_dointvec_minmax_sysadmin", ADMIN, |_| {
        rewrite(c"/proc/sys/kernel/dmesg_restrict")
    }),
    proof("proc_taint", ADMIN, |_| {
        rewrite(c"/proc/sys/kernel/tainted")
    }),
    proof("bpf_stats_handler", ADMIN, |_| {
        rewrite(c"/proc/sys/kernel/bpf_stats_enabled")
    }),
    proof("bpf_unpriv_handler", ADMIN, |_| {
        rewrite(c"/proc/sys/kernel/unprivileged_bpf_disabled")
    }),
    proof("proc_do_static_key", ADMIN, |_| {
        rewrite(c"/proc/sys/net/core/high_order_alloc_disable")
    }),
    proof("write_actions_logged", ADMIN, |_| {
        rewrite(c"/proc/sys/kernel/seccomp/actions_logged")
    }),
    proof("sysctl_schedstats", ADMIN, |_| {
        rewrite(c"/proc/sys/kernel/sched_schedstats")
    }),
    proof("sysctl_numa_balancing", ADMIN, |_| {
        rewrite(c"/proc/sys/kernel/numa_balancing")
    }),
    proof("sysctl_delayacct", ADMIN, |_| {
        rewrite(c"/proc/sys/kernel/task_delayacct")
    }),
    proof("pid_mfd_noexec_dointvec_minmax", ADMIN, |_| {
        rewrite(c"/proc/sys/vm/memfd_noexec")
    }),
    proof("mmap_min_addr_handler", "SYS_RAWIO", |_| {
        rewrite(c"/proc/sys/vm/mmap_min_addr")
    }),
    proof("proc_cap_handler", "SETPCAP", |_| {
        rewrite(c"/proc/sys/kernel/usermodehelper/bset")
    }),
    proof("proc_cap_handler", "SYS_MODULE", |_| {
        rewrite(c"/proc/sys/kernel/usermodehelper/bset")
    }),
    proof("proc_dointvec_minmax_bpf_enable", ADMIN, |_| {
        rewrite(c"/proc/sys/net/core/bpf_jit_enable")
    }),
    proof("proc_dointvec_minmax_bpf_restricted", ADMIN, |_| {
        read(c"/proc/sys/net/core/bpf_jit_harden")
    }),
    proof("proc_dolongvec_minmax_bpf_restricted", ADMIN, |_| {
        read(c"/proc/sys/net/core/bpf_jit_limit")
    }),
    proof("qdisc_set_default", "NET_ADMIN", |_| {
        rewrite(c"/proc/sys/net/core/default_qdisc")
    }),
    proof("devinet_sysctl_forward", "NET_ADMIN", |_| {
        rewrite(c"/proc/sys/net/ipv4/ip_forward")
    })
    .staged(new_network),
    proof("net_ctl_permissions", "NET_ADMIN", |_| {
        rewrite(c"/proc/sys/net/ipv4/ip_default_ttl")
    })
    .by_user()
    .staged(new_network),
    proof("mode_store", "SYS_BOOT", |_| {
        rewrite(c"/sys/kernel/reboot/mode")
    }),
    proof("force_store", "SYS_BOOT", |_| {
        rewrite(c"/sys/kernel/reboot/force")
    }),
    proof("type_store", "SYS_BOOT", |_| {
        rewrite(c"/sys/kernel/reboot/type")
    }),
    proof("cpu_store", "SYS_BOOT", |_| {
        rewrite(c"/sys/kernel/reboot/cpu")
    }),
    proof("hw_protection_store", ADMIN, |_| {
        rewrite(c"/sys/kernel/reboot/hw_protection")
    }),
    proof("r_show", ADMIN, |_| read(c"/proc/iomem")).gets_less(),
    proof("kallsyms_open", "SYSLOG", |_| {
        let mut text = [0_u8; 256];
        let file = open(c"/proc/kallsyms", libc::O_RDONLY)?;
        call!(SYS_read, file, Argument::write(&mut text), 256)?;
        Ok(text.iter().filter(|byte| **byte == b'0').count() as i64)
    })
    .gets_less(),
    proof("modules_open", "SYSLOG", |_| read(c"/proc/modules")).gets_less(),
    proof("module_sect_read", "SYSLOG", |_| read(SECTION)).gets_less(),
    proof("kprobe_blacklist_seq_show", "SYSLOG", |_| {
        read(c"/sys/kernel/debug/kprobes/blacklist")
    })
    .gets_less(),
    proof("report_probe", "SYSLOG", |_| {
        read(c"/sys/kernel/debug/kprobes/list")
    })
    .gets_less(),
    proof("restricted_pointer@1", "SYSLOG", |_| {
        read(c"/proc/net/netlink")
    })
    .while_set("/proc/sys/kernel/kptr_restrict", "1")
    .gets_less(),
    proof("uart_line_info", ADMIN, |_| {
        read(c"/proc/tty/driver/serial")
    })
    .gets_less()
    .only_on("5.10-6.12", "the guest of 7.3 has no such file"),
    proof("mtrr_open", ADMIN, |_| {
        call!(SYS_open, c"/proc/mtrr", libc::O_RDONLY)
    }),
    proof("open_kcore", "SYS_RAWIO", |_| {
        call!(SYS_open, c"/proc/kcore", libc::O_RDONLY)
    }),
];
