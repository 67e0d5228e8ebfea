use capable_common::{Flags, SYSCALL_NONE};

use super::{RowNeeds, Sample, Terminal, needs, printed, printed_on};
use crate::output::{ContainerRef, Frame, NamedStack};

const HEADER: &str =
    "TIME        UID     PID COMM            CAP NAME                   AUDIT RESULT\n";

fn only_row(printed: &str) -> &str {
    let mut lines = printed.lines();
    lines.next().unwrap();
    let row = lines.next().unwrap();
    assert_eq!(lines.next(), None);
    row
}

#[test]
fn the_default_table_reads_as_documented() {
    let granted = Sample::mount();
    let denied = Sample::mount().named(b"systemd-journal").denied();
    let mut owner = Sample::mount().with(Flags::BY_OWNERSHIP);
    owner.check.uid = 100_000;
    owner.check.capability = 40;
    let unaudited = Sample::mount().without(Flags::AUDITED);
    assert_eq!(
        printed(
            "",
            &[granted.row(), denied.row(), owner.row(), unaudited.row()]
        ),
        HEADER.to_owned()
            + "14:03:59      0    4711 mount            21 CAP_SYS_ADMIN              1 granted\n"
            + "14:03:59      0    4711 systemd-journal  21 CAP_SYS_ADMIN              1 denied\n"
            + "14:03:59 100000    4711 mount            40 CAP_CHECKPOINT_RESTORE     1 owner\n"
            + "14:03:59      0    4711 mount            21 CAP_SYS_ADMIN              0 granted\n"
    );
}

#[test]
fn a_row_is_the_one_before_only_where_its_check_and_its_second_are() {
    let first = Sample::mount();
    let mut other_thread = first.clone();
    other_thread.check.tid += 1;
    let mut later = first.clone();
    later.check.time += 999;
    let mut next_second = first.clone();
    next_second.check.time += 1_000_000_000;
    let denied = first.clone().denied();
    let samples = [
        &first,
        &first,
        &later,
        &other_thread,
        &denied,
        &denied,
        &first,
        &next_second,
        &next_second,
    ];
    let rows: Vec<_> = samples.iter().map(|sample| sample.row()).collect();
    let alone = |row: &_| printed("", std::slice::from_ref(row)).replace(HEADER, "");
    let expected: String = rows.iter().map(alone).collect();
    assert_eq!(printed("", &rows), HEADER.to_owned() + &expected);
    assert!(expected.ends_with(
        "14:04:00      0    4711 mount            21 CAP_SYS_ADMIN              1 granted\n"
    ));
}

#[test]
fn no_row_of_the_default_table_is_wider_than_eighty_columns() {
    let mut widest = Sample::mount().named(b"systemd-journal");
    widest.check.pid = 4_194_304;
    widest.check.uid = 999_999;
    widest.check.capability = 40;
    for line in printed("", &[widest.row()]).lines() {
        assert!(line.len() <= 80, "{line}");
    }
}

#[test]
fn what_is_not_known_is_a_dash() {
    let unknown = Sample::unknown();
    assert_eq!(
        only_row(&printed("", &[unknown.row()])),
        "14:03:59      0    4711 mount            21 CAP_SYS_ADMIN              - -"
    );
    let extra = printed(
        "--columns ppid,insetid,syscall,caller,namespace,cred,euid,unit,container",
        &[unknown.row()],
    );
    assert_eq!(only_row(&extra).replace(' ', ""), "-".repeat(9));
}

#[test]
fn a_capability_without_a_name_prints_with_its_number() {
    for (number, shown) in [
        (41, " 41 CAP_41 "),
        (-1, " -1 CAP_-1 "),
        (1000, "1000 CAP_1000"),
    ] {
        let mut sample = Sample::mount();
        sample.check.capability = number;
        let printed = printed("", &[sample.row()]);
        assert!(printed.contains(shown), "{printed}");
    }
}

