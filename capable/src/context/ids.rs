//! Tables whose keys are numbers, such as users and cgroups. They are used for each row.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

/// A table whose keys are numbers.
pub type IdMap<K, V> = HashMap<K, V, BuildHasherDefault<IdHasher>>;

/// Hashes one number in a few instructions. An attacker who makes numbers collide can slow down
/// look-ups, but only up to the bounded size of the tables.
#[derive(Clone, Copy, Debug, Default)]
pub struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(byte.into());
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        // Fibonacci hashing: the top bits of the product depend on all bits of the number.
        self.0 = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn finish(&self) -> u64 {
        // The table uses the lowest bits.
        self.0.rotate_left(32)
    }
}
