//! Checks that the kernel side counted without sending records: reads the table as typed rows,
//! summed over the processors.

mod error;
mod recent;
mod sum;

use std::{
    cell::RefCell,
    collections::HashMap,
    fs,
    os::fd::{AsFd as _, OwnedFd},
    sync::Arc,
};

use aya::{
    maps::{MapData, MapError, PerCpuHashMap, StackTraceMap},
    util::nr_cpus,
};
use capable_common::{COMM_LENGTH, Count, CountKey, SYSCALL_NONE};

use recent::RecentCounts;
use sum::sum;

use crate::{
    event::{Facts, ProcessId},
    kernel::bpf::{entries, object::Object},
};

pub use error::CountsError;

/// How many times to read the table at most while processors add to it.
const TRIES: u32 = 4;

/// How many rows the table has room for by default.
pub const ENTRIES: u32 = 1 << 14;

/// In place of the number of a stack: the kernel could not capture it (capable-ebpf/src/count.rs).
const NO_STACK: u64 = u64::MAX;

/// How many rows of processes that ended are kept apart, which is about 10 MB. Programs can take a
/// new name for each process.
const ENDED_ROWS: usize = 1 << 16;

/// In place of the name of processes that ended, beyond that. The kernel closes a task's name by
/// NUL, so no task has this one (`TASK_COMM_LEN`, include/linux/sched.h).
pub const OTHER_PROGRAMS: [u8; COMM_LENGTH] = *b"(other programs)";

/// In place of a process: processes that ended. No pid is this large.
const ENDED: u64 = u64::MAX;

/// What checks are counted by, next to capability and result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountBy {
    /// Who asked.
    pub subject: CountSubject,
    /// Count by kernel stack, system call, credentials and namespaces too.
    pub origin: bool,
    /// How many rows the table has room for; what does not fit is counted as lost.
    pub entries: u32,
}

impl CountBy {
    /// By nothing else, in a table of the default size.
    pub const CAPABILITY: Self = Self {
        subject: CountSubject::All,
        ..Self::PROCESS
    };

    /// By process, in a table of the default size.
    pub const PROCESS: Self = Self {
        subject: CountSubject::Process,
        origin: false,
        entries: ENTRIES,
    };
}

/// Whose checks are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CountSubject {
    /// Those of a process, under one name.
    Process = 0,
    /// Those of a cgroup.
    Cgroup = 1,
    /// Everybody's.
    All = 2,
    /// Those of a process, under one name, in one cgroup; without the stack of
    /// [`CountBy::origin`].
    ProcessInCgroup = 3,
}

/// One row: checks that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Who asked.
    pub who: Who,
    /// The id of its cgroup, for [`CountSubject::ProcessInCgroup`].
    pub cgroup: Option<u64>,
    /// What was decoded of each check.
    pub facts: Facts,
    /// The system call's number; `None` if it was not asked for or is unknown, or if the checks
    /// were made outside of one.
    pub syscall: Option<i32>,
    /// The kernel stack.
    pub stack: CountedStack,
    /// How many checks.
    pub checks: u64,
    /// The first of them, in nanoseconds of `CLOCK_MONOTONIC`.
    pub first: u64,
}

/// Who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Who {
    /// A process, and its task's name, closed by NUL.
    Process(ProcessId, [u8; COMM_LENGTH]),
    /// Processes that ended, by their tasks' name, or [`OTHER_PROGRAMS`] if that were too many: their
    /// rows were taken out of the table to make room.
    Ended([u8; COMM_LENGTH]),
    /// A cgroup, by its id in the version 2 hierarchy.
    Cgroup(u64),
    /// Everybody.
    All,
}

/// The kernel stack of checks that were counted together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CountedStack {
    /// Nobody asked for it.
    NotAsked,
    /// The kernel could not capture it, or two stacks collided in its table.
    Failed,
    /// The addresses of its frames, the innermost first.
    Frames(Arc<[u64]>),
}

/// A key, as aya takes it.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct PodKey(CountKey);

// SAFETY: the key is made of integers and has no padding (capable-common pins its size).
unsafe impl aya::Pod for PodKey {}

/// A count, as aya takes it.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct PodCount(Count);

// SAFETY: the count is made of integers and has no padding (capable-common pins its size).
unsafe impl aya::Pod for PodCount {}

