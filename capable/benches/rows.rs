//! The user side's way of a check: from the bytes of a record to the bytes of a row.
//!
//! `cargo bench -p capable --bench rows` prints the time per row of each format. Instructions are
//! exact where times are not: run the program that cargo names under
//! `valgrind --tool=callgrind PROGRAM json 20000`, once more with 40000, and divide the difference
//! of the totals by 20000.

#[path = "../tests/common/known.rs"]
mod known;

use std::time::Instant;

use anyhow::{Context as _, Result};
use capable::{
    commands::trace::Rows,
    kernel::record::{Batch, Record, Sections},
    output::{OutputOptions, RowFormat, RowNeeds, Terminal},
};
use capable_common::{Check, Detail, RecordKind};
use known::ALL_KNOWN;

/// Records that are put in order and shown at once, as the stream of perf buffers does.
const BATCH: usize = 2048;

/// Rows of one measurement.
const ROWS: usize = 1_000_000;

/// The frames that a trace takes for the column CALLER.
const FRAMES: usize = 12;

fn main() -> Result<()> {
    // Cargo adds `--bench`.
    let mut arguments = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"));
    let (format, rows) = (arguments.next(), arguments.next());
    let rows = match rows {
        Some(rows) => rows
            .parse()
            .context("the second argument is a number of rows")?,
        None => ROWS,
    };
    for (name, output, extra) in [
        ("table", RowFormat::Table, false),
        ("extra", RowFormat::Table, true),
        ("wide", RowFormat::Wide, false),
        ("csv", RowFormat::Csv, false),
        ("json", RowFormat::Json, false),
    ] {
        if format.as_deref().is_none_or(|format| format == name) {
            let options = OutputOptions {
                output: Some(output),
                extra,
                ..OutputOptions::default()
            };
            measure(name, &options, rows)?;
        }
    }
    Ok(())
}

fn measure(name: &str, options: &OutputOptions, count: usize) -> Result<()> {
    let sink = options.validate(&Terminal::default())?.sink();
    let needs = sink.needs();
    let detail = needs.contains(RowNeeds::DETAIL);
    let frames = if needs.contains(RowNeeds::CALLER) {
        FRAMES
    } else {
        0
    };
    let mut records = records(needs.contains(RowNeeds::CGROUP_ID), detail, frames);
    let sections = Sections::new(detail, frames, 0);
    let mut rows = Rows::new(sink, false, false, &mut Vec::new());
    let mut batch = Batch::default();
    let mut written = 0;
    let start = Instant::now();
    for index in 0..count {
        let kinds = records.len();
        let record = &mut records[index % kinds];
        record[8..16].copy_from_slice(&(index as u64 * 1_003).to_ne_bytes());
        batch.push(record, &[], sections);
        if batch.len() == BATCH || index + 1 == count {
            batch.give(sections, u64::MAX, |record| {
                if let Record::Check(event) = record {
                    rows.push(event);
                }
            });
            written += rows.written.len();
            rows.written.clear();
        }
    }
    let taken = start.elapsed();
    println!(
        "{name:6} {:7.1} ns per row, {:5} bytes per row",
        taken.as_nanos() as f64 / count as f64,
        written / count
    );
    Ok(())
}

/// What a busy machine sends: a few processes that ask for a few capabilities, over and over.
fn records(cgroup: bool, detail: bool, frames: usize) -> Vec<Vec<u8>> {
    const NAMES: [&[u8]; 6] = [
        b"systemd",
        b"sshd",
        b"dockerd",
        b"systemd-journal",
        b"ps",
        b"kworker/0:1",
    ];
    const CAPABILITIES: [i32; 7] = [21, 1, 2, 12, 19, 7, 39];
    (0..840_u32)
        .map(|index| {
            let process = index as usize % NAMES.len();
            let pid = [1, 812, 20_113, 301, 1_048_577, 77][process];
            let mut comm = [0; 16];
            comm[..NAMES[process].len()].copy_from_slice(NAMES[process]);
            let check = Check {
                kind: RecordKind::Check as u16,
                kernel_frames: frames as u16,
                user_frames: 0,
                processor: (index % 8) as u16,
                time: 0,
                cgroup: u64::from(cgroup),
                effective: 0x1ff_ffff_ffff,
                pid,
                tid: pid + index % 3,
                uid: [0, 0, 0, 0, 1000, 0][process],
                euid: 0,
                capability: CAPABILITIES[index as usize % CAPABILITIES.len()],
                options: 0,
                result: if index % 20 == 0 { -1 } else { 0 },
                target_namespace: 0xEFFF_FFFD,
                credential_namespace: 0xEFFF_FFFD,
                flags: ALL_KNOWN,
                comm,
            };
            let mut bytes = bytes_of_check(&check);
            if detail {
                let number = [257, 165, 41, 56, 101, 16][process];
                let mut words = vec![u64::from(pid - 1) | u64::from(pid) << 32];
                words.push(u64::from(pid) | number << 32);
                words.extend([3, 0x7ffd_1234_5678, 0x80000, u64::from(index), 0, 0]);
                bytes.extend(words.iter().flat_map(|word| word.to_ne_bytes()));
                assert_eq!(bytes.len(), size_of::<Check>() + size_of::<Detail>());
            }
            let address = |depth: usize| 0xffff_ffff_8100_0000 + (depth as u64) * 0x1040;
            bytes.extend((0..frames).flat_map(|depth| address(depth).to_ne_bytes()));
            bytes
        })
        .collect()
}

fn bytes_of_check(check: &Check) -> Vec<u8> {
    // SAFETY: a check is made of integers without padding, so all of its bytes are initialised.
    let bytes = unsafe {
        std::slice::from_raw_parts(std::ptr::from_ref(check).cast::<u8>(), size_of::<Check>())
    };
    bytes.to_vec()
}
