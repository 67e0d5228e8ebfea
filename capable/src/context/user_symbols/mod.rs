//! Names for addresses in programs: functions, inlined functions and source lines.
//!
//! A stack is read some time after it was captured, when the process may have ended or executed
//! another program. The mappings of a process are therefore kept from the first time that it is
//! seen, and files that were needed once remain open.
//!
//! What files hold is read by another process, the reader (`reader/`): a traced process chooses its
//! files, and no file may do harm to the process that traces, stop it or make it use much memory.
//! Without a reader there are addresses, modules, and build ids.
//!
//! Everything is bounded:
//!
//! | what | most |
//! |---|---|
//! | a name of a function, a path of a source file | 512 bytes; what is longer ends with `…` |
//! | a path of a module | 1024 bytes, as well |
//! | functions in one place, the inlined ones among them | 16 |
//! | frames of a stack | 256 |
//! | symbols of a file | 4 Mi |
//! | debug information of a file, uncompressed | 256 MiB; of more, only the symbol table is read |
//! | memory of the reader | 1 GiB of address space |
//! | time for one answer | 5 s |
//! | time for all answers | 20 s at once, and a quarter of the time that passes |
//! | names that are kept | 8 MiB |
//! | mappings that are kept | 4096 of a process, and 32 MiB |
//!
//! A caller that must not wait keeps [`UserSymbols`] on a thread of its own.

mod elf;
mod files;
mod frame;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod open;
mod process;
mod reader;
mod text;
mod unread;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use files::{Files, FrameLocation};
pub use frame::{Provenance, SourceLine, UserFrame, UserStack};
use process::{Mapping, Process};
pub use reader::serve_if_reader;
pub use unread::{Hindrance, Unread};

/// The number of processes that are remembered, and the bytes of their mappings.
const PROCESS_LIMIT: usize = 512;
const MAPPINGS_SIZE: usize = 32 << 20;
/// The most frames that a stack gets: those that were captured, and those of inlined functions.
const FRAME_LIMIT: usize = 256;

/// Finds names for the stacks of processes.
#[derive(Debug)]
pub struct UserSymbols {
    processes: HashMap<u32, Process>,
    files: Files,
    /// Counts look-ups, to find the process that was looked up least recently.
    now: u64,
}

impl Default for UserSymbols {
    fn default() -> Self {
        Self::new()
    }
}

impl UserSymbols {
    /// Creates one without a reader, which gives no names: frames have their modules with offsets
    /// and build ids, by which other programs can find names.
    pub fn new() -> Self {
        Self::with(None, false)
    }

    /// Creates one that reads symbols in another process, which it starts when it needs it: this
    /// program, which is `capable` of the same version, or one that calls [`serve_if_reader`] before
    /// it does anything else. `/proc/self/exe` is the calling program itself.
    ///
    /// Without `source_lines` debug information is not read: names come from symbol tables only,
    /// inlined functions do not appear, and little memory is needed.
    pub fn with_reader(program: impl Into<PathBuf>, source_lines: bool) -> Self {
        Self::with(Some(program.into()), source_lines)
    }

    fn with(reader: Option<PathBuf>, source_lines: bool) -> Self {
        Self {
            processes: HashMap::new(),
            files: Files::new(reader, source_lines),
            now: 0,
        }
    }

    /// Remembers the mappings of a process, for stacks that are read after it has ended. Reads two
    /// files of `/proc` for a process that is not known yet.
    pub fn learn(&mut self, pid: u32) {
        self.process(pid);
    }

    /// Names the frames of a stack, given innermost first as it was captured. Takes as long as
    /// reading the symbols does, which has a bound: see the [module](self).
    pub fn symbolize(&mut self, pid: u32, addresses: &[u64]) -> UserStack {
        self.now += 1;
        let process = self.process(pid);
        let provenance = process.update(pid, addresses);
        let mapped: Vec<Option<Mapping>> = addresses
            .iter()
            .enumerate()
            .map(|(depth, &address)| process.mapping(lookup_address(address, depth)).cloned())
            .collect();
        let mut frames = Vec::with_capacity(addresses.len());
        let mut unread: Vec<Unread> = Vec::new();
        for (depth, (&address, mapping)) in addresses.iter().zip(mapped).enumerate() {
            if frames.len() >= FRAME_LIMIT {
                break;
            }
            let Some(mapping) = mapping else {
                frames.push(UserFrame::unknown(address));
                continue;
            };
            let into = lookup_address(address, depth) - mapping.start;
            let place = FrameLocation {
                pid,
                alive: provenance == Provenance::Alive,
                file_offset: into.saturating_add(mapping.file_offset),
                address,
                behind: u64::from(depth != 0),
            };
            if let Err(reason) = self.files.symbolize(&mapping, &place, &mut frames)
                && let Some(module) = mapping.path
                && unread.iter().all(|known| known.module != module)
            {
                unread.push(Unread { module, reason });
            }
        }
        frames.truncate(FRAME_LIMIT);
        self.forget(pid);
        UserStack {
            frames,
            provenance,
            unread,
        }
    }

    fn process(&mut self, pid: u32) -> &mut Process {
        if !self.processes.contains_key(&pid) && self.processes.len() >= PROCESS_LIMIT {
            self.forget_some();
        }
        let now = self.now;
        let process = self
            .processes
            .entry(pid)
            .or_insert_with(|| Process::new(pid));
        process.used = now;
        process
    }

    /// Forgets processes while they take too much memory, but not this one.
    fn forget(&mut self, pid: u32) {
        while self.processes.len() > 1
            && self.processes.values().map(Process::size).sum::<usize>() > MAPPINGS_SIZE
        {
            let kept = self.processes.remove(&pid);
            self.forget_some();
            self.processes.extend(kept.map(|process| (pid, process)));
        }
    }

    /// Forgets the quarter that was looked up least recently: at once, so that this is rare.
    fn forget_some(&mut self) {
        let mut used: Vec<u64> = self
            .processes
            .values()
            .map(|process| process.used)
            .collect();
        used.sort_unstable();
        if let Some(&oldest) = used.get(used.len() / 4) {
            self.processes.retain(|_, process| process.used > oldest);
        }
    }
}

/// All frames but the innermost are return addresses. The call is before that address, which may
/// already belong to the next function or line.
fn lookup_address(address: u64, depth: usize) -> u64 {
    address.saturating_sub(u64::from(depth != 0))
}

/// A name that many frames share.
type Name = Arc<str>;

#[cfg(test)]
mod tests;
