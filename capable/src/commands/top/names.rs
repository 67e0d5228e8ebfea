//! Names that the counters do not contain: those of cgroups, and command lines.

use std::{collections::HashMap, fs};

use super::frame::NameSource;
use crate::{context::cgroups::Cgroups, event::ProcessId};

/// How many command lines are remembered.
const LIMIT: usize = 4096;

/// The names on this system.
pub struct SystemNames {
    cgroups: Option<Cgroups>,
    commands: HashMap<ProcessId, Vec<u8>>,
}

impl SystemNames {
    /// Prepares to name cgroups. Anything that is unavailable is reported in `notes`.
    pub fn new(notes: &mut Vec<String>) -> Self {
        let cgroups = Cgroups::open()
            .map_err(|error| notes.push(format!("cannot name cgroups: {error}")))
            .ok();
        Self {
            cgroups,
            commands: HashMap::new(),
        }
    }
}

impl NameSource for SystemNames {
    fn cgroup(&mut self, id: u64) -> Vec<u8> {
        match self.cgroups.as_mut().and_then(|cgroups| cgroups.get(id)) {
            Some(cgroup) => cgroup.path.clone().into(),
            None => format!("cgroup {id}").into_bytes(),
        }
    }

    fn command(&mut self, id: ProcessId) -> Option<Vec<u8>> {
        // What was read is another process's if this one has ended by now.
        if let Ok(mut command) = fs::read(format!("/proc/{}/cmdline", id.pid))
            && !command.is_empty()
            && id.exists()
        {
            while command.last() == Some(&0) {
                command.pop();
            }
            for byte in &mut command {
                if *byte == 0 {
                    *byte = b' ';
                }
            }
            if self.commands.len() >= LIMIT {
                self.commands.clear();
            }
            self.commands.insert(id, command);
        }
        self.commands.get(&id).cloned()
    }
}
