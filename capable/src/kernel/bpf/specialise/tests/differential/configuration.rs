//! Random configurations, in which each field has a valid value.

use capable_common::{
    AddressRange, Config, MAX_CGROUP_PATTERNS, MAX_CGROUPS, MAX_COMM_PATTERNS, MAX_FRAMES,
    NO_OFFSET, NamespaceFilter, Offsets, Wanted,
};
use fastrand::Rng;

use super::world::place;

/// The configuration made from a seed.
pub fn configuration(seed: u64) -> Config {
    let random = &mut Rng::with_seed(seed);
    let typed_task = random.bool();
    let range = |random: &mut Rng| {
        let start = random.u64(..64);
        AddressRange {
            start,
            end: start + random.u64(..64),
        }
    };
    Config {
        capabilities: match random.u8(..3) {
            0 => random.u64(..),
            _ => u64::MAX,
        },
        lowest_mapping: random.u64(..1 << 16),
        unaudited: std::array::from_fn(|_| range(random)),
        insetid: std::array::from_fn(|_| range(random)),
        cap_capable: range(random),
        landlock: rare(random, 64).into(),
        offsets: offsets(random, typed_task),
        own_pid: random.u32(..4),
        kernel_frames: random.u32(..=MAX_FRAMES as u32),
        user_frames: random.u32(..=MAX_FRAMES as u32),
        only_pid: rare(random, 2),
        only_started: rare(random, 2),
        cgroups: rare(random, MAX_CGROUPS as u32),
        cgroup_patterns: rare(random, MAX_CGROUP_PATTERNS as u32),
        wakeup_bytes: random.u32(..1 << 20),
        io_worker: random.u32(..64),
        securebits: random.u32(..256),
        namespaces: NamespaceFilter {
            user: rare(random, 2) as u8,
            mount: rare(random, 2) as u8,
            pid: rare(random, 2) as u8,
            reserved: 0,
        },
        audit: random.u8(..4),
        audited_only: rare(random, 1) as u8,
        reserved: [0; 4],
        wakeup_sample: random.u8(..),
        typed_task: u8::from(typed_task),
        results: 3 - rare(random, 2) as u8,
        unique: rare(random, 4) as u8,
        wanted: Wanted::from_bits(random.u8(..=Wanted::EVERYTHING.bits())),
        pids: rare(random, 1) as u8,
        tids: rare(random, 1) as u8,
        users: rare(random, 2) as u8,
        groups: rare(random, 2) as u8,
        comms: rare(random, MAX_COMM_PATTERNS as u32) as u8,
        follow: random.u8(..2),
        send: 1 - rare(random, 1) as u8,
        count: random.u8(..2),
        count_subject: random.u8(..4),
        count_origin: random.u8(..2),
        outcomes: random.u8(..2),
        operations: random.u8(..2),
        task_regs_helper: random.u8(..2),
    }
}

/// Usually 0, sometimes a number up to this: most filters are off, so that programs run far.
fn rare(random: &mut Rng, most: u32) -> u32 {
    match random.u8(..4) {
        0 => random.u32(1..=most),
        _ => 0,
    }
}

/// Offsets into the kernel's memory. Some members are missing, unless all are required.
fn offsets(random: &mut Rng, all: bool) -> Offsets {
    let mut offset = || match random.u8(..8) {
        0 if !all => NO_OFFSET,
        _ => random.u32(..place::KERNEL_SIZE as u32 / 16) * 8,
    };
    let task_real_cred = offset();
    // Usually they are adjacent.
    let task_cred = match offset() {
        NO_OFFSET => NO_OFFSET,
        _ => task_real_cred.wrapping_add(8),
    };
    let cred_uid = offset();
    let cred_gid = match offset() {
        NO_OFFSET => NO_OFFSET,
        _ => cred_uid.wrapping_add(4),
    };
    Offsets {
        task_cred,
        task_real_cred,
        task_real_parent: offset(),
        task_tgid: offset(),
        task_flags: offset(),
        task_nsproxy: offset(),
        task_thread_pid: offset(),
        task_group_leader: offset(),
        task_start: offset(),
        task_stack: offset(),
        task_entry: offset(),
        cred_euid: offset(),
        cred_effective: offset(),
        cred_user_ns: offset(),
        user_ns_parent: offset(),
        user_ns_level: offset(),
        user_ns_owner: offset(),
        user_ns_inum: offset(),
        nsproxy_mnt_ns: offset(),
        mnt_ns_inum: offset(),
        pid_level: offset(),
        pid_numbers: offset(),
        upid_size: offset(),
        upid_nr: offset(),
        upid_ns: offset(),
        cgroup_self: offset(),
        cgroup_parent: offset(),
        cgroup_node: offset(),
        cgroup_root: offset(),
        cgroup_root_hierarchy: offset(),
        node_id: offset(),
        node_name: offset(),
        pid_ns_inum: offset(),
        cred_uid,
        cred_gid,
        cred_securebits: offset(),
        task_comm: offset(),
        task_fs: offset(),
        task_files: offset(),
        task_seccomp: offset(),
        task_atomic_flags: offset(),
        cred_fsuid: offset(),
        cred_fsgid: offset(),
        cred_permitted: offset(),
        cred_inheritable: offset(),
        cred_bounding: offset(),
        cred_ambient: offset(),
        cred_groups: offset(),
        cred_security: offset(),
        groups_count: offset(),
        groups_first: offset(),
        fs_pwd_mount: offset(),
        fs_pwd_entry: offset(),
        files_table: offset(),
        files_most: offset(),
        files_open: offset(),
        file_mount: offset(),
        file_entry: offset(),
        entry_parent: offset(),
        entry_name: offset(),
        entry_inode: offset(),
        inode_mode: offset(),
        inode_uid: offset(),
        inode_gid: offset(),
        inode_flags: offset(),
        mount_inside: offset(),
        mount_parent: offset(),
        mount_point: offset(),
        mount_root: offset(),
    }
}
