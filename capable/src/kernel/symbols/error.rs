//! Why the kernel's symbols cannot be had.

use std::io;

/// The kernel's symbols cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SymbolsError {
    /// The file cannot be read.
    #[error(
        "cannot read /proc/kallsyms: {0}; this takes a mounted /proc and a kernel with \
     CONFIG_KALLSYMS"
    )]
    Unreadable(#[from] io::Error),
    /// The kernel gives zeros in place of addresses.
    #[error("{}", hidden_message(*kptr_restrict))]
    Hidden {
        /// `kernel.kptr_restrict`, if it could be read.
        kptr_restrict: Option<u8>,
    },
    /// The file holds no function.
    #[error("/proc/kallsyms names no function: this kernel is built without CONFIG_KALLSYMS")]
    Empty,
}

impl SymbolsError {
    /// Addresses are hidden: the error for the current setting.
    pub(super) fn hidden() -> Self {
        let kptr_restrict = std::fs::read_to_string("/proc/sys/kernel/kptr_restrict")
            .ok()
            .and_then(|text| text.trim().parse().ok());
        Self::Hidden { kptr_restrict }
    }
}

/// Who may see addresses: `kallsyms_show_value` (kernel/ksyms_common.c in 6.6, kernel/kallsyms.c
/// before).
fn hidden_message(kptr_restrict: Option<u8>) -> String {
    let what = "/proc/kallsyms hides the kernel's addresses, so its functions cannot be named";
    match kptr_restrict {
        Some(0) => format!(
            "{what}: this takes CAP_SYSLOG, or kernel.perf_event_paranoid of 1 or less \
             (kernel.kptr_restrict is 0)"
        ),
        Some(1) => format!("{what}: this takes CAP_SYSLOG (kernel.kptr_restrict is 1)"),
        Some(value) => format!(
            "{what}: kernel.kptr_restrict is {value}, which hides them from every process; run \
             `sysctl kernel.kptr_restrict=1`, and run capable with CAP_SYSLOG"
        ),
        None => format!("{what}: this takes CAP_SYSLOG and kernel.kptr_restrict of 1 or less"),
    }
}
