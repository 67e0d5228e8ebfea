//! Translates the numbers of processes in this pid namespace to those of the initial one.
//!
//! The kernel side sees the numbers of the initial namespace, a user in a container sees those of
//! the container, and no file maps one to the other. So we run two programs of a few instructions
//! ourselves (`BPF_PROG_TEST_RUN`, for raw tracepoints since 5.10) that read the kernel's memory
//! for us, and walk the list of tasks with the offsets from BTF. The list may change during the
//! walk: if the walk does not return to its start, it is repeated.

mod error;
mod offsets;

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};

use aya_obj::generated::{bpf_insn, bpf_prog_type};

use self::offsets::TaskOffsets;
use super::filters::Filters;
use crate::event::ProcessId;
use crate::kernel::bpf::assembly::{
    EXIT, LICENSE, PROBE_READ_KERNEL, add, call, copy, load, set, shift,
};
use crate::kernel::bpf::sys;

pub use error::NumbersError;

/// `PROC_PID_INIT_INO` (include/linux/proc_ns.h).
const INITIAL: u32 = 0xEFFF_FFFC;

/// `MAX_PID_NS_LEVEL` (include/linux/pid_namespace.h).
const DEEPEST: u32 = 32;

/// No machine has more tasks (`PID_MAX_LIMIT`, include/linux/threads.h).
const MOST_TASKS: usize = 4 << 20;

/// How many times to try to walk the list.
const ATTEMPTS: usize = 3;

const GET_CURRENT_TASK: i32 = 35;

/// Returns 32 bits of the address of the current task, from bit `context[0]` on.
const CURRENT: &[bpf_insn] = &[load(6, 1, 0), call(GET_CURRENT_TASK), shift(0, 6), EXIT];

/// Returns 32 bits of the eight bytes at the address `context[0]`, from bit `context[1]` on.
const READ: &[bpf_insn] = &[
    load(3, 1, 0),
    load(7, 1, 8),
    copy(1, 10),
    add(1, -8),
    set(2, 8),
    call(PROBE_READ_KERNEL),
    load(0, 10, -8),
    shift(0, 7),
    EXIT,
];

/// Translates the numbers of this process's pid namespace.
pub struct Numbers {
    namespace: u32,
    offsets: TaskOffsets,
    current: OwnedFd,
    read: OwnedFd,
}

impl Numbers {
    /// What translates them; `None` in the initial namespace, where no translation is needed.
    fn here() -> Result<Option<Self>, NumbersError> {
        let link = std::fs::read_link("/proc/self/ns/pid").map_err(NumbersError::OwnNamespace)?;
        let digits = link
            .to_str()
            .and_then(|link| link.strip_prefix("pid:[")?.strip_suffix(']'));
        let namespace = digits.and_then(|digits| digits.parse().ok());
        let unreadable = || NumbersError::OwnNamespace(io::ErrorKind::InvalidData.into());
        match namespace.ok_or_else(unreadable)? {
            INITIAL => Ok(None),
            namespace => Self::of(namespace).map(Some),
        }
    }

    /// Replaces the numbers of this namespace with those of the initial one, and returns the number
    /// of this process. Whatever cannot be translated, or might mislead the user, goes to `gaps`.
    ///
    /// # Errors
    ///
    /// None of the processes that a filter names exists.
    pub fn translate(
        filters: &mut Filters,
        gaps: &mut Vec<String>,
    ) -> Result<(Option<Self>, u32), NumbersError> {
        let own = std::process::id();
        let translated = match Self::here() {
            Ok(None) => return Ok((None, own)),
            Ok(Some(numbers)) => numbers.initial(own).map(|own| (numbers, own)),
            Err(error) => Err(error),
        };
        let (numbers, own) = match translated {
            Ok(translated) => translated,
            Err(error) => {
                gaps.push(format!(
                    "PID, -p and --children use the numbers of the host, and checks of capable \
                     itself may appear: {error}"
                ));
                // What `/proc` shows here under these numbers are other processes.
                filters.forget_starts();
                return Ok((None, own));
            }
        };
        for list in [&mut filters.pids, &mut filters.tids] {
            let initial = numbers.initial_of(list)?;
            // An empty list would keep everything.
            if let (Some(first), true) = (list.first(), initial.is_empty()) {
                return Err(NumbersError::NoProcess(first.pid));
            }
            *list = initial;
        }
        gaps.push(
            "capable runs in a pid namespace: PID, TID and PPID show the numbers on the host, and \
             the columns nspid and nstid those in the namespace"
                .to_owned(),
        );
        Ok((Some(numbers), own))
    }

