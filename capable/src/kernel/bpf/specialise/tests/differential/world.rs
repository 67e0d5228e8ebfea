//! The world in which programs run: memory and helpers' answers, made from a seed.
//!
//! It lies at the same address for both forms of a program, so that everything they pass on can be
//! compared directly, addresses included.

use std::{cell::RefCell, collections::HashMap};

use fastrand::Rng;

/// What the memory holds, in bytes from its start.
pub mod place {
    use std::ops::Range;

    /// Room for the frames of eight functions.
    pub const STACK: Range<usize> = 0..0x1400;
    /// What r1 points to.
    pub const CONTEXT: usize = 0x1400;
    /// The frozen settings.
    pub const SETTINGS: usize = 0x1500;
    /// A record in the ring buffer.
    pub const RECORD: usize = 0x1900;
    /// Values in maps: how many there are, and of how many bytes.
    pub const VALUES: usize = 0x2400;
    pub const VALUE: usize = 0xa00;
    pub const VALUES_HELD: usize = 4;
    /// The kernel's memory: each word is the address of a word in the first half.
    pub const KERNEL: usize = VALUES + VALUE * VALUES_HELD;
    pub const KERNEL_SIZE: usize = 0x2000;
    pub const END: usize = KERNEL + KERNEL_SIZE;
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World::new());
}

/// Sizes of a map's keys and values, by its descriptor.
pub type Maps = HashMap<i32, (usize, usize)>;

/// What a program is run with.
pub struct Setting<'a> {
    pub seed: u64,
    /// The frozen settings.
    pub settings: &'a [u8],
    pub maps: &'a Maps,
}

/// A call to a helper, and what its arguments point to.
#[derive(Debug, PartialEq, Eq)]
pub struct Call {
    pub helper: u32,
    pub arguments: Vec<u64>,
    pub memory: Vec<Vec<u8>>,
}

/// The memory, and what helpers need.
pub struct World {
    /// Where the memory begins.
    pub start: u64,
    pub memory: Vec<u64>,
    /// The seed of this world, its initial memory, and the random numbers that follow.
    fresh: Option<(u64, Vec<u64>, Rng)>,
    pub random: Rng,
    pub calls: Vec<Call>,
    pub maps: Maps,
    /// The size of the record that was reserved last.
    pub reserved: usize,
}

impl World {
    fn new() -> Self {
        let mut memory = vec![0; place::END / 8];
        Self {
            start: memory.as_mut_ptr() as u64,
            memory,
            fresh: None,
            random: Rng::with_seed(0),
            calls: Vec::new(),
            maps: Maps::new(),
            reserved: 0,
        }
    }

    /// Makes the world of a seed.
    pub fn renew(&mut self, setting: &Setting<'_>) {
        match &self.fresh {
            Some((seed, memory, random)) if *seed == setting.seed => {
                self.memory.copy_from_slice(memory);
                self.random = random.clone();
            }
            _ => {
                self.random = Rng::with_seed(setting.seed);
                for at in 0..place::END / 8 {
                    self.memory[at] = match at {
                        _ if at >= place::KERNEL / 8 => self.kernel_address(),
                        _ => self.word(),
                    };
                }
                let fresh = (setting.seed, self.memory.clone(), self.random.clone());
                self.fresh = Some(fresh);
            }
        }
        self.maps.clone_from(setting.maps);
        self.reserved = 0;
        self.write(self.address(place::SETTINGS), setting.settings);
    }

    /// Where a place lies for the program.
    pub fn address(&self, place: usize) -> u64 {
        self.start + place as u64
    }

    /// An address of the kernel's memory.
    pub fn kernel_address(&mut self) -> u64 {
        let word = self.random.usize(..place::KERNEL_SIZE / 2) & !7;
        self.address(place::KERNEL + word)
    }

    /// A word as it may lie in memory.
    pub fn word(&mut self) -> u64 {
        match self.random.u8(..4) {
            0 => self.kernel_address(),
            1 => self.random.u64(..),
            2 => u64::from(self.random.u32(..)),
            _ => self.random.u64(..44),
        }
    }

    /// The bytes at an address; fewer if the memory ends first.
    pub fn read(&self, address: u64, length: usize) -> Vec<u8> {
        let start = address.wrapping_sub(self.address(0)) as usize;
        (start..start.saturating_add(length))
            .take_while(|&at| at < place::END)
            .map(|at| self.memory[at / 8].to_le_bytes()[at % 8])
            .collect()
    }

    /// Writes bytes at an address, up to the end of the memory.
    pub fn write(&mut self, address: u64, bytes: &[u8]) {
        let start = address.wrapping_sub(self.address(0)) as usize;
        for (at, byte) in (start..place::END).zip(bytes) {
            let mut word = self.memory[at / 8].to_le_bytes();
            word[at % 8] = *byte;
            self.memory[at / 8] = u64::from_le_bytes(word);
        }
    }
}

/// What helpers do in the world of the program that calls them.
pub fn with_world<R>(act: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with_borrow_mut(act)
}