#[test]
fn what_the_atlas_says_is_a_column_and_an_unknown_place_a_dash() {
    let sample = Sample::mount();
    let mut row = sample.row();
    let unknown = printed("--columns name,why", &[row]);
    assert!(unknown.contains(" WHY"), "{unknown}");
    assert!(only_row(&unknown).ends_with(" -"), "{unknown}");
    row.why = Some("without it, mount(2) fails");
    let known = printed("--columns name,why", &[row]);
    assert!(
        only_row(&known).ends_with(" without it, mount(2) fails"),
        "{known}"
    );
}

#[test]
fn a_number_too_long_for_its_column_is_whole_and_the_next_columns_stay_in_place() {
    let mut sample = Sample::mount();
    sample.check.uid = u32::MAX - 1;
    assert_eq!(
        only_row(&printed("", &[sample.row()])),
        "14:03:59 4294967294 4711 mount           21 CAP_SYS_ADMIN              1 granted"
    );
}

#[test]
fn a_name_with_escape_sequences_cannot_colour_or_clear_the_terminal() {
    for comm in [
        &b"\x1b[2J\x1b[31m"[..],
        b"a\rb\nc\x07\x7f",
        b"\xc2\x9b31m\xc2\x85",
        b"\x9b31m\xff\xfe",
        "\u{202e}evil\u{2066}".as_bytes(),
    ] {
        let sample = Sample::mount().named(comm);
        let printed = printed("-o wide", &[sample.row()]);
        let row = only_row(&printed);
        assert!(
            row.chars().all(|c| c.is_ascii() && !c.is_ascii_control()),
            "{row:?}"
        );
    }
    let sample = Sample::mount().named(b"\x1b[2Jls");
    let printed = printed("--columns comm,pid", &[sample.row()]);
    assert_eq!(only_row(&printed), r"\x1b[2Jls          4711");
}

#[test]
fn a_name_in_another_script_keeps_the_columns_in_place() {
    let sample = Sample::mount().named("größe 日本".as_bytes());
    let printed = printed("--columns comm,cap", &[sample.row()]);
    assert_eq!(only_row(&printed), "größe 日本       21");
}

#[test]
fn long_text_is_cut_to_its_column_and_the_cut_is_marked() {
    let sample = Sample::mount();
    let mut row = sample.row();
    row.caller = Some("a_function_with_a_very_long_name");
    let cut = printed("--columns caller,pid", &[row]);
    assert_eq!(only_row(&cut), "a_function_with_a_very_+    4711");
    // No column follows the last one, so it pushes none aside.
    let whole = printed("--columns pid,caller", &[row]);
    assert_eq!(only_row(&whole), "   4711 a_function_with_a_very_long_name");
    let narrow = Terminal {
        is_terminal: true,
        width: Some(30),
        no_color: None,
    };
    let fitted = printed_on(&narrow, "--columns pid,caller", &[row]);
    assert_eq!(only_row(&fitted), "   4711 a_function_with_a_ver+");
}

#[test]
fn extra_adds_the_thread_the_origin_and_whose_credentials_over_what() {
    let mut sample = Sample::mount().with(Flags::CREDENTIALS_OVERRIDDEN);
    sample.check.target_namespace = 4_026_532_567;
    let mut row = sample.row();
    row.syscall = Some("mount");
    row.caller = Some("may_mount");
    let printed = printed("-x", &[row]);
    let words = |line: &str| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let mut lines = printed.lines();
    assert_eq!(
        words(lines.next().unwrap())[8..],
        [
            "TID",
            "PPID",
            "INSETID",
            "SYSCALL",
            "CALLER",
            "NAMESPACE",
            "CRED"
        ]
    );
    assert_eq!(
        words(lines.next().unwrap())[8..],
        [
            "4712",
            "4000",
            "0",
            "mount",
            "may_mount",
            "4026532567",
            "overridden"
        ]
    );
}

