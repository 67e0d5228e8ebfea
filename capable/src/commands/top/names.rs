//! Names that the counters do not contain: those of cgroups, and command lines.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read as _},
};

use super::frame::NameSource;
use crate::{context::cgroups::Cgroups, event::ProcessId};

/// How many command lines are remembered, and how many bytes of each: a process can say that any of
/// its memory is its command line (prctl(2), PR_SET_MM_MAP).
const LIMIT: usize = 4096;
const LONGEST: u64 = 4096;

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
        if let Ok(mut command) = command_line(id.pid)
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

fn command_line(pid: u32) -> io::Result<Vec<u8>> {
    let mut command = Vec::new();
    let file = File::open(format!("/proc/{pid}/cmdline"))?;
    file.take(LONGEST).read_to_end(&mut command)?;
    Ok(command)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_command_line_of_a_megabyte_is_cut() {
        let words = vec!["x".repeat(100_000); 10];
        let mut child = Command::new("sh")
            .args(["-c", "echo; read line"])
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Before that, the kernel may not have noted where its command line is.
        let mut output = child.stdout.take().unwrap();
        output.read_exact(&mut [0]).unwrap();
        let id = ProcessId::of(child.id()).unwrap();
        let command = SystemNames::new(&mut Vec::new()).command(id).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(
            command.starts_with(b"sh -c echo; read line xxx"),
            "{command:?}"
        );
        assert_eq!(command.len() as u64, LONGEST);
    }
}
