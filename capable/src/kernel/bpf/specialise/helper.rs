//! The arguments of the kernel's helpers.

/// How many argument registers a helper takes: at most five (include/uapi/linux/bpf.h).
pub fn arguments(helper: i32) -> u128 {
    match helper {
        // Time, processor, pid, uid, task, cgroup, task with its type.
        5 | 8 | 14 | 15 | 35 | 80 | 158 => 0,
        // Map look-up and deletion, the task's name, submitting to a ring buffer and querying it.
        1 | 3 | 16 | 132 | 134 => 0b110,
        // Reading the kernel's memory, reserving in a ring buffer.
        113 | 131 => 0b1110,
        _ => 0b11_1110,
    }
}