#[test]
fn kernel_threads_io_uring_and_nameless_system_calls_are_labelled() {
    let shown = |sample: &Sample| {
        let printed = printed("--columns syscall", &[sample.row()]);
        only_row(&printed).to_owned()
    };
    assert_eq!(
        shown(&Sample::mount().with(Flags::KERNEL_THREAD)),
        "(kernel)"
    );
    assert_eq!(shown(&Sample::mount().with(Flags::IO_WORKER)), "(io_uring)");
    assert_eq!(shown(&Sample::mount()), "syscall_165");
    let mut outside = Sample::mount();
    outside.detail.syscall = SYSCALL_NONE;
    assert_eq!(shown(&outside), "-");
}

#[test]
fn the_wide_table_fits_a_terminal_of_two_hundred_columns() {
    let wide = Terminal {
        is_terminal: true,
        width: Some(200),
        no_color: None,
    };
    let sample = Sample::mount().denied();
    let mut row = sample.row();
    row.user = Some("root");
    row.syscall = Some("clock_nanosleep_time64");
    row.caller = Some("a_function_with_a_very_long_name");
    row.unit = Some("systemd-something-rather-long.service");
    row.container = Some(ContainerRef {
        short_id: "0123456789ab",
        id: "0123456789abcdef0123456789abcdef",
        runtime: Some("docker"),
        name: None,
        image: None,
        pod: None,
        short_pod: None,
    });
    let printed = printed_on(&wide, "-o wide --color never", &[row]);
    for line in printed.lines() {
        assert!(line.len() <= 200, "{}: {line}", line.len());
    }
    assert!(printed.contains("denied  EPERM"), "{printed}");
    assert!(printed.contains(" 0123456789ab\n"), "{printed}");
}

#[test]
fn a_denial_stands_out_on_a_terminal_only() {
    let denied = Sample::mount().denied();
    let granted = Sample::mount();
    let terminal = Terminal {
        is_terminal: true,
        width: Some(80),
        no_color: None,
    };
    let coloured = printed_on(&terminal, "", &[denied.row(), granted.row()]);
    let lines: Vec<_> = coloured.lines().collect();
    assert!(lines[1].contains("\x1b[1;31mdenied\x1b[0m"), "{coloured:?}");
    assert!(!lines[2].contains('\x1b'), "{coloured:?}");
    // Without the colours it is the same line.
    let plain = lines[1].replace("\x1b[1;31m", "").replace("\x1b[0m", "");
    let piped = printed("", &[denied.row()]);
    assert_eq!(plain, only_row(&piped));

    let quiet = Terminal {
        no_color: Some("1".into()),
        ..terminal
    };
    assert!(!printed_on(&quiet, "", &[denied.row()]).contains('\x1b'));
    assert!(printed_on(&quiet, "--color always", &[denied.row()]).contains('\x1b'));
}

#[test]
fn times_can_be_relative_or_whole() {
    let mut sample = Sample::mount();
    sample.check.time = 75_000_001_000;
    let shown = |arguments: &str| {
        let printed = printed(arguments, &[sample.row()]);
        only_row(&printed).to_owned()
    };
    assert_eq!(
        shown("--columns time,pid --time relative"),
        "   75.000001    4711"
    );
    assert_eq!(
        shown("--columns pid,time --time iso"),
        "   4711 2026-11-22T14:05:14.000001000Z"
    );
}

