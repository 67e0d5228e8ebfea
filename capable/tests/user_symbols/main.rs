//! Symbols of user stacks: names for programs that mean no harm, and what files do that mean some.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where by a panic, also in its helpers"
)]

mod confinement;
mod files;
mod forge;
mod names;
mod program;
#[path = "../common/strict.rs"]
mod strict;
mod traced;

use std::{
    fs,
    sync::{Mutex, MutexGuard, PoisonError},
};

use capable::context::user_symbols::UserSymbols;

/// Finds names with the program as its reader.
fn symbols(source_lines: bool) -> UserSymbols {
    UserSymbols::with_reader(env!("CARGO_BIN_EXE_capable"), source_lines)
}

/// Tests look for the reader among the children of this process, or end it: another test's would be
/// mistaken for it.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The reader that runs, if there is one.
fn reader_of(parent: u32) -> Option<u32> {
    let processes = fs::read_dir("/proc").unwrap();
    processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .find(|pid: &u32| {
            let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            words.starts_with(b"capable-reader\0")
                && status(*pid, "PPid").is_some_and(|found| found == parent.to_string())
        })
}

/// A line of `/proc/PID/status`.
fn status(pid: u32, key: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let mut lines = text.lines().filter_map(|line| line.split_once(":\t"));
    let (_, value) = lines.find(|(found, _)| *found == key)?;
    Some(value.trim().to_owned())
}

/// The most memory that a process has used, in MiB.
fn peak(pid: u32) -> u64 {
    let peak = status(pid, "VmHWM").unwrap();
    peak.trim_end_matches(" kB").parse::<u64>().unwrap() >> 10
}
