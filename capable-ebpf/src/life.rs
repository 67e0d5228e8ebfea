//! Following processes: forks, executions, ends, and how system calls ended.

use aya_ebpf::{
    EbpfContext, helpers::bpf_get_current_pid_tgid, helpers::generated::bpf_ktime_get_ns,
};
use capable_common::{Flags, Life, RecordKind};

use crate::{
    check::Known,
    config, filter,
    maps::{self, add},
    memory::read,
    task,
    transport::Transport,
};

/// In the table of processes: started by the tracer, and not yet running its program.
const WAITING: u32 = 0;
/// In the table of processes: followed.
const FOLLOWED: u32 = 1;

/// Whether the checks of a process are to be kept.
#[inline(always)]
pub fn is_followed(pid: u32) -> bool {
    // SAFETY: the value is copied at once; an entry that is deleted meanwhile is that of a process
    // that has ended.
    matches!(unsafe { maps::PIDS.get(&pid) }, Some(&state) if state != WAITING)
}

/// A process forked: its child is followed too.
#[inline(always)]
pub fn forked<T: Transport, C: EbpfContext>(context: &C, parent: u64, child: u64) {
    let (Some(parent), Some(child)) = (
        read::<u32>(parent, config!(offsets.task_tgid)),
        read::<u32>(child, config!(offsets.task_tgid)),
    ) else {
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
        if let Some(counters) = maps::counters() {
            add(&mut counters.table_full);
        }
        T::log_full(context, "processes");
        return;
    }
    report::<T, C>(context, RecordKind::Fork, i64::from(child));
}

/// A process executed a program: from here on it is the program, not the launcher.
#[inline(always)]
pub fn executed<T: Transport, C: EbpfContext>(context: &C) {
    let pid = (bpf_get_current_pid_tgid() >> 32) as u32;
    // SAFETY: the value is copied at once.
    let Some(&state) = (unsafe { maps::PIDS.get(&pid) }) else {
        return;
    };
    if state == WAITING && maps::PIDS.insert(&pid, &FOLLOWED, 0).is_err() {
        return;
    }
    report::<T, C>(context, RecordKind::Exec, 0);
}

/// A task's memory is given back. The leader of a process goes last, so with it the process has
/// ended.
#[inline(always)]
pub fn freed<T: Transport, C: EbpfContext>(context: &C, task: u64) {
    if read::<u64>(task, config!(offsets.task_group_leader)) != Some(task) {
        return;
    }
    let Some(pid) = read::<u32>(task, config!(offsets.task_tgid)) else {
        return;
    };
    if maps::PIDS.remove(&pid).is_ok() {
        report::<T, C>(context, RecordKind::Exit, i64::from(pid));
    }
}

/// Asks to be told how the system call ends in which this check was denied.
#[inline(always)]
pub fn expect_outcome(known: &Known) {
    if config!(outcomes) != 0 && known.flags() & Flags::RESULT_KNOWN != 0 && known.result() != 0 {
        // A full table evicts its oldest entry: the outcome of that one stays unknown.
        // Copies: what a helper gets the address of stays on the stack as a whole.
        let (tid, pid) = (known.tid, known.pid);
        let _evicted = maps::DENIED.insert(&tid, &pid, 0);
    }
}

/// A system call returned.
#[inline(always)]
pub fn returned<T: Transport, C: EbpfContext>(context: &C, result: i64) {
    let tid = bpf_get_current_pid_tgid() as u32;
    if maps::DENIED.remove(&tid).is_ok() {
        report::<T, C>(context, RecordKind::Outcome, result);
    }
}

#[inline(always)]
fn report<T: Transport, C: EbpfContext>(context: &C, kind: RecordKind, value: i64) {
    if config!(send) == 0 {
        return;
    }
    let ids = bpf_get_current_pid_tgid();
    let life = Life {
        kind: kind as u16,
        reserved: [0; 3],
        // SAFETY: the helper takes nothing.
        time: unsafe { bpf_ktime_get_ns() },
        pid: (ids >> 32) as u32,
        tid: ids as u32,
        value,
        comm: filter::comm_of(task::current()),
    };
    if !T::send_life(context, &life)
        && let Some(counters) = maps::counters()
    {
        add(&mut counters.lost_life);
    }
}