/// The table of a trace that counts.
pub struct Counts {
    by: CountBy,
    /// The table's descriptor, to read many rows at once.
    descriptor: OwnedFd,
    /// The number of possible processors: a row has a count for each.
    processors: usize,
    table: PerCpuHashMap<MapData, PodKey, PodCount>,
    /// What the processors counted and have not yet added to the table.
    recent: RecentCounts,
    stacks: Option<StackTraceMap<MapData>>,
    /// Stacks that were read before: the kernel side never replaces one.
    known: RefCell<HashMap<u32, Arc<[u64]>>>,
    /// What was taken out of the table: keys with [`ENDED`] as their subject.
    ended: HashMap<CountKey, Count>,
}

impl Counts {
    /// Takes the table out of an object.
    ///
    /// # Errors
    ///
    /// The object does not have it.
    pub fn open(object: &mut Object, by: CountBy) -> Result<Self, CountsError> {
        Ok(Self {
            by,
            descriptor: object.duplicate("COUNTS")?,
            processors: nr_cpus().map_err(|(_, error)| CountsError::Table(error))?,
            table: object.take_map("COUNTS")?,
            recent: RecentCounts::open(object)?,
            stacks: if by.origin {
                Some(object.take_map("STACKS")?)
            } else {
                None
            },
            known: RefCell::default(),
            ended: HashMap::new(),
        })
    }

    /// Reads the table, in no order. Rows that are added while it is read may be missing until the
    /// next time.
    ///
    /// # Errors
    ///
    /// A map cannot be read.
    pub fn read(&self) -> Result<Vec<Counted>, CountsError> {
        let mut before = self.recent.read()?;
        let mut tries = 0;
        let mut counts = loop {
            let mut counts = self.table()?;
            let after = self.recent.read()?;
            tries += 1;
            // What moved into the table in between may be missing from both.
            if tries == TRIES || before.has_same_keys(&after) {
                after.add_to(&mut counts);
                break counts;
            }
            before = after;
        };
        counts.extend(self.ended.iter().map(|(key, count)| (*key, *count)));
        counts
            .iter()
            .map(|(key, count)| self.row(key, *count))
            .collect()
    }

    /// Reads the table itself.
    fn table(&self) -> Result<Vec<(CountKey, Count)>, CountsError> {
        let mut counts = Vec::new();
        let value = self.processors * size_of::<Count>();
        let read = entries::each(
            self.descriptor.as_fd(),
            size_of::<CountKey>(),
            value,
            |key, value| counts.extend(decode(key, value)),
        );
        match read {
            Ok(()) => {}
            // Before 5.6.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
                counts.clear();
                for entry in self.table.iter() {
                    let (PodKey(key), processors) =
                        entry.map_err(|error| CountsError::Map("COUNTS", error))?;
                    counts.push((key, sum(processors.iter().map(|PodCount(one)| *one))));
                }
            }
            Err(error) => return Err(CountsError::Table(error)),
        }
        Ok(counts)
    }

    /// Makes room: takes the rows of processes that ended out of the table and adds them up by
    /// name. Returns who these were, and who their checks count for from now on. Does nothing if this program does not see processes under the
    /// kernel's numbers, because then it cannot know whether one has ended.
    ///
    /// # Errors
    ///
    /// The table cannot be read or written.
    pub fn fold_ended(&mut self) -> Result<HashMap<Who, Who>, CountsError> {
        let map = |error| CountsError::Map("COUNTS", error);
        let by_process = [CountSubject::Process, CountSubject::ProcessInCgroup];
        if !by_process.contains(&self.by.subject) || !in_initial_pid_namespace() {
            return Ok(HashMap::new());
        }
        let mut ended = HashMap::new();
        // Counts that have yet to be added to the table would bring the same key back.
        let recent = self.recent.read()?;
        // Read all keys before the first removal: iteration starts over if its current key was
        // removed.
        let keys: Vec<PodKey> = self.table.keys().collect::<Result<_, _>>().map_err(map)?;
        for key in keys {
            let process = ProcessId::from_word(key.0.subject);
            if recent.has_subject(key.0.subject) || process.exists() {
                continue;
            }
            // The process is gone, so this count is final.
            let processors = self.table.get(&key, 0).map_err(map)?;
            let count = sum(processors.iter().map(|PodCount(one)| *one));
            let name = add_ended(&mut self.ended, key.0, count);
            self.table.remove(&key).map_err(map)?;
            ended.insert(Who::Process(process, key.0.comm), Who::Ended(name));
        }
        Ok(ended)
    }

    fn row(&self, key: &CountKey, count: Count) -> Result<Counted, CountsError> {
        Ok(Counted {
            who: match self.by.subject {
                CountSubject::Process | CountSubject::ProcessInCgroup => match key.subject {
                    ENDED => Who::Ended(key.comm),
                    subject => Who::Process(ProcessId::from_word(subject), key.comm),
                },
                CountSubject::Cgroup => Who::Cgroup(key.subject),
                CountSubject::All => Who::All,
            },
            cgroup: (self.by.subject == CountSubject::ProcessInCgroup).then_some(key.caller),
            facts: Facts::of_count(key, self.by.origin),
            syscall: (key.syscall != SYSCALL_NONE).then_some(key.syscall),
            stack: self.stack(key.caller)?,
            checks: count.checks,
            first: count.first,
        })
    }

    fn stack(&self, number: u64) -> Result<CountedStack, CountsError> {
        let Some(stacks) = &self.stacks else {
            return Ok(CountedStack::NotAsked);
        };
        if number == NO_STACK {
            return Ok(CountedStack::Failed);
        }
        let number = number as u32;
        if let Some(frames) = self.known.borrow().get(&number) {
            return Ok(CountedStack::Frames(frames.clone()));
        }
        let frames: Arc<[u64]> = match stacks.get(&number, 0) {
            Ok(trace) => trace.frames().iter().map(|frame| frame.ip).collect(),
            Err(MapError::KeyNotFound) => return Ok(CountedStack::Failed),
            Err(error) => return Err(CountsError::Map("STACKS", error)),
        };
        self.known.borrow_mut().insert(number, frames.clone());
        Ok(CountedStack::Frames(frames))
    }
}