#[test]
fn stacks_stand_under_their_row() {
    let kernel = [
        Frame {
            address: 0xffff_ffff_8100_0005,
            function: Some("may_mount"),
            inlined: true,
            ..Frame::default()
        },
        Frame {
            address: 0xffff_ffff_8100_0005,
            function: Some("path_mount"),
            offset: 0x1f,
            file: Some("fs/namespace.c"),
            line: Some(3321),
            ..Frame::default()
        },
        Frame {
            address: 0xffff_ffff_c000_0010,
            function: Some("ovl_\x1b[31m"),
            offset: 16,
            module: Some("overlay"),
            ..Frame::default()
        },
        Frame {
            address: 0xffff_ffff_c000_0010,
            ..Frame::default()
        },
    ];
    let user = [Frame {
        address: 0x7f00_0000_1010,
        module: Some("/tmp/\x1bx"),
        module_offset: Some(0x1010),
        build_id: Some("0123abcd"),
        ..Frame::default()
    }];
    let sample = Sample::mount();
    let mut row = sample.row();
    row.kernel_stack = NamedStack::Frames(&kernel);
    let printed_kernel = printed("", &[row]);
    let below = printed_kernel.splitn(3, '\n').nth(2).unwrap();
    assert_eq!(
        below,
        "        may_mount (inlined)\n\
         \x20       path_mount+0x1f fs/namespace.c:3321\n\
         \x20       ovl_\\x1b[31m+0x10 [overlay]\n\
         \x20       0xffffffffc0000010\n"
    );

    row.kernel_stack = NamedStack::NotAsked;
    row.user_stack = NamedStack::Noted(&user, "symbols of /tmp/\x1bx: the reader failed");
    let printed_user = printed("", &[row]);
    assert_eq!(
        printed_user.splitn(3, '\n').nth(2).unwrap(),
        "    user stack: symbols of /tmp/\\x1bx: the reader failed\n\
         \x20       0x7f0000001010 [/tmp/\\x1bx+0x1010] build id 0123abcd\n"
    );

    row.kernel_stack = NamedStack::NotCaptured;
    row.user_stack = NamedStack::ProcessGone(&kernel[3..]);
    let printed_both = printed("", &[row]);
    assert_eq!(
        printed_both.splitn(3, '\n').nth(2).unwrap(),
        "    kernel stack: the kernel could not capture it\n\
         \x20   user stack: the process ended before its symbols could be read\n\
         \x20       0xffffffffc0000010\n"
    );
}

#[test]
fn a_table_asks_only_for_what_it_shows() {
    assert_eq!(needs(""), RowNeeds::CREDENTIALS);
    assert_eq!(
        needs("-x"),
        RowNeeds::DETAIL | RowNeeds::SYSCALL | RowNeeds::CALLER | RowNeeds::CREDENTIALS
    );
    assert_eq!(
        needs("--columns unit,user"),
        RowNeeds::UNIT | RowNeeds::USER | RowNeeds::CGROUP_ID
    );
    assert_eq!(needs("-o json --columns pid"), RowNeeds::empty());
    assert_eq!(needs("-o folded"), RowNeeds::STACK);
    assert_eq!(needs("-o json") | RowNeeds::STACK, RowNeeds::all());
}

#[test]
fn a_row_looks_the_same_whatever_came_before_it() {
    let mut samples = vec![
        Sample::mount(),
        Sample::mount().denied(),
        Sample::unknown(),
        Sample::mount().named(b"\x1b[2Jls"),
        Sample::mount().named(b"a"),
        Sample::mount().named(b"systemd-journal"),
        Sample::mount().with(Flags::BY_OWNERSHIP),
        Sample::mount().with(Flags::KERNEL_THREAD),
    ];
    for (capability, uid, time) in [(41, 0, 0), (7, u32::MAX, 0), (0, 1000, 3_000_000_000)] {
        let mut sample = Sample::mount();
        sample.check.capability = capability;
        sample.check.uid = uid;
        sample.check.time = time;
        samples.push(sample);
    }
    let all = "--columns time,uid,pid,comm,cap,name,audit,syscall,namespace,result";
    for first in &samples {
        for second in &samples {
            let both = printed(all, &[first.row(), second.row()]);
            let alone = printed(all, &[second.row()]);
            assert_eq!(both.lines().nth(2), alone.lines().nth(1));
        }
    }
}
