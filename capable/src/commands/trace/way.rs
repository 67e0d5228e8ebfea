//! The path of a check through user space: from the bytes of a record to the bytes of a row, in
//! each format. The tests also measure it:
//!
//! `CAPABLE_ROWS=1000000 cargo test --release -p capable --lib -- --nocapture --test-threads=1 way`
//! prints the time per row. Instructions are exact where times are not: run the program that cargo
//! names under `valgrind --tool=callgrind PROGRAM row_of_json`, with 20000 and with 40000 rows, and
//! divide the difference of the totals by 20000.

use std::{env, time::Instant};

use capable_common::{Check, Detail, Membership, RecordKind, Wanted};

use super::Rows;
use crate::{
    event::tests::EVERYTHING_KNOWN,
    kernel::trace::record::{Batch, Sections},
    output::{OutputOptions, RowFormat, RowNeeds, Terminal},
    session::{Record, Records},
};

/// Records that are sorted and shown together, as the stream of perf buffers does.
const BATCH: usize = 2048;

/// Rows of a test if nothing is being measured.
const ROWS: usize = 5_000;

#[test]
fn every_record_becomes_a_row_of_a_table() {
    measure("table", RowFormat::Table, false);
}

#[test]
fn every_record_becomes_a_row_of_a_table_with_more_columns() {
    measure("extra", RowFormat::Table, true);
}

#[test]
fn every_record_becomes_a_row_of_a_wide_table() {
    measure("wide", RowFormat::Wide, false);
}

#[test]
fn every_record_becomes_a_row_of_csv() {
    measure("csv", RowFormat::Csv, false);
}

#[test]
fn every_record_becomes_a_row_of_json() {
    measure("json", RowFormat::Json, false);
}

fn measure(name: &str, format: RowFormat, extra: bool) {
    let count = env::var("CAPABLE_ROWS").map_or(ROWS, |rows| rows.parse().unwrap());
    let options = OutputOptions {
        output: Some(format),
        extra,
        ..OutputOptions::default()
    };
    let sink = options.validate(&Terminal::default()).unwrap().sink();
    let needs = sink.needs();
    let wanted = needs.wanted();
    let frames = if needs.contains(RowNeeds::CALLER) {
        Records::CALLER_FRAMES as usize
    } else {
        0
    };
    let mut records = records(wanted, frames);
    let sections = Sections::new(wanted, frames, 0);
    let mut rows = Rows::new(sink, false, false, &mut Vec::new());
    let mut batch = Batch::default();
    let lines = |text: &[u8]| text.iter().filter(|&&byte| byte == b'\n').count();
    let (headings, mut written, mut bytes) = (lines(&rows.written), 0, 0);
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
            written += lines(&rows.written);
            bytes += rows.written.len();
            rows.written.clear();
        }
    }
    let taken = start.elapsed();
    println!(
        "{name:6} {:7.1} ns per row, {:5} bytes per row",
        taken.as_nanos() as f64 / count as f64,
        bytes / count
    );
    assert_eq!(written, headings + count);
}

/// What a busy machine sends: a few processes that ask for a few capabilities, over and over.
fn records(wanted: Wanted, frames: usize) -> Vec<Vec<u8>> {
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
                cgroup: u64::from(wanted.contains(Wanted::CGROUP)),
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
                flags: EVERYTHING_KNOWN,
                comm,
            };
            let mut bytes = bytes_of_check(&check);
            if wanted.intersects(Wanted::MEMBERSHIP) {
                let gid = check.uid;
                bytes.extend((u64::from(gid) | 0xF000_0000 << 32).to_ne_bytes());
                assert_eq!(bytes.len(), size_of::<Check>() + size_of::<Membership>());
            }
            if wanted.contains(Wanted::DETAIL) {
                let before = bytes.len();
                let number = [257, 165, 41, 56, 101, 16][process];
                let mut words = vec![u64::from(pid - 1) | u64::from(pid) << 32];
                words.push(u64::from(pid) | number << 32);
                words.extend([3, 0x7ffd_1234_5678, 0x80000, u64::from(index), 0, 0]);
                bytes.extend(words.iter().flat_map(|word| word.to_ne_bytes()));
                assert_eq!(bytes.len(), before + size_of::<Detail>());
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