/// Adds a row to those of processes that ended. Returns the name that it counts for.
fn add_ended(
    ended: &mut HashMap<CountKey, Count>,
    key: CountKey,
    count: Count,
) -> [u8; COMM_LENGTH] {
    let mut key = CountKey {
        subject: ENDED,
        ..key
    };
    if ended.len() >= ENDED_ROWS && !ended.contains_key(&key) {
        key.comm = OTHER_PROGRAMS;
    }
    let entry = ended.entry(key).or_default();
    *entry = sum([*entry, count].into_iter());
    key.comm
}

/// Whether this program's `/proc` numbers processes as the kernel side does (`PROC_PID_INIT_INO`,
/// include/linux/proc_ns.h).
fn in_initial_pid_namespace() -> bool {
    fs::read_link("/proc/self/ns/pid").is_ok_and(|link| link.as_os_str() == "pid:[4026531836]")
}

/// An entry from the bytes that the kernel copied: a key, and a count per processor.
fn decode(key: &[u8], value: &[u8]) -> Option<(CountKey, Count)> {
    let key: &[u8; size_of::<CountKey>()] = key.first_chunk()?;
    // SAFETY: there are as many bytes as a key has, which is made of integers, for which every bit
    // pattern is a value.
    let key = unsafe { key.as_ptr().cast::<CountKey>().read_unaligned() };
    let (words, _) = value.as_chunks::<8>();
    let (counts, _) = words.as_chunks::<2>();
    let counts = counts.iter().map(|&[checks, first]| Count {
        checks: u64::from_ne_bytes(checks),
        first: u64::from_ne_bytes(first),
    });
    Some((key, sum(counts)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ended_processes_beyond_the_limit_count_for_other_programs() {
        let key = |name: u32| {
            let mut comm = [0; COMM_LENGTH];
            comm[..4].copy_from_slice(&name.to_le_bytes());
            CountKey {
                subject: name.into(),
                comm,
                caller: 0,
                flags: 0,
                capability: 0,
                result: 0,
                syscall: 0,
            }
        };
        let one = Count {
            checks: 1,
            first: 7,
        };
        let mut ended = HashMap::new();
        for name in 1..=2 * ENDED_ROWS as u32 {
            let counts_for = add_ended(&mut ended, key(name), one);
            let own = name as usize <= ENDED_ROWS;
            let expected = if own { key(name).comm } else { OTHER_PROGRAMS };
            assert_eq!(counts_for, expected);
        }
        assert_eq!(ended.len(), ENDED_ROWS + 1);
        assert_eq!(add_ended(&mut ended, key(1), one), key(1).comm);
        let checks: u64 = ended.values().map(|count| count.checks).sum();
        assert_eq!(checks, 2 * ENDED_ROWS as u64 + 1, "none is dropped");
    }
}
