//! Each format, from records as the kernel side sends them.

mod formats;
mod options;
mod schema;
mod table;
mod templates;

use capable_common::{Check, Detail, Membership, RecordKind};
use clap::Parser;
use jiff::tz::TimeZone;

use super::{Clock, OutputOptions, Row, RowNeeds, Terminal};
use crate::event::{Event, INITIAL_USER_NAMESPACE, Stack, tests::EVERYTHING_KNOWN};

/// 2026-11-22T14:03:59Z, in nanoseconds: the wall clock when the monotonic clock was zero.
const BOOTED: i64 = 1_795_356_239_000_000_000;

/// A record and its detail.
#[derive(Clone)]
struct Sample {
    check: Check,
    membership: Membership,
    detail: Detail,
}

impl Sample {
    /// mount(2) by root, granted.
    fn mount() -> Self {
        Self {
            check: Check {
                kind: RecordKind::Check as u16,
                kernel_frames: 0,
                user_frames: 0,
                processor: 3,
                time: 123_456_789,
                cgroup: 4242,
                effective: 0x1ff_ffff_ffff,
                pid: 4711,
                tid: 4712,
                uid: 0,
                euid: 0,
                capability: 21,
                options: 0,
                result: 0,
                target_namespace: INITIAL_USER_NAMESPACE,
                credential_namespace: INITIAL_USER_NAMESPACE,
                flags: EVERYTHING_KNOWN,
                comm: *b"mount\0\0\0\0\0\0\0\0\0\0\0",
            },
            membership: Membership {
                gid: 100,
                mount_namespace: 0xF000_0000,
            },
            detail: Detail {
                parent: 4000,
                inner_pid: 7,
                inner_tid: 8,
                syscall: 165,
                arguments: [0x7ffd_0000_1000, 0x7ffd_0000_2000, 0, u64::MAX, 0, 0],
            },
        }
    }

    /// A kernel that can provide nothing.
    fn unknown() -> Self {
        let mut sample = Self::mount();
        sample.check.flags = 0;
        sample
    }

    fn named(mut self, comm: &[u8]) -> Self {
        self.check.comm = [0; 16];
        self.check.comm[..comm.len()].copy_from_slice(comm);
        self
    }

    fn denied(mut self) -> Self {
        self.check.result = -libc::EPERM;
        self
    }

    fn with(mut self, flags: u32) -> Self {
        self.check.flags |= flags;
        self
    }

    fn without(mut self, flags: u32) -> Self {
        self.check.flags &= !flags;
        self
    }

    fn row(&self) -> Row<'_> {
        Row::bare(Event {
            check: &self.check,
            membership: Some(&self.membership),
            detail: Some(&self.detail),
            kernel_stack: Stack::NotAsked,
            user_stack: Stack::NotAsked,
        })
    }
}

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    output: OutputOptions,
}

fn options(arguments: &str) -> OutputOptions {
    let words = ["capable"].into_iter().chain(arguments.split_whitespace());
    Cli::try_parse_from(words).unwrap().output
}

/// What a user sees who typed `arguments`, including the header and the end.
fn printed_on(terminal: &Terminal, arguments: &str, rows: &[Row<'_>]) -> String {
    let config = options(arguments).validate(terminal).unwrap();
    let clock = Clock::with(config.time, TimeZone::UTC, true, 0, || Some(BOOTED));
    let mut sink = config.sink_with(clock);
    let mut out = Vec::new();
    sink.header(&mut out);
    for row in rows {
        sink.row(row, &mut out);
    }
    sink.finish(&mut out);
    String::from_utf8(out).unwrap()
}

/// The same, into a pipe.
fn printed(arguments: &str, rows: &[Row<'_>]) -> String {
    printed_on(&Terminal::default(), arguments, rows)
}

fn needs(arguments: &str) -> RowNeeds {
    let config = options(arguments).validate(&Terminal::default()).unwrap();
    config.sink().needs()
}
