//! Following processes: forks, executions, ends, and how system calls ended.

use aya_ebpf::{EbpfContext, programs::RawTracePointContext};
use capable_common::{Life, RecordKind};

use crate::{
    clock::now,
    config, maps,
    memory::read,
    settled::SettledCheck,
    task,
    transport::{Lost, Transport},
};

/// In the table of processes: started by the tracer, and not yet running its program.
const WAITING: u32 = 0;
/// In the table of processes: followed.
const FOLLOWED: u32 = 1;

/// Whether to keep the checks of a process.
#[inline(always)]
pub fn is_followed(pid: u32) -> bool {
    // SAFETY: the value is copied at once; an entry is only deleted in between if its process has
    // ended.
    matches!(unsafe { maps::PIDS.get(&pid) }, Some(&state) if state != WAITING)
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
    // SAFETY: the value is copied at once.
    let Some(&state) = (unsafe { maps::PIDS.get(&parent) }) else {
        return;
    };
    if maps::PIDS.insert(&child, &state, 0).is_err() {
        maps::count_one(|counters| &mut counters.lost_processes);
        T::log_full(context, "processes");
        return;
    }
    report::<T, _>(context, RecordKind::Fork, i64::from(child));
}

/// A process executed a program: from here on it is the program, not the launcher.
///
/// The raw tracepoint `sched_process_exec`.
#[inline(always)]
pub fn executed<T: Transport>(context: &RawTracePointContext) {
    let (pid, _) = task::ids();
    // SAFETY: the value is copied at once.
    let Some(&state) = (unsafe { maps::PIDS.get(&pid) }) else {
        return;
    };
    if state == WAITING && maps::PIDS.insert(&pid, &FOLLOWED, 0).is_err() {
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
    if maps::PIDS.remove(&pid).is_ok() {
        report::<T, _>(context, RecordKind::Exit, i64::from(pid));
    }
}

/// Asks for the result of the system call in which this check was denied.
#[inline(always)]
pub fn expect_outcome(settled: &SettledCheck) {
    if config!(outcomes) != 0 && settled.has_result() && settled.result() != 0 {
        // A full table evicts its oldest entry: the outcome of that one stays unknown. Copies: a
        // variable whose address is passed to a helper stays on the stack as a whole.
        let (tid, pid) = (settled.tid, settled.pid);
        let _evicted = maps::DENIED.insert(&tid, &pid, 0);
    }
}

/// A system call returned.
///
/// The raw tracepoint `sys_exit(struct pt_regs *regs, long ret)`
/// (include/trace/events/syscalls.h).
#[inline(always)]
pub fn returned<T: Transport>(context: &RawTracePointContext) {
    let (_, tid) = task::ids();
    if maps::DENIED.remove(&tid).is_ok() {
        report::<T, _>(context, RecordKind::Outcome, context.arg(1));
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
