//! Which of several names of one address is shown.

/// A marker behind a section's last function (include/asm-generic/vmlinux.lds.h).
pub(super) fn is_end(name: &str) -> bool {
    matches!(name, "_etext" | "_einittext")
}

/// How good a name is among those of one address; the lowest is taken.
pub(super) fn rank(name: &str, global: bool) -> (bool, u8, bool, usize) {
    // Labels of a section or an array, from linker scripts and assembly.
    let label = matches!(name, "_text" | "_stext" | "_sinittext")
        || name.ends_with("_text_start")
        || name.ends_with("_text_end")
        || name.ends_with("_entries_start")
        || name.ends_with("_thunk_array");
    // The entry for 64-bit system calls stands for those that share its code.
    let kind = if name.starts_with("__x64_sys_") {
        0
    } else if name.starts_with("__ia32_") || name.starts_with("__do_") || name.starts_with("__pi_")
    {
        2
    } else {
        1
    };
    let underscores = name.len() - name.trim_start_matches('_').len();
    (label, kind, !global, underscores)
}
