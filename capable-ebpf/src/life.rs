//! Following processes: forks, executions, ends, and how system calls ended.

use aya_ebpf::{EbpfContext, programs::RawTracePointContext};
use capable_common::{FollowedProcess, Life, RecordKind, process_word};

use crate::{
    clock::now,
    config, maps,
    memory::read,
    operation,
    settled::SettledCheck,
    task,
    transport::{Lost, Transport},
};

/// Whether to keep the checks of the current process.
#[inline(always)]
pub fn is_followed(pid: u32) -> bool {
    matches!(current(pid), Some(process) if process.state != FollowedProcess::WAITING)
}

/// The current process, which has this number, in the table.
#[inline(always)]
fn current(pid: u32) -> Option<FollowedProcess> {
    in_table(pid, task::process_started)
}

/// A process in the table. Its number may be that of one that ended, whose end is noticed only later
/// (`delayed_put_task_struct`, kernel/exit.c).
#[inline(always)]
fn in_table(pid: u32, started: impl Fn() -> u32) -> Option<FollowedProcess> {
    // SAFETY: the value is copied at once; an entry is only deleted in between if its process has
    // ended.
    let &process = unsafe { maps::PIDS.get(&pid) }?;
    task::is_start(process.started, started).then_some(process)
}

/// A process forked: its child is followed too.
///
/// The raw tracepoint `sched_process_fork(struct task_struct *parent, struct task_struct *child)`
/// (include/trace/events/sched.h). It fires before the child first runs.
#[inline(always)]
pub fn forked<T: Transport>(context: &RawTracePointContext) {
    let tgid = |task: u64| read::<u32>(task, config!(offsets.task_tgid));
    let (Some(parent), Some(child)) = (tgid(context.arg(0)), tgid(context.arg(1))) else {
        return;
    };
    if parent == child || config!(follow) == 0 {
        return;
    }
    let Some(FollowedProcess { state, .. }) = current(parent) else {
        return;
    };
    let started = task::started(context.arg(1));
    if maps::PIDS
        .insert(&child, &FollowedProcess { state, started }, 0)
        .is_err()
    {
        maps::count_one(|counters| &mut counters.lost_processes);
        T::log_full(context, "processes");
        return;
    }
    report::<T, _>(
        context,
        RecordKind::Fork,
        process_word(child, started) as i64,
    );
}

/// A process executed a program: from here on it is the program, not the launcher.
///
/// The raw tracepoint `sched_process_exec`.
#[inline(always)]
pub fn executed<T: Transport>(context: &RawTracePointContext) {
    let (pid, _) = task::ids();
    let Some(FollowedProcess { state, started }) = current(pid) else {
        return;
    };
    let running = FollowedProcess {
        state: FollowedProcess::RUNNING,
        started,
    };
    if state == FollowedProcess::WAITING && maps::PIDS.insert(&pid, &running, 0).is_err() {
        maps::count_one(|counters| &mut counters.lost_processes);
        return;
    }
    report::<T, _>(context, RecordKind::Exec, 0);
}

/// A task's memory is freed. The leader of a process is freed last, so then the process has ended.
///
/// The raw tracepoint `sched_process_free(struct task_struct *p)`.
#[inline(always)]
pub fn freed<T: Transport>(context: &RawTracePointContext) {
    let task: u64 = context.arg(0);
    if read::<u64>(task, config!(offsets.task_group_leader)) != Some(task) {
        return;
    }
    let Some(pid) = read::<u32>(task, config!(offsets.task_tgid)) else {
        return;
    };
    // The number may have been given to another process before this one is freed.
    if in_table(pid, || task::started(task)).is_some() && maps::PIDS.remove(&pid).is_ok() {
        report::<T, _>(context, RecordKind::Exit, i64::from(pid));
    }
}

/// Asks for the result of the system call in which this check was denied.
#[inline(always)]
pub fn expect_outcome(settled: &SettledCheck) {
    /// `BPF_NOEXIST` (include/uapi/linux/bpf.h).
    const NEW: u64 = 1;
    if config!(outcomes) != 0 && settled.has_result() && settled.result() != 0 {
        // A full table evicts its oldest entry: the outcome of that one stays unknown. Copies: a
        // variable whose address is passed to a helper stays on the stack as a whole.
        let (tid, pid) = (settled.tid, settled.pid);
        if maps::DENIED.insert(&tid, &pid, NEW).is_ok()
            && let Some(expected) = maps::EXPECTED.get_ptr_mut(0)
        {
            // SAFETY: the entry lives as long as the map.
            maps::add(unsafe { &mut *expected });
        }
    }
}

/// Whether a return is expected of any thread.
#[inline(always)]
fn is_any_expected() -> bool {
    // SAFETY: the entry lives as long as the map; volatile, because others write it.
    maps::EXPECTED
        .get_ptr(0)
        .is_some_and(|expected| unsafe { expected.read_volatile() } != 0)
}

/// Whether this result is a refusal, whatever the call was.
#[inline(always)]
fn is_refusal(result: i64) -> bool {
    /// `EPERM`, `EACCES` and `EROFS` (include/uapi/asm-generic/errno-base.h).
    const REFUSALS: [i64; 3] = [-1, -13, -30];
    REFUSALS.contains(&result)
}

/// A system call returned.
///
/// The raw tracepoint `sys_exit(struct pt_regs *regs, long ret)`
/// (include/trace/events/syscalls.h). It comes for each call of each process: those of others cost a
/// comparison of the result and a look at one word.
#[inline(always)]
pub fn returned<T: Transport>(context: &RawTracePointContext) {
    let result: i64 = context.arg(1);
    let refused = config!(operations) != 0 && is_refusal(result);
    if !refused && !is_any_expected() {
        return;
    }
    let ids = task::ids();
    let denied = maps::DENIED.remove(&ids.1).is_ok();
    if denied && let Some(expected) = maps::EXPECTED.get_ptr_mut(0) {
        // SAFETY: the entry lives as long as the map.
        maps::subtract(unsafe { &mut *expected });
    }
    if operation::is_wanted(result) && (denied || refused && is_followed(ids.0)) {
        operation::send::<T>(context, ids, result, denied);
    } else if denied {
        report::<T, _>(context, RecordKind::Outcome, result);
    }
}

#[inline(always)]
fn report<T: Transport, C: EbpfContext>(context: &C, kind: RecordKind, value: i64) {
    if config!(send) == 0 {
        return;
    }
    let (pid, tid) = task::ids();
    let life = Life {
        kind: kind as u16,
        reserved: [0; 3],
        time: now(),
        pid,
        tid,
        value,
        comm: task::name(task::current()),
    };
    if let Err(lost) = T::send_life(context, &life) {
        maps::count_one(|counters| match lost {
            Lost::Full => &mut counters.lost_life,
            Lost::NoBuffer => &mut counters.lost_life_hotplug,
        });
    }
}
