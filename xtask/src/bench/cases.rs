//! What is measured: each tracer with the arguments that make all of them do the same work.

use std::path::Path;

use anyhow::Result;

use super::load::{self, LoadKind};
use super::tool::Output;
use crate::guest::ways;

/// One tracer, doing one thing.
pub struct Case {
    /// The tracer, with hook and transport.
    pub subject: String,
    /// What is measured of it; the last is the one that can lose checks.
    pub measures: Vec<&'static str>,
    /// Its command line.
    pub line: Vec<String>,
    /// Where its rows go.
    pub output: Output,
}

/// Rows to /dev/null, as fast as the checks come.
pub const ROWS: &str = "rows";
/// Rows to /dev/null, 50 checks at a time with pauses of 100 ms.
pub const LOW_RATE: &str = "rows at a low rate";
/// JSON to a file in memory.
pub const JSON: &str = "JSON to a file";
/// Rows with kernel stacks.
pub const STACKS: &str = "kernel stacks";
/// Only checks of another process are wanted.
pub const OTHER_PID: &str = "filtered by pid";
/// Checks that are not audited, none of which are wanted.
pub const UNAUDITED: &str = "unaudited, filtered";
/// Rows only for checks that are new.
pub const UNIQUE: &str = "unique repeats";
/// Counted, no rows.
pub const COUNT: &str = "counted";

/// The measures of instructions per check, in the order of the table.
pub const PER_CHECK: [&str; 8] = [
    ROWS, LOW_RATE, JSON, STACKS, OTHER_PID, UNAUDITED, UNIQUE, COUNT,
];

/// The measures that have a load of their own; the others use that of the first.
pub const LOADS: [&str; 3] = [ROWS, LOW_RATE, UNAUDITED];

/// The entry of [`LOADS`] for a measure.
pub fn load_named(measure: &str) -> &str {
    match measure {
        LOW_RATE | UNAUDITED => measure,
        _ => ROWS,
    }
}

/// The load of a measure.
pub fn load_of(measure: &str, quick: bool) -> load::Options {
    let checks = if quick { 5_000 } else { 20_000 };
    let mut load = load::Options {
        checks,
        burst: u64::MAX,
        pause: 100,
        kind: LoadKind::Audited,
    };
    if measure == LOW_RATE {
        load.burst = 50;
        load.checks = 1_000;
    }
    if measure == UNAUDITED {
        load.kind = LoadKind::Unaudited;
    }
    load
}

/// The tracers that this guest has, each with its command line for rows.
pub fn tracers() -> Result<Vec<(String, Vec<String>)>> {
    let mut found = Vec::new();
    for (hook, transport) in ways()? {
        let line = format!("/usr/bin/capable trace --hook {hook} --transport {transport}");
        found.push((format!("capable {hook} {transport}"), words(&line)));
    }
    for (name, line) in [
        ("libbpf-tools", "/usr/sbin/capable"),
        ("bpftrace", "/usr/bin/bpftrace /usr/sbin/capable.bt"),
        ("bcc", "/usr/bin/python3 /usr/sbin/capable-bpfcc"),
    ] {
        let line = words(line);
        if line.iter().all(|path| Path::new(path).exists()) {
            found.push((name.into(), line));
        }
    }
    Ok(found)
}

/// All cases of instructions per check. Measures with the same command line are one case, because
/// some tracers take long to start.
pub fn all() -> Result<Vec<Case>> {
    let mut cases: Vec<Case> = Vec::new();
    for (subject, rows) in tracers()? {
        let first = cases.len();
        for measure in PER_CHECK.into_iter().rev() {
            let Some(line) = line_of(&subject, &rows, measure) else {
                continue;
            };
            if let Some(same) = cases[first..].iter_mut().find(|case| case.line == line) {
                same.measures.push(measure);
                continue;
            }
            cases.push(Case {
                subject: subject.clone(),
                measures: vec![measure],
                line,
                output: if measure == JSON {
                    Output::File
                } else {
                    Output::Null
                },
            });
        }
        cases[first..].reverse();
    }
    Ok(cases)
}

/// The command line that makes a tracer do this; `None` if it cannot.
fn line_of(subject: &str, rows: &[String], measure: &str) -> Option<Vec<String>> {
    let with = |more: &str| Some([rows, &words(more)].concat());
    let tracer = subject.split(' ').next().unwrap_or(subject);
    match (tracer, measure) {
        (_, ROWS | LOW_RATE) => with(""),
        ("capable", JSON) => with("-o json"),
        ("capable" | "libbpf-tools" | "bcc", STACKS) => with("-K"),
        ("capable" | "libbpf-tools" | "bcc", OTHER_PID) => with("-p 1"),
        // The other two have no such filter: they print what is not audited.
        ("capable" | "bcc", UNAUDITED) => with(""),
        ("capable" | "bcc", UNIQUE) => with("--unique"),
        ("libbpf-tools", UNIQUE) => with("-u pid"),
        // Readings must not be measured with the counting: this delay is so long that none happens.
        ("capable", COUNT) => {
            let (_, way) = rows.split_at(2);
            let top = words("/usr/bin/capable top --batch --delay 1000");
            Some([&top, way].concat())
        }
        ("bpftrace", JSON) => Some(words("/usr/bin/bpftrace -f json /usr/sbin/capable.bt")),
        ("bpftrace", COUNT) => {
            let mut line = words("/usr/bin/bpftrace -e");
            line.push("kprobe:cap_capable { @[pid, comm, arg2] = count(); }".into());
            Some(line)
        }
        _ => None,
    }
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}
