//! Which checks to keep. The cheapest test comes first, and tests that the user did not ask for are
//! not in the program.

use capable_common::{Flags, Listed, MAX_CGROUPS, MAX_COMM_PATTERNS};

use crate::{cgroups, config, life, maps, task};

/// Whether a process is the one to keep, if there is only one.
#[inline(always)]
pub fn keeps_process(pid: u32) -> bool {
    let only = config!(only_pid);
    only == 0 || pid == only
}

/// Whether to keep checks for a capability.
#[inline(always)]
pub fn keeps_capability(capability: i32) -> bool {
    let kept = config!(capabilities);
    kept == u64::MAX
        || !(0..64).contains(&capability)
        || (kept >> (capability as u32 & 63)) & 1 != 0
}

/// Whether to keep a result. An unknown result is kept.
#[inline(always)]
pub fn keeps_result(flags: u32, result: i32) -> bool {
    let kept = config!(results);
    if kept == 3 || flags & Flags::RESULT_KNOWN == 0 {
        return true;
    }
    kept & if result == 0 { 1 } else { 2 } != 0
}

/// Whether to keep checks of the current task.
#[inline(always)]
pub fn keeps_task(pid: u32, tid: u32) -> bool {
    if !keeps_process(pid) {
        return false;
    }
    if config!(only_pid) != 0 && !task::is_start(config!(only_started), task::process_started) {
        return false;
    }
    if config!(pids) != 0 && !life::is_followed(pid) {
        return false;
    }
    if config!(tids) != 0 {
        // SAFETY: the value is copied at once, and no entry is deleted while the program runs.
        match unsafe { maps::TIDS.get(&tid) } {
            Some(&started) if task::is_start(started, task::thread_started) => {}
            _ => return false,
        }
    }
    keeps_user_and_group() && keeps_cgroup() && keeps_comm() && keeps_namespaces()
}

/// Whether to keep checks of the task's real user and real group.
#[inline(always)]
fn keeps_user_and_group() -> bool {
    macro_rules! keeps {
        ($listed:ident, $table:ident, $number:expr) => {
            config!($listed) == Listed::Nothing as u8
                // SAFETY: the value is not used, and no entry is deleted while the program runs.
                || unsafe { maps::$table.get(&$number) }.is_some()
                    == (config!($listed) == Listed::Kept as u8)
        };
    }
    if config!(users) == Listed::Nothing as u8 && config!(groups) == Listed::Nothing as u8 {
        return true;
    }
    let (user, group) = task::identity(task::current()).user_and_group();
    keeps!(users, USERS, user) && keeps!(groups, GROUPS, group)
}

/// Whether to keep checks of the task's cgroup or of one above it.
#[inline(always)]
fn keeps_cgroup() -> bool {
    let (listed, patterns) = (config!(cgroups), config!(cgroup_patterns));
    if listed == 0 && patterns == 0 {
        return true;
    }
    // Those below a followed one are in the table too.
    if patterns != 0 && cgroups::is_followed(task::cgroup()) {
        return true;
    }
    for index in 0..MAX_CGROUPS as u32 {
        if index >= listed {
            break;
        }
        if maps::CGROUPS.current_task_under_cgroup(index) == Ok(true) {
            return true;
        }
    }
    false
}

/// Whether the task's name matches one of the patterns.
#[inline(always)]
fn keeps_comm() -> bool {
    let patterns = u32::from(config!(comms));
    if patterns == 0 {
        return true;
    }
    let comm = task::name(task::current());
    for index in 0..MAX_COMM_PATTERNS as u32 {
        if index >= patterns {
            break;
        }
        let Some(pattern) = maps::COMMS.get_ptr(index) else {
            return false;
        };
        // SAFETY: the entry lives as long as the map; user space writes it before the hook is
        // attached.
        let pattern = unsafe { &*pattern };
        let mut states = pattern.start;
        for &character in &comm {
            if character == 0 {
                break;
            }
            // SAFETY: the table has an entry for every byte.
            let enter = unsafe { *pattern.enter.as_ptr().add(usize::from(character)) };
            states = ((states << 1) & enter) | (states & pattern.stay);
        }
        if states & pattern.accept != 0 {
            return true;
        }
    }
    false
}

/// Whether to keep checks from the task's namespaces. An unknown namespace is not kept, because the
/// user asked for a particular one.
#[inline(always)]
fn keeps_namespaces() -> bool {
    macro_rules! keeps {
        ($field:ident, $inode:path) => {
            if config!(namespaces.$field) != 0 {
                let Some(inode) = $inode(task::current()) else {
                    return false;
                };
                // SAFETY: the value is not used, and no entry is deleted while the program runs.
                if unsafe { maps::NAMESPACES.get(&inode) }.is_none() {
                    return false;
                }
            }
        };
    }
    keeps!(user, task::user_namespace);
    keeps!(mount, task::mount_namespace);
    keeps!(pid, task::pid_namespace);
    true
}
