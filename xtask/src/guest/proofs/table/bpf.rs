//! bpf(2).

use super::prelude::*;

const ADMIN: &str = "SYS_ADMIN";
const BPF: &str = "BPF/SYS_ADMIN";
const NET: &str = "NET_ADMIN/SYS_ADMIN";
const PERFMON: &str = "PERFMON/SYS_ADMIN";
/// While it is 0, users may load packet filters and make simple maps.
const UNPRIVILEGED: &str = "/proc/sys/kernel/unprivileged_bpf_disabled";

fn bpf(command: i32, attributes: [u32; 18]) -> Answer {
    // Up to 5.10, maps and programs count as locked memory.
    limit(libc::RLIMIT_MEMLOCK, u64::MAX)?;
    call!(SYS_bpf, command, Argument::read(&attributes), 72)
}

/// Attributes that begin with these.
fn with(first: &[u32]) -> [u32; 18] {
    let mut all = [0; 18];
    all[..first.len()].copy_from_slice(first);
    all
}

/// A map of this type: sizes of keys and values, number of entries, flags.
fn map(kind: u32, key: u32, value: u32, entries: u32, flags: u32) -> Answer {
    bpf(0, with(&[kind, key, value, entries, flags]))
}

/// A hash.
fn hash(_: &Scene) -> Staged {
    number(map(1, 4, 4, 1, 0)?)
}

/// A program of this type that returns 0.
fn program(kind: u32) -> Answer {
    load(kind, &[0xb7, 0x95])
}

fn load(kind: u32, instructions: &[u64]) -> Answer {
    let halves = |pointer: usize| [pointer as u32, (pointer as u64 >> 32) as u32];
    let [low, high] = halves(instructions.as_ptr().expose_provenance());
    let [name_low, name_high] = halves(c"GPL".as_ptr().expose_provenance());
    bpf(
        5,
        with(&[
            kind,
            instructions.len() as u32,
            low,
            high,
            name_low,
            name_high,
        ]),
    )
}

/// A call of this helper, which sets r0.
const fn helper(number: u64) -> u64 {
    0x85 | number << 32
}

fn program_of_user(_: &Scene) -> Staged {
    number(program(1)?)
}

/// What is known of a program.
fn information(program: i32) -> Answer {
    let mut information = [0_u64; 32];
    let place = std::ptr::from_mut(&mut information).expose_provenance() as u64;
    let length = size_of_val(&information) as u32;
    bpf(
        15,
        with(&[
            program.cast_unsigned(),
            length,
            place as u32,
            (place >> 32) as u32,
        ]),
    )
}

