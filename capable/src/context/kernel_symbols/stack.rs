//! Kernel stacks: what a frame belongs to, and who asked.

use std::cell::Cell;

use super::{
    KernelFrame, KernelSymbols,
    caller::{is_capability_helper, is_neighbour, is_tracer_frame},
};
use crate::kernel::symbols::clean_name;

/// Slots of the cache of addresses. A power of two.
const SLOTS: usize = 1024;

/// What an address is part of: a function, by its place in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Unknown,
    Tracer(u32),
    Helper(u32),
    /// A function that may have asked, and that `cap_capable` may be inlined into.
    Neighbour(u32),
    /// Another function that may have asked.
    Other(u32),
}

/// A cache of what addresses are part of: the same few occur in most stacks. Each address has one
/// slot; of those that share a slot, the latest is kept.
#[derive(Debug)]
pub(super) struct Roles(Box<[Cell<(u64, Role)>]>);

impl Roles {
    pub(super) fn new() -> Self {
        Self(vec![Cell::new((0, Role::Unknown)); SLOTS].into())
    }

    pub(super) fn clear(&mut self) {
        self.0.fill(Cell::new((0, Role::Unknown)));
    }

    pub(super) fn memory(&self) -> usize {
        size_of_val(&*self.0)
    }

    fn slot(&self, address: u64) -> &Cell<(u64, Role)> {
        // Fibonacci hashing: the top bits of the product depend on all bits of the address.
        let slot = address.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - SLOTS.ilog2());
        &self.0[slot as usize]
    }
}

impl KernelSymbols {
    /// The function that a frame of a stack is in.
    ///
    /// All but the innermost frame are return addresses, which come after the call. If a function
    /// ends with a call that never returns, that address is already the start of the next function,
    /// so the byte before it is looked up (as the kernel's `%pB` does).
    pub fn lookup_frame(&self, frames: &[u64], depth: usize) -> Option<KernelFrame<'_>> {
        let address = *frames.get(depth)?;
        match self.role(frames, depth) {
            Role::Unknown => None,
            Role::Tracer(index)
            | Role::Helper(index)
            | Role::Neighbour(index)
            | Role::Other(index) => Some(self.frame(index as usize, address)),
        }
    }

    /// The stack without the frames of the tracer in front of `cap_capable` (or of the function
    /// that it was inlined into).
    pub fn without_tracer<'a>(&self, frames: &'a [u64]) -> &'a [u64] {
        &frames[self.outside(frames)..]
    }

    /// Where the tracer's frames end: at `cap_capable` or another helper if there is one, or at the
    /// function that it was inlined into, and otherwise at the first known function.
    ///
    /// Generated code has no symbols if `net.core.bpf_jit_kallsyms` is 0, and can appear to be part
    /// of a module whose freed memory it lies in. So everything in front of a helper is taken to be
    /// the tracer's.
    fn outside(&self, frames: &[u64]) -> usize {
        let find = |wanted: fn(Role) -> bool| {
            (0..frames.len()).find(|&depth| wanted(self.role(frames, depth)))
        };
        find(|role| matches!(role, Role::Helper(_) | Role::Neighbour(_)))
            .or_else(|| find(|role| matches!(role, Role::Other(_))))
            .unwrap_or(0)
    }

    /// The function that asked for the capability: the first one past the tracer's frames and the
    /// capability helpers, without what the compiler added to its name.
    ///
    /// The frames start with the innermost; six or seven are enough.
    pub fn caller<'a>(&'a self, frames: &[u64]) -> Option<&'a str> {
        let index = self.asked(frames)?;
        match self.role(frames, index) {
            Role::Neighbour(index) | Role::Other(index) => {
                Some(clean_name(self.name(index as usize)))
            }
            _ => None,
        }
    }

    /// The helper through which a function asked, if the stack has it, that function, and those of
    /// its callers that are known, each without what the compiler added to its name.
    pub fn asking<'a>(&'a self, frames: &[u64]) -> impl Iterator<Item = &'a str> {
        let asked = self.asked(frames).unwrap_or(frames.len());
        let has_helper = asked > 0 && matches!(self.role(frames, asked - 1), Role::Helper(_));
        (asked - usize::from(has_helper)..frames.len()).filter_map(|depth| {
            match self.role(frames, depth) {
                Role::Unknown => None,
                Role::Tracer(index)
                | Role::Helper(index)
                | Role::Neighbour(index)
                | Role::Other(index) => Some(clean_name(self.name(index as usize))),
            }
        })
    }

    /// Where the function that asked is on a stack.
    fn asked(&self, frames: &[u64]) -> Option<usize> {
        let mut helpers = false;
        for depth in self.outside(frames)..frames.len() {
            match self.role(frames, depth) {
                Role::Helper(_) => helpers = true,
                Role::Tracer(_) => {}
                Role::Neighbour(_) | Role::Other(_) => return Some(depth),
                // Past the helpers, an unknown function is the one that asked.
                Role::Unknown if helpers => return None,
                Role::Unknown => {}
            }
        }
        None
    }

    fn role(&self, frames: &[u64], depth: usize) -> Role {
        let address = frames[depth].saturating_sub(u64::from(depth != 0));
        let slot = self.roles.slot(address);
        let (cached, role) = slot.get();
        if cached == address {
            return role;
        }
        let role = match self.index(address) {
            None => Role::Unknown,
            Some(index) => {
                let name = clean_name(self.name(index));
                // The table has fewer than 2^32 functions: their names' places are 32-bit.
                let index = index as u32;
                if is_tracer_frame(name) {
                    Role::Tracer(index)
                } else if is_capability_helper(name) {
                    Role::Helper(index)
                } else if is_neighbour(name) {
                    Role::Neighbour(index)
                } else {
                    Role::Other(index)
                }
            }
        };
        slot.set((address, role));
        role
    }
}
