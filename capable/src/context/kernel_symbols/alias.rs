//! Chooses which of several names of one address is shown.

use crate::arch::{ENTRY_PREFIX, OTHER_ENTRY_PREFIXES};

/// A marker after a section's last function (include/asm-generic/vmlinux.lds.h).
pub(super) fn is_end(name: &str) -> bool {
    matches!(name, "_etext" | "_einittext")
}

/// Ranks the names of one address; the lowest rank is shown.
pub(super) fn rank(name: &str, global: bool) -> (bool, u8, bool, usize) {
    // Labels of a section or an array, from linker scripts and assembly.
    let label = matches!(name, "_text" | "_stext" | "_sinittext")
        || name.ends_with("_text_start")
        || name.ends_with("_text_end")
        || name.ends_with("_entries_start")
        || name.ends_with("_thunk_array");
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    // Of the names that share a system call's code, its own entry is shown.
    let kind = if name.starts_with(ENTRY_PREFIX) {
        0
    } else if begins(OTHER_ENTRY_PREFIXES) || begins(&["__do_", "__pi_"]) {
        2
    } else {
        1
    };
    let underscores = name.len() - name.trim_start_matches('_').len();
    (label, kind, !global, underscores)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::entry;

    #[test]
    fn the_entry_of_a_system_call_is_shown_of_all_that_share_its_code() {
        let entry = rank(entry!("getpid"), true);
        let others = OTHER_ENTRY_PREFIXES
            .iter()
            .map(|prefix| format!("{prefix}sys_getpid"));
        for other in others.chain(["__do_sys_getpid".to_owned(), "sys_getpid".to_owned()]) {
            assert!(entry < rank(&other, true), "{other}");
        }
    }
}
