//! Capabilities and sets of capabilities, by name and by number.

mod explain;
mod names;
mod parse;
mod running;
mod set;
mod wider;

use std::fmt;
use std::ops::RangeInclusive;

pub use explain::{Danger, Explanation, Scope};
pub use names::ShortName;
pub use parse::{ParseSetError, UnknownCapability};
pub use running::last_of_running_kernel;
pub use set::{CapabilitySet, Iter};
pub use wider::{OR_CHAINS, OrChain};

/// A capability, by its number.
///
/// The number is whatever the kernel reported. A number that has no name here is kept, and prints
/// as `CAP_41`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Capability(i32);

impl Capability {
    /// The last capability that has a name here: `CAP_LAST_CAP` of Linux 5.9 and later
    /// (include/uapi/linux/capability.h).
    pub const LAST_NAMED: Self = Self::CHECKPOINT_RESTORE;

    /// The numbers that a capability can have: a set is 64 bits (`kernel_cap_t`,
    /// include/linux/capability.h).
    pub const NUMBERS: RangeInclusive<i32> = 0..=63;

    /// The capability with this number, whether it has a name or not.
    pub const fn from_number(number: i32) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn number(self) -> i32 {
        self.0
    }

    /// Every capability that has a name, by number.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator + Clone {
        (0..Self::LAST_NAMED.0 + 1).map(Self)
    }
}

impl fmt::Display for Capability {
    /// The name, `CAP_CHOWN`, or `CAP_41` if the number has none. Honours width and alignment.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => f.pad(&format!("CAP_{}", self.0)),
        }
    }
}
