//! The kernel's helpers: their arguments (include/uapi/linux/bpf.h), and an answer that they might
//! give.

use super::world::{Call, World, place, with_world};

/// What a helper takes.
#[derive(Clone, Copy)]
enum Argument {
    Number,
    Map,
    Key,
    /// A value of the map.
    Value,
    /// Memory of the size that another argument gives.
    Read(usize),
    /// The same, which the helper fills.
    Fill(usize),
    /// A record that was reserved.
    Record,
}

fn arguments(helper: u32) -> &'static [Argument] {
    use Argument::{Fill, Key, Map, Number, Read, Record, Value};
    match helper {
        // Looking up, changing and deleting in a map.
        1 | 3 => &[Map, Key],
        2 => &[Map, Key, Value, Number],
        // Time, processor, pid, user, task, cgroup, the task with its type.
        5 | 8 | 14 | 15 | 35 | 80 | 158 => &[],
        // The task's name.
        16 => &[Fill(1), Number],
        // Sending to a perf buffer.
        25 => &[Number, Map, Number, Read(4), Number],
        // The number of a stack, and a stack.
        27 => &[Number, Map, Number],
        67 => &[Number, Fill(2), Number, Number],
        // The task is in a cgroup.
        37 => &[Map, Number],
        // Reading the kernel's memory, and text in it.
        113 | 115 => &[Fill(1), Number, Number],
        // The ring buffer: sending, reserving, submitting, discarding, querying.
        130 => &[Map, Read(2), Number, Number],
        131 => &[Map, Number, Number],
        132 | 133 => &[Record, Number],
        134 => &[Map, Number],
        // The registers of a task.
        175 => &[Number],
        _ => &[Number; 5],
    }
}

/// The helpers by number.
pub const ALL: &[(u32, rbpf::ebpf::Helper)] = &[
    (1, helper::<1>),
    (2, helper::<2>),
    (3, helper::<3>),
    (5, helper::<5>),
    (8, helper::<8>),
    (14, helper::<14>),
    (15, helper::<15>),
    (16, helper::<16>),
    (25, helper::<25>),
    (27, helper::<27>),
    (35, helper::<35>),
    (37, helper::<37>),
    (67, helper::<67>),
    (80, helper::<80>),
    (113, helper::<113>),
    (115, helper::<115>),
    (130, helper::<130>),
    (131, helper::<131>),
    (132, helper::<132>),
    (133, helper::<133>),
    (134, helper::<134>),
    (158, helper::<158>),
    (175, helper::<175>),
    (200, helper::<200>),
];

fn helper<const NUMBER: u32>(r1: u64, r2: u64, r3: u64, r4: u64, r5: u64) -> u64 {
    with_world(|world| call(world, NUMBER, [r1, r2, r3, r4, r5]))
}

/// The largest memory that an argument leads to.
const LARGEST: u64 = 4096;

fn call(world: &mut World, helper: u32, registers: [u64; 5]) -> u64 {
    let taken = arguments(helper);
    let map = registers[0] as i32;
    let (key, value) = world.maps.get(&map).copied().unwrap_or((0, 0));
    let size = |at: usize| registers[at].min(LARGEST) as usize;
    let mut memory = Vec::new();
    for (argument, &register) in taken.iter().zip(&registers) {
        let length = match argument {
            Argument::Key => key,
            Argument::Value => value,
            Argument::Read(at) => size(*at),
            Argument::Record => world.reserved,
            Argument::Number | Argument::Map | Argument::Fill(_) => continue,
        };
        memory.push(world.read(register, length));
    }
    let key = memory.first().cloned().unwrap_or_default();
    world.calls.push(Call {
        helper,
        arguments: registers[..taken.len()].to_vec(),
        memory,
    });
    for (argument, &register) in taken.iter().zip(&registers) {
        if let Argument::Fill(at) = argument {
            let bytes: Vec<u8> = (0..size(*at).div_ceil(8))
                .flat_map(|_| world.word().to_le_bytes())
                .take(size(*at))
                .collect();
            world.write(register, &bytes);
        }
    }
    answer(world, helper, map, &key, size(1))
}

/// What a helper returns.
fn answer(world: &mut World, helper: u32, map: i32, key: &[u8], size: usize) -> u64 {
    // One call in this many fails.
    let fails = world.random.u8(..8) == 0;
    let failure = (-14i64) as u64;
    match helper {
        1 | 131 if fails => 0,
        1 => {
            let hash = key.iter().fold(map as usize, |hash, byte| {
                hash.wrapping_mul(31).wrapping_add(usize::from(*byte))
            });
            world.address(place::VALUES + hash % place::VALUES_HELD * place::VALUE)
        }
        131 => {
            world.reserved = size;
            world.address(place::RECORD)
        }
        2 | 3 | 16 | 25 | 67 | 113 | 115 | 130 if fails => failure,
        2 | 3 | 16 | 25 | 113 | 130 | 132 | 133 => 0,
        // The length of a name, with its end.
        115 => world.random.u64(1..=256),
        // A pid and a tid, a user and a group.
        14 | 15 => u64::from(world.random.u32(..4)) << 32 | u64::from(world.random.u32(..4)),
        8 | 37 | 80 => world.random.u64(..2),
        35 | 158 | 175 => world.kernel_address(),
        67 => world.random.u64(..=128) * 8,
        _ => world.word(),
    }
}
