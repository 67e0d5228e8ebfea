//! Names for addresses in programs: functions, inlined functions and source lines.
//!
//! A stack is read some time after it was captured, when the process may have ended or executed
//! another program. The mappings of a process are therefore kept from the first time that it is
//! seen, and files that were needed once remain open. Everything that is kept is bounded.
//!
//! Reading the debug information of a new program can take long (a second for a very large one). A
//! caller that must not wait keeps [`UserSymbols`] on a thread of its own. It must be created
//! there, because it cannot move between threads.

mod files;
mod frame;
mod process;

use std::collections::HashMap;
use std::sync::Arc;

use files::{Files, FrameLocation};
pub use frame::{Provenance, SourceLine, UserFrame, UserStack};
use process::{Mapping, Process};

/// The number of processes that are remembered.
const PROCESS_LIMIT: usize = 512;

/// Finds names for the stacks of processes.
#[derive(Debug)]
pub struct UserSymbols {
    processes: HashMap<u32, Process>,
    files: Files,
    /// Counts look-ups, to find the process that was looked up least recently.
    now: u64,
}

impl UserSymbols {
    /// Creates an empty one. Without `source_lines` it does not read debug information: names come
    /// from symbol tables only, inlined functions do not appear, and little memory is needed.
    pub fn new(source_lines: bool) -> Self {
        Self {
            processes: HashMap::new(),
            files: Files::new(source_lines),
            now: 0,
        }
    }

    /// Remembers the mappings of a process, for stacks that are read after it has ended. Reads two
    /// files of `/proc` for a process that is not known yet.
    pub fn learn(&mut self, pid: u32) {
        self.process(pid);
    }

    /// Names the frames of a stack, given innermost first as it was captured.
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
        for (depth, (&address, mapping)) in addresses.iter().zip(mapped).enumerate() {
            let Some(mapping) = mapping else {
                frames.push(UserFrame::unknown(address, None, None));
                continue;
            };
            let place = FrameLocation {
                pid,
                alive: provenance == Provenance::Alive,
                file_offset: lookup_address(address, depth) - mapping.start + mapping.file_offset,
                address,
                behind: u64::from(depth != 0),
            };
            self.files.symbolize(&mapping, &place, &mut frames);
        }
        UserStack { frames, provenance }
    }

    fn process(&mut self, pid: u32) -> &mut Process {
        if !self.processes.contains_key(&pid) && self.processes.len() >= PROCESS_LIMIT {
            // A quarter at once, so that this is rare.
            let mut used: Vec<u64> = self
                .processes
                .values()
                .map(|process| process.used)
                .collect();
            used.sort_unstable();
            let oldest = used[PROCESS_LIMIT / 4];
            self.processes.retain(|_, process| process.used > oldest);
        }
        let now = self.now;
        let process = self
            .processes
            .entry(pid)
            .or_insert_with(|| Process::new(pid));
        process.used = now;
        process
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