/// Proofs about maps, programs and what is asked of them.
pub const PROOFS: &[Proof] = &[
    proof(
        "sys_bpf or __sys_bpf or map_create or map_create_alloc",
        BPF,
        |_| map(1, 4, 4, 1, 0),
    ),
    proof("array_map_alloc", PERFMON, |_| map(2, 4, 4, 1, 0)),
    // BPF_F_ZERO_SEED
    proof("htab_map_alloc_check", ADMIN, |_| map(1, 4, 4, 1, 1 << 6)),
    proof("sock_map_alloc", "NET_ADMIN", |_| map(15, 4, 4, 1, 0)),
    proof("sock_hash_alloc", "NET_ADMIN", |_| map(18, 4, 4, 1, 0)),
    proof("dev_map_alloc", "NET_ADMIN", |_| map(14, 4, 4, 1, 0)),
    proof(
        "map_create@BPF_MAP_TYPE_SOCKMAP or map_create_alloc@BPF_MAP_TYPE_SOCKMAP",
        NET,
        |_| map(15, 4, 4, 1, 0),
    ),
    proof("bpf_prog_load", NET, |_| program(3)),
    proof("bpf_prog_load", "NET_ADMIN", |_| program(3)),
    proof("bpf_prog_load", ADMIN, |_| program(3)).lacking(&["NET_ADMIN"]),
    proof("bpf_prog_load", PERFMON, |_| program(2)),
    proof("bpf_prog_load#3", BPF, |_| program(3)).while_set(UNPRIVILEGED, "0"),
    // bpf_get_current_task and bpf_jiffies64, which have no arguments
    proof("bpf_base_func_proto", PERFMON, |_| {
        load(1, &[helper(35), 0xb7, 0x95])
    })
    .fails(libc::EINVAL),
    proof("bpf_base_func_proto", BPF, |_| {
        load(1, &[helper(118), 0xb7, 0x95])
    })
    .while_set(UNPRIVILEGED, "0"),
    proof("bloom_map_alloc", BPF, |_| map(30, 0, 4, 1, 0)).while_set(UNPRIVILEGED, "0"),
    proof("cpu_map_alloc", BPF, |_| map(16, 4, 4, 1, 0)).while_set(UNPRIVILEGED, "0"),
    proof("htab_map_alloc_check", BPF, |_| map(9, 4, 4, 1, 0)).while_set(UNPRIVILEGED, "0"),
    proof("trie_alloc", BPF, |_| map(11, 8, 4, 1, 1)).while_set(UNPRIVILEGED, "0"),
    proof("queue_stack_map_alloc_check", BPF, |_| map(22, 0, 4, 1, 0)).while_set(UNPRIVILEGED, "0"),
    proof(
        "map_create@BPF_MAP_TYPE_SK_STORAGE or map_create_alloc@BPF_MAP_TYPE_SK_STORAGE",
        BPF,
        |_| map(22, 0, 4, 1, 0),
    )
    .while_set(UNPRIVILEGED, "0"),
    proof("reuseport_array_alloc", BPF, |_| map(20, 4, 8, 1, 0)).while_set(UNPRIVILEGED, "0"),
    proof("stack_map_alloc", BPF, |_| map(7, 4, 8, 1, 0)).while_set(UNPRIVILEGED, "0"),
    proof("bpf_local_storage_map_alloc_check", BPF, |_| {
        let mut attributes = with(&[24, 4, 4, 0, 1]);
        // Types of keys and values, in a description that is not there
        attributes[12] = u32::MAX;
        attributes[13] = 1;
        attributes[14] = 1;
        bpf(0, attributes)
    })
    .while_set(UNPRIVILEGED, "0"),
    proof("bpf_btf_load", BPF, |_| bpf(18, with(&[0; 6]))).while_set(UNPRIVILEGED, "0"),
    proof("bpf_btf_get_fd_by_id", ADMIN, |_| {
        bpf(19, with(&[u32::MAX]))
    }),
    proof("bpf_prog_get_fd_by_id", ADMIN, |_| {
        bpf(13, with(&[u32::MAX]))
    }),
    proof("bpf_map_get_fd_by_id", ADMIN, |_| {
        bpf(14, with(&[u32::MAX]))
    }),
    proof("bpf_link_get_fd_by_id", ADMIN, |_| {
        bpf(30, with(&[u32::MAX]))
    }),
    proof("bpf_obj_get_next_id", ADMIN, |_| bpf(11, with(&[0]))),
    proof("bpf_enable_stats", ADMIN, |_| bpf(32, with(&[0]))),
    proof("bpf_task_fd_query", ADMIN, |pid| {
        bpf(20, with(&[pid.cast_unsigned(), 0]))
    })
    .staged(other),
    proof("bpf_prog_query", NET, |_| bpf(16, with(&[u32::MAX, 0]))),
    proof("bpf_prog_query", "NET_ADMIN", |_| {
        bpf(16, with(&[u32::MAX, 0]))
    }),
    proof("map_freeze", BPF, |map| {
        bpf(22, with(&[map.cast_unsigned()]))
    })
    .staged(hash)
    .while_set(UNPRIVILEGED, "0"),
    proof("bpf_prog_get_info_by_fd", BPF, information)
        .staged(program_of_user)
        .while_set(UNPRIVILEGED, "0"),
];
