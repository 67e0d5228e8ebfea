//! The programs, under the names by which user space finds them.

/// Declares the programs of a transport, in its binary.
#[macro_export]
macro_rules! programs {
    ($transport:ty) => {
        use ::aya_ebpf::{
            macros::{btf_tracepoint, fentry, fexit, kprobe, kretprobe, raw_tracepoint},
            programs::{
                BtfTracePointContext, FEntryContext, FExitContext, ProbeContext,
                RawTracePointContext, RetProbeContext,
            },
        };
        use $crate::{
            cgroups,
            hooks::{self, inlined, pair},
            life,
        };

        #[kprobe]
        fn check_entry(context: ProbeContext) -> u32 {
            hooks::entry::<$transport>(&context);
            0
        }

        #[kprobe]
        fn check_paired(context: ProbeContext) -> u32 {
            pair::entry(&context);
            0
        }

        #[kretprobe]
        fn check_return(context: RetProbeContext) -> u32 {
            pair::returned::<$transport>(&context);
            0
        }

        #[fexit(function = "cap_capable")]
        fn check_exit(context: FExitContext) -> i32 {
            hooks::exit::<$transport>(&context);
            0
        }

        #[btf_tracepoint(function = "cap_capable")]
        fn check_traced(context: BtfTracePointContext) -> i32 {
            hooks::tracepoint::<$transport>(&context);
            0
        }

        #[kprobe]
        fn memory_entry(context: ProbeContext) -> u32 {
            inlined::overcommit::<$transport, _>(&context);
            0
        }

        #[fentry(function = "cap_vm_enough_memory")]
        fn memory_call(context: FEntryContext) -> i32 {
            inlined::overcommit::<$transport, _>(&context);
            0
        }

        #[kprobe]
        fn capset_entry(context: ProbeContext) -> u32 {
            inlined::capset::<$transport, _>(&context);
            0
        }

        #[fentry(function = "cap_capset")]
        fn capset_call(context: FEntryContext) -> i32 {
            inlined::capset::<$transport, _>(&context);
            0
        }

        #[kprobe]
        fn prctl_entry(context: ProbeContext) -> u32 {
            if let (Some(option), Some(wanted)) = (context.arg(0), context.arg(1)) {
                inlined::prctl::<$transport, _>(&context, option, wanted);
            }
            0
        }

        #[fentry(function = "cap_task_prctl")]
        fn prctl_call(context: FEntryContext) -> i32 {
            inlined::prctl::<$transport, _>(&context, context.arg(0), context.arg(1));
            0
        }

        #[kprobe]
        fn mmap_entry(context: ProbeContext) -> u32 {
            if let Some(address) = context.arg(0) {
                inlined::low_mapping::<$transport, _>(&context, address);
            }
            0
        }

        #[fentry(function = "cap_mmap_addr")]
        fn mmap_call(context: FEntryContext) -> i32 {
            inlined::low_mapping::<$transport, _>(&context, context.arg(0));
            0
        }

        #[raw_tracepoint(tracepoint = "sched_process_fork")]
        fn process_fork(context: RawTracePointContext) -> i32 {
            life::forked::<$transport>(&context);
            0
        }

        #[raw_tracepoint(tracepoint = "sched_process_exec")]
        fn process_exec(context: RawTracePointContext) -> i32 {
            life::executed::<$transport>(&context);
            0
        }

        #[raw_tracepoint(tracepoint = "sched_process_free")]
        fn process_free(context: RawTracePointContext) -> i32 {
            life::freed::<$transport>(&context);
            0
        }

        #[raw_tracepoint(tracepoint = "cgroup_mkdir")]
        fn cgroup_made(context: RawTracePointContext) -> i32 {
            cgroups::made::<$transport>(&context);
            0
        }

        #[raw_tracepoint(tracepoint = "cgroup_rmdir")]
        fn cgroup_removed(context: RawTracePointContext) -> i32 {
            cgroups::removed(&context);
            0
        }

        #[raw_tracepoint(tracepoint = "sys_exit")]
        fn syscall_exit(context: RawTracePointContext) -> i32 {
            life::returned::<$transport>(&context);
            0
        }
    };
}
