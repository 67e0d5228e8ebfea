//! Where checks were made: a kernel stack, and what the atlas says about it.

use std::{collections::HashMap, sync::Arc};

use super::account::kernel_release;
use crate::{
    atlas::{self, Atlas, Call, Version},
    capability::Capability,
    context::{kernel_symbols::KernelSymbols, syscalls},
    event::Event,
    profile::Interner,
};

/// How many stacks are remembered. Checks on one system come from a few hundred.
const REMEMBERED: usize = 10_000;

/// The function that asked, and what the atlas says about it.
pub type Place = (Option<Arc<str>>, Option<atlas::Place>);

/// Symbolises stacks and finds places. The same stacks recur, so their places are remembered.
pub struct Places {
    symbols: Option<KernelSymbols>,
    names: Interner,
    kernel: Option<Version>,
    known: HashMap<Capability, HashMap<Box<[u64]>, Place>>,
}

impl Places {
    /// For the running kernel. Without symbols, no place is known.
    pub fn new(symbols: Option<KernelSymbols>) -> Self {
        Self {
            symbols,
            names: Interner::default(),
            kernel: kernel_release().as_deref().and_then(version),
            known: HashMap::new(),
        }
    }

    /// The kernel's symbols, if they could be read.
    #[cfg(feature = "cli")]
    pub fn symbols(&self) -> Option<&KernelSymbols> {
        self.symbols.as_ref()
    }

    /// Reads the symbols again if a module was loaded.
    pub fn refresh(&mut self) {
        if let Some(symbols) = &mut self.symbols
            && symbols.wants_refresh()
        {
            if let Err(error) = symbols.refresh() {
                log::debug!("cannot read the kernel's symbols again: {error}");
            }
            // A module may have been loaded at the address of another.
            self.known.clear();
        }
    }

    /// The place of a check for a capability, from the frames of its kernel stack, innermost first.
    pub fn of(&mut self, capability: Capability, frames: &[u64]) -> Place {
        self.refresh();
        let Some(symbols) = &self.symbols else {
            return (None, None);
        };
        let known = self.known.get(&capability);
        if let Some(place) = known.and_then(|known| known.get(frames)) {
            return place.clone();
        }
        let caller = symbols.caller(frames).map(|name| self.names.intern(name));
        let place = caller
            .as_ref()
            .and_then(|_| Atlas::place(capability, self.kernel, symbols.asking(frames)));
        // A miss is rare, and there are no more than 64 capabilities to add up.
        if self.known.values().map(HashMap::len).sum::<usize>() >= REMEMBERED {
            self.known.clear();
        }
        let known = self.known.entry(capability).or_default();
        known.insert(frames.into(), (caller.clone(), place.clone()));
        (caller, place)
    }
}

/// The place of a check as far as the arguments of its system call tell which of several it is.
pub fn in_call(place: atlas::Place, event: &Event<'_>) -> atlas::Place {
    let call = event.syscall().filter(|syscall| !syscall.compat);
    let name = call.and_then(|call| syscalls::name(call.number, call.compat));
    match (call, name) {
        (Some(call), Some(name)) => place.in_call(&Call {
            name,
            arguments: &call.arguments,
        }),
        _ => place,
    }
}

/// The version that a release begins with: 6.1 for `6.1.0-57-cloud-amd64`.
fn version(release: &str) -> Option<Version> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    let (major, minor) = (numbers.next()?, numbers.next()?);
    Version::parse(&format!("{major}.{minor}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_the_first_two_numbers_of_a_release() {
        let text = |release| version(release).map(|version| version.to_string());
        assert_eq!(text("6.1.0-57-cloud-amd64").as_deref(), Some("6.1"));
        assert_eq!(text("7.3-rc1").as_deref(), Some("7.3"));
        assert_eq!(text("next"), None);
    }

    #[test]
    fn without_symbols_no_place_is_known() {
        let mut places = Places::new(None);
        assert_eq!(places.of(Capability::CHOWN, &[1, 2]), (None, None));
    }
}
