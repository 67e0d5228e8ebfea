//! Which files of other processes are opened.
//!
//! A file like /proc/PID/environ is opened in two steps: first its mode is looked at, as that of any
//! file, and then whether the program may look into the process. The first check alone does not show
//! what file it is about; the next one of the same system call does.

use std::collections::HashMap;

use super::collect::PENDING;
use crate::{atlas, capability::Capability, event::Event, profile::Observation};

/// Granted checks of the modes of files that are being opened, by thread.
#[derive(Debug, Default)]
pub struct Opening(HashMap<u32, Held>);

#[derive(Debug)]
struct Held {
    syscall: i32,
    arguments: [u64; 6],
    observation: Observation,
}

impl Opening {
    /// Takes a check, and returns those that are complete.
    pub fn take(&mut self, event: &Event<'_>, observation: Observation) -> Vec<Observation> {
        let mut complete = Vec::new();
        let syscall = event.syscall();
        let this = syscall.map(|syscall| (syscall.number, syscall.arguments));
        if let Some(held) = self.0.remove(&event.tid()) {
            let is_same = this == Some((held.syscall, held.arguments));
            let place = observation.case.place.as_ref();
            let of_process = is_same && place.is_some_and(atlas::Place::opens_process);
            let mut held = held.observation;
            held.case.of_process = of_process;
            complete.push(held);
        }
        let modes = [Capability::DAC_READ_SEARCH, Capability::DAC_OVERRIDE];
        let opens = matches!(
            observation.case.syscall,
            Some("open" | "openat" | "openat2")
        );
        match this {
            Some((syscall, arguments)) if opens && modes.contains(&event.capability()) => {
                let held = Held {
                    syscall,
                    arguments,
                    observation,
                };
                // Threads that ended meanwhile are still there.
                if self.0.len() >= PENDING {
                    complete.extend(self.all());
                }
                self.0.insert(event.tid(), held);
            }
            _ => complete.push(observation),
        }
        complete
    }

    /// Those that are left.
    pub fn all(&mut self) -> impl Iterator<Item = Observation> + use<> {
        let held = std::mem::take(&mut self.0).into_values();
        held.map(|held| held.observation)
    }
}
