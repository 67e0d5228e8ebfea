//! Rows are written from templates, and the output must not depend on that.

use capable_common::{Flags, SYSCALL_NONE};

use super::{BOOTED, EVERYTHING_KNOWN, Sample, printed};
use crate::output::{
    Clock, Row, TimeFormat, cell,
    colour::DENIED,
    columns::{COLUMNS, DEFAULT, EXTRA, WIDE, by_keys},
    layout::lay_out,
    sink::Sink,
    table::Table,
};

/// Samples that together vary everything that rows are made of, most of them only slightly
/// different from the one before.
fn varied(count: usize) -> Vec<Sample> {
    const FLAGS: [u32; 10] = [
        Flags::BY_OWNERSHIP,
        Flags::AUDITED,
        Flags::RESULT_KNOWN,
        Flags::AUDIT_KNOWN,
        Flags::KERNEL_THREAD,
        Flags::CREDENTIALS_OVERRIDDEN,
        Flags::NAMESPACE_KNOWN,
        Flags::SYSCALL_COMPAT,
        Flags::GROUP_KNOWN,
        Flags::MOUNT_NAMESPACE_KNOWN,
    ];
    const NUMBERS: [u32; 8] = [0, 7, 42, 1000, 99_999, 4_194_304, 123_456_789, u32::MAX];
    const NAMES: [&[u8]; 9] = [
        b"",
        b"a",
        b"systemd-journal",
        b"sixteen bytes ok",
        b"\x1b[2Jls",
        b"a\"b\\",
        "gr\u{f6}\u{df}e".as_bytes(),
        b"\xff\xfe",
        b"old\0behind",
    ];
    // A linear congruential generator: the same samples each time.
    let mut state = 1_u64;
    let mut pick = |most: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize % most
    };
    let mut sample = Sample::mount();
    let change = |_| {
        let check = &mut sample.check;
        match pick(14) {
            0 => check.capability = [21, 0, 40, 41, -1, 1000][pick(6)],
            1 => check.uid = NUMBERS[pick(8)],
            2 => check.pid = NUMBERS[pick(8)],
            3 => check.tid = NUMBERS[pick(8)],
            4 => check.result = [0, -1, -22][pick(3)],
            5 => check.flags = [EVERYTHING_KNOWN, 0][pick(2)],
            6 => check.time += [1, 999_999_999, 1_000_000_000][pick(3)],
            7 => check.time -= check.time.min(500_000_000),
            8 => check.target_namespace = NUMBERS[pick(8)],
            12 => sample.membership.gid = NUMBERS[pick(8)],
            13 => sample.membership.mount_namespace = NUMBERS[pick(8)],
            9 => sample.detail.syscall = [165, 0, SYSCALL_NONE, 9999][pick(4)],
            10 => sample = sample.clone().named(NAMES[pick(NAMES.len())]),
            _ => check.flags ^= FLAGS[pick(FLAGS.len())],
        }
        sample.clone()
    };
    (0..count).map(change).collect()
}

#[test]
fn a_row_from_a_template_is_the_row_written_cell_by_cell() {
    let samples = varied(4000);
    for keys in [
        DEFAULT,
        &[DEFAULT, EXTRA].concat(),
        WIDE,
        &["name", "time"],
        &["comm"],
        &["gid", "mntns", "group"],
    ] {
        for (time, width, colour) in [
            (TimeFormat::Clock, None, false),
            (TimeFormat::Clock, Some(190), true),
            (TimeFormat::Iso, None, false),
            (TimeFormat::Relative, Some(80), true),
        ] {
            let slots = lay_out(&by_keys(keys), time, width);
            let clock = || Clock::with(time, jiff::tz::TimeZone::UTC, true, 0, || Some(BOOTED));
            let mut table = Table::new(slots.clone(), clock(), colour);
            let mut plain = clock();
            for sample in &samples {
                let row = sample.row();
                let denied = colour && row.event.verdict().is_some_and(|it| !it.is_granted());
                let (mut shown, mut expected) = (Vec::new(), Vec::new());
                table.row(&row, &mut shown);
                cell::push_row(&mut expected, &slots, &mut plain, |slot| {
                    let red = denied && ["name", "result", "errno"].contains(&slot.column.key);
                    ((slot.shown.value)(&row), red.then_some(DENIED))
                });
                let text = |line: &[u8]| String::from_utf8_lossy(line).into_owned();
                assert_eq!(text(&shown), text(&expected), "{:?}", sample.check);
            }
        }
    }
}

#[test]
fn an_object_is_the_same_whatever_came_before_it() {
    let samples = varied(1500);
    for arguments in [
        "-o json",
        "-o json --columns time,comm,cap,euid,arguments,cgroup_id",
    ] {
        let rows: Vec<Row<'_>> = samples.iter().map(Sample::row).collect();
        for (line, row) in printed(arguments, &rows).lines().zip(&rows) {
            assert_eq!(line, printed(arguments, &[*row]).trim_end());
        }
    }
}

/// What name a user has may change while the rest of a row stays as it is.
#[test]
fn a_name_that_was_learnt_is_in_the_next_row() {
    let sample = Sample::mount();
    let row = |names, user, group| Row {
        names,
        user,
        group,
        ..sample.row()
    };
    let rows = [
        row(1, None, None),
        row(2, Some("root"), None),
        row(2, Some("root"), None),
        row(3, Some("toor"), Some("users")),
    ];
    let table = printed("-o table --columns user,group", &rows);
    let cells: Vec<Vec<&str>> = table
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect())
        .collect();
    let numbers = ["0", "100"];
    assert_eq!(
        cells,
        [numbers, ["root", "100"], ["root", "100"], ["toor", "users"]]
    );
    let json = printed("-o json --columns user,group", &rows);
    let last = r#""user":"toor","group":"users"}"#;
    assert!(
        json.lines()
            .next()
            .unwrap()
            .ends_with(r#""user":null,"group":null}"#),
        "{json}"
    );
    assert!(json.trim_end().ends_with(last), "{json}");
}

#[test]
fn what_follows_from_the_kind_does_not_follow_from_anything_else() {
    let same_kind = |sample: &Sample| {
        let mut other = sample.clone().named(b"other");
        other.check.time += 7_777_777_777;
        other.check.pid ^= 1;
        other.check.tid ^= 1;
        other.check.processor ^= 1;
        other.check.options ^= 1;
        other.detail.parent ^= 1;
        other.detail.syscall = SYSCALL_NONE;
        other.detail.arguments = [7; 6];
        other
    };
    for sample in varied(2000) {
        let other = same_kind(&sample);
        let mut named = other.row();
        named.caller = Some("may_mount");
        named.unit = Some("a.service");
        for column in COLUMNS.iter().filter(|column| column.by_kind) {
            assert_eq!(
                (column.data)(&sample.row()),
                (column.data)(&named),
                "{}",
                column.key
            );
            assert_eq!(
                (column.shown.value)(&sample.row()),
                (column.shown.value)(&named),
                "{}",
                column.key
            );
        }
    }
}
