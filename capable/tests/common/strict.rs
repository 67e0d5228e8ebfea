//! Programs that trace, as all tests start them.

use std::{env, ffi::OsStr, process::Command};

/// Forbids loading eBPF programs as they were built where they cannot be specialised.
const SPECIALISE: &str = "CAPABLE_SPECIALISE";

/// A program that fails where an eBPF program cannot be specialised, so that no test passes by a
/// fallback that nobody saw. The environment may say something else.
pub fn strict(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    if env::var_os(SPECIALISE).is_none() {
        command.env(SPECIALISE, "yes");
    }
    command
}