    fn of(namespace: u32) -> Result<Self, NumbersError> {
        let load = |instructions| {
            let program = sys::Program {
                kind: bpf_prog_type::BPF_PROG_TYPE_RAW_TRACEPOINT as u32,
                attach_type: 0,
                attach_btf_id: 0,
                name: "capable_numbers",
                instructions,
                license: LICENSE,
            };
            sys::load_program(&program, None)
        };
        Ok(Self {
            namespace,
            offsets: TaskOffsets::read()?,
            current: load(CURRENT)?,
            read: load(READ)?,
        })
    }

    /// The number in the initial namespace of a process or thread in this one.
    ///
    /// # Errors
    ///
    /// It does not exist, or the kernel's list cannot be read.
    pub fn initial(&self, number: u32) -> Result<u32, NumbersError> {
        let all = self.all()?;
        all.get(&number)
            .copied()
            .ok_or(NumbersError::NoProcess(number))
    }

    /// The numbers of these in the initial namespace, in the same order, without those that are
    /// gone.
    fn initial_of(&self, ids: &[ProcessId]) -> Result<Vec<ProcessId>, NumbersError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let all = self.all()?;
        let initial = ids.iter().filter_map(|id| {
            let &pid = all.get(&id.pid)?;
            Some(ProcessId { pid, ..*id })
        });
        Ok(initial.collect())
    }

    /// The number in the initial namespace of each task that is also in this one.
    fn all(&self) -> Result<HashMap<u32, u32>, NumbersError> {
        for _ in 0..ATTEMPTS {
            if let Some(all) = self.walk()? {
                return Ok(all);
            }
        }
        Err(NumbersError::List)
    }

    /// Walks the leaders of all processes, and the threads of each. `None` if the walk does not
    /// return to its start.
    fn walk(&self) -> Result<Option<HashMap<u32, u32>>, NumbersError> {
        let offsets = &self.offsets;
        let mut all = HashMap::new();
        let current = self.halves(&self.current, &[])?;
        let begin = self.address(current + offsets.group_leader)? + offsets.tasks;
        let mut leader = begin;
        for _ in 0..MOST_TASKS {
            let signal = self.address(leader - offsets.tasks + offsets.signal)?;
            let head = signal + offsets.thread_head;
            let mut thread = self.address(head)?;
            let mut left = MOST_TASKS;
            while signal != 0 && thread != head {
                left -= 1;
                if thread == 0 || left == 0 {
                    return Ok(None);
                }
                self.note(thread - offsets.thread_node, &mut all)?;
                thread = self.address(thread)?;
            }
            leader = self.address(leader)?;
            if leader == begin {
                return Ok(Some(all));
            }
            if leader == 0 {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// Records a task's number if it has one in this namespace.
    fn note(&self, task: u64, all: &mut HashMap<u32, u32>) -> Result<(), NumbersError> {
        let offsets = &self.offsets;
        let pid = self.address(task + offsets.pid)?;
        if pid == 0 {
            return Ok(());
        }
        let level = self.word(pid + offsets.pid_level)?;
        // The innermost number comes last; in the initial namespace there is no other.
        for level in (1..=level.min(DEEPEST)).rev() {
            let place = pid + offsets.pid_numbers + u64::from(level) * offsets.upid_size;
            let namespace = self.address(place + offsets.upid_namespace)?;
            if self.word(namespace + offsets.inode)? == self.namespace {
                let here = self.word(place + offsets.upid_number)?;
                all.insert(here, self.word(task + offsets.number)?);
                break;
            }
        }
        Ok(())
    }

    fn address(&self, at: u64) -> io::Result<u64> {
        self.halves(&self.read, &[at])
    }

    fn word(&self, at: u64) -> io::Result<u32> {
        sys::run_program(self.read.as_fd(), &mut [at, 0])
    }

    /// What a program returns, in both halves. Its last argument is the first bit to return.
    fn halves(&self, program: &OwnedFd, arguments: &[u64]) -> io::Result<u64> {
        let half = |bit: u64| {
            let mut context = arguments.to_vec();
            context.push(bit);
            sys::run_program(program.as_fd(), &mut context)
        };
        Ok(u64::from(half(32)?) << 32 | u64::from(half(0)?))
    }
}
