//! The tracer beside processes that mean harm.

use crate::strict::strict;
use std::{
    io::{BufRead as _, BufReader, Read as _},
    os::unix::fs::PermissionsExt as _,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::{
    forge::{Forged, doubling},
    one_at_a_time, peak,
    program::Program,
    reader_of,
};

/// A row may have 256 frames of two texts of 512 bytes and a path.
const LARGEST_ROW: usize = 1 << 20;

/// It may take two readers 5 seconds each before there are only addresses, and an emulated machine
/// is slow.
const LONGEST: Duration = Duration::from_secs(30);

/// Each file with what the row says of it.
#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn rows_of_forged_files_are_small_and_the_tracer_goes_on() {
    let _alone = one_at_a_time();
    let program = Program::mapper().unwrap();
    let directory = tempfile::tempdir().unwrap();
    for path in [directory.path(), program.directory()] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let long = "A".repeat(3_000_000);
    let cases = [
        (
            "huge.so",
            Forged::new("evil").compressed(".debug_info", 1 << 63, b""),
            "evil",
        ),
        (
            "hole.so",
            Forged::new("evil").sparse(1 << 40),
            "more than capable reads",
        ),
        (
            "wide.so",
            Forged::new("evil").sparse(8 << 30),
            "more than capable reads",
        ),
        ("long.so", Forged::new(long), "AAA…"),
        (
            "pair.so",
            Forged::new(doubling()),
            "f(std::pair<int, int>, std::pair<",
        ),
        ("line.so", Forged::new("evil").line_table(100 << 20), "evil"),
        ("many.so", Forged::new("evil").copies(4_000_000), "evil"),
        (
            "deep.so",
            Forged::new(format!("_Z{}{}E", "N".repeat(100), "St".repeat(50_000))),
            "_ZNNN",
        ),
        (
            "escape.so",
            Forged::new("\x1b[2J\nfake"),
            "\\u001b[2J\\u000afake",
        ),
    ];
    let pid = "--comm=program";
    let mut trace = strict(env!("CARGO_BIN_EXE_capable"))
        .args([
            "trace", "-U", "-o", "json", "--denied", "-C", "sys_nice", pid,
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(trace.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let mut rows = BufReader::new(trace.stdout.take().unwrap());
    for (name, forged, expected) in cases {
        let file = directory.path().join(name);
        forged.write(&file).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        let begun = Instant::now();
        let mut attack = attack(&program, &file);
        let mut row = String::new();
        rows.read_line(&mut row).unwrap();
        let took = begun.elapsed();
        attack.kill().unwrap();
        attack.wait().unwrap();
        assert!(
            row.contains(name) && row.contains(expected),
            "{name}: {row:.2000}"
        );
        assert!(took < LONGEST, "{name}: {took:?}");
        assert!(row.len() <= LARGEST_ROW, "{name}: {} bytes", row.len());
        let reader = reader_of(trace.id()).map_or(0, peak);
        println!(
            "{name}: {took:.1?}, row of {} bytes, tracer {} MiB, reader {reader} MiB",
            row.len(),
            peak(trace.id())
        );
        assert!(
            peak(trace.id()) <= 128,
            "{name}: the tracer used {} MiB",
            peak(trace.id())
        );
    }
    // SAFETY: the child is not reaped, so the number is still its.
    unsafe { libc::kill(trace.id() as i32, libc::SIGTERM) };
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!(trace.wait().unwrap().code(), Some(0), "{line}{rest}");
    assert!(rest.contains(" 0 lost"), "{rest}");
}

/// Nobody, who makes a check with 127 frames in the file.
fn attack(program: &Program, file: &std::path::Path) -> Child {
    use std::os::unix::process::CommandExt as _;
    Command::new(program.path())
        .arg(file)
        .arg("127")
        .uid(65534)
        .gid(65534)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}
