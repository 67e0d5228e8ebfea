use serde_json::{Value, json};

use super::{Sample, printed};
use crate::output::{Folded, Frame, NamedStack, Sink as _};

fn comm_of(line: &str) -> Vec<u8> {
    let object: Value = serde_json::from_str(line).unwrap();
    match &object["comm_bytes"] {
        Value::Null => object["comm"].as_str().unwrap().as_bytes().to_vec(),
        bytes => serde_json::from_value(bytes.clone()).unwrap(),
    }
}

#[test]
fn a_name_of_any_bytes_survives_json() {
    // Every byte in every kind of position, valid UTF-8 or not.
    for byte in 1..=255 {
        for comm in [
            vec![byte],
            vec![b'a', byte, b'"', b'\\'],
            vec![0xc2, byte],
            vec![0xe2, 0x80, byte, 0xe2],
            [byte; 16].to_vec(),
        ] {
            let sample = Sample::mount().named(&comm);
            let line = printed("-o json", &[sample.row()]);
            assert_eq!(comm_of(&line), comm, "{line}");
            assert!(
                !line.trim_end().chars().any(char::is_control),
                "{line:?} would reach a terminal"
            );
        }
    }
}

#[test]
fn json_has_one_object_per_line_with_numbers_as_numbers_and_unknown_as_null() {
    let denied = Sample::mount().denied();
    let unknown = Sample::unknown();
    let mut row = denied.row();
    row.syscall = Some("mount");
    let printed = printed("-o json", &[row, unknown.row()]);
    let lines: Vec<Value> = printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["time"], "2026-11-22T14:03:59.123456789Z");
    assert_eq!(lines[0]["capability"], "CAP_SYS_ADMIN");
    assert_eq!(lines[0]["capability_number"], 21);
    assert_eq!(lines[0]["result"], "denied");
    assert_eq!(lines[0]["granted_by"], Value::Null);
    assert_eq!(lines[0]["errno"], 1);
    assert_eq!(lines[0]["audit"], true);
    assert_eq!(
        lines[0]["syscall"],
        json!({
            "name": "mount",
            "number": 165,
            "compat": false,
            "arguments": [0x7ffd_0000_1000_u64, 0x7ffd_0000_2000_u64, 0, u64::MAX, 0, 0],
        })
    );
    assert_eq!(lines[1]["result"], Value::Null);
    assert_eq!(lines[1]["syscall"]["number"], Value::Null);
    assert_eq!(lines[1]["credentials"]["effective"], Value::Null);
}

#[test]
fn json_of_chosen_columns_has_these_and_no_others() {
    let sample = Sample::mount();
    let line = printed("-o json --columns euid,pid,cred,comm", &[sample.row()]);
    assert_eq!(
        line,
        "{\"schema\":\"capable.check/1\",\"pid\":4711,\"comm\":\"mount\",\
         \"credentials\":{\"euid\":0,\"owner\":\"own\"}}\n"
    );
    let line = printed("-o json --columns euid,namespace", &[sample.row()]);
    assert_eq!(
        line,
        "{\"schema\":\"capable.check/1\",\"credentials\":{\"euid\":0},\
         \"target_namespace\":{\"inode\":4026531837}}\n"
    );
}

#[test]
fn csv_has_the_names_and_values_of_json() {
    let sample = Sample::mount().named(b"a,\"b\" \x1b").denied();
    let unknown = Sample::unknown();
    assert_eq!(
        printed(
            "-o csv --columns time,pid,comm,audit,result,errno,euid,arguments",
            &[sample.row(), unknown.row()]
        ),
        "time,pid,comm,audit,result,errno,credentials_euid,syscall_arguments\r\n\
         2026-11-22T14:03:59.123456789Z,4711,\"a,\"\"b\"\" \\x1b\",true,denied,1,0,\
         0x7ffd00001000 0x7ffd00002000 0x0 0xffffffffffffffff 0x0 0x0\r\n\
         2026-11-22T14:03:59.123456789Z,4711,mount,,,,,\r\n"
    );
    // An empty name is a known name.
    let empty = Sample::mount().named(b"");
    let printed = printed("-o csv --columns comm,pid", &[empty.row()]);
    assert_eq!(printed, "comm,pid\r\n\"\",4711\r\n");
}

#[test]
fn text_is_no_formula_in_csv_unless_that_is_asked_for() {
    let cell = |format: &str, name: &[u8]| {
        let sample = Sample::mount().named(name);
        let printed = printed(&format!("-o {format} --columns comm"), &[sample.row()]);
        printed
            .strip_prefix("comm\r\n")
            .unwrap()
            .trim_end()
            .to_owned()
    };
    for (name, marked, kept) in [
        ("=1+1", "'=1+1", "=1+1"),
        ("+1", "'+1", "+1"),
        ("-bash", "'-bash", "-bash"),
        ("@SUM(1)", "'@SUM(1)", "@SUM(1)"),
        ("=A1,\"x\"", "\"'=A1,\"\"x\"\"\"", "\"=A1,\"\"x\"\"\""),
        (" =1", "\"' =1\"", "\" =1\""),
        ("＝1", "'＝1", "＝1"),
        ("'=1", "''=1", "'=1"),
        // A reader that takes semicolons for separators finds no second field.
        ("a;=1", "\"a;=1\"", "\"a;=1\""),
        ("\t=1", "\\x09=1", "\\x09=1"),
        ("a=b", "a=b", "a=b"),
        ("sshd", "sshd", "sshd"),
    ] {
        assert_eq!(cell("csv", name.as_bytes()), marked);
        assert_eq!(cell("csv-raw", name.as_bytes()), kept);
    }
    // Numbers are ours.
    let sample = Sample::mount().denied();
    let printed = printed("-o csv --columns errno", &[sample.row()]);
    assert_eq!(printed, "errno\r\n1\r\n");
}

#[test]
fn json_has_all_bytes_of_text_that_is_not_utf_8() {
    use crate::escape::{bytes_of, text_of};
    for name in [
        &b"\xff"[..],
        b"a\x80\"b",
        "\u{efff}".as_bytes(),
        "ü\\".as_bytes(),
    ] {
        let sample = Sample::mount().named(name);
        let path = text_of(name);
        let mut row = sample.row();
        row.cgroup = Some(&path);
        let line = printed("-o json --columns comm,cgroup", &[row]);
        assert!(
            line.is_ascii() || name.starts_with("ü".as_bytes()),
            "{line}"
        );
        let read: Value = serde_json::from_str(&line).unwrap();
        for value in [&read["comm"], &read["cgroup"]["path"]] {
            assert_eq!(bytes_of(value.as_str().unwrap()), name, "{line}");
        }
    }
    // In a table such a byte looks the same, wherever it comes from.
    let sample = Sample::mount().named(b"\xff");
    let path = text_of(b"/\xff");
    let mut row = sample.row();
    row.cgroup = Some(&path);
    let table = printed("--columns comm,cgroup", &[row]);
    assert!(
        table.contains("\\xff") && table.contains("/\\xff"),
        "{table}"
    );
}

#[test]
fn folded_stacks_are_counted_with_the_outermost_frame_first() {
    let frame = |function| Frame {
        function: Some(function),
        ..Frame::default()
    };
    let kernel = [frame("may_mount"), frame("path_mount")];
    let user = [frame("mount"), frame("operator;()"), Frame::default()];
    let sample = Sample::mount();
    let mut row = sample.row();
    row.kernel_stack = NamedStack::Frames(&kernel);
    row.user_stack = NamedStack::Frames(&user);
    let mut lost = row;
    lost.kernel_stack = NamedStack::NotCaptured;
    lost.user_stack = NamedStack::NotAsked;
    assert_eq!(
        printed("-o folded", &[row, lost, row]),
        "mount;[stack not captured];CAP_SYS_ADMIN 1\n\
         mount;[unknown];operator:();mount;path_mount;may_mount;CAP_SYS_ADMIN 2\n"
    );
}

#[test]
fn stacks_that_do_not_fit_are_counted_in_one_line_and_told() {
    let mut folded = Folded::default();
    let mut out = Vec::new();
    let sample = Sample::mount();
    let most = 70;
    for number in 0..most {
        let name = number.to_string() + &"x".repeat(1 << 20);
        let frames = [Frame {
            function: Some(&name),
            ..Frame::default()
        }];
        for _ in 0..2 {
            let mut row = sample.row();
            row.user_stack = NamedStack::Frames(&frames);
            folded.row(&row, &mut out);
        }
    }
    let told = folded.left_out().unwrap();
    folded.finish(&mut out);
    assert!(out.len() <= 65 << 20, "{} bytes", out.len());
    let printed = String::from_utf8(out).unwrap();
    let count = |line: &str| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap();
    assert_eq!(printed.lines().map(count).sum::<u64>(), 2 * most);
    let last = printed.lines().last().unwrap();
    let others = count(last);
    assert_eq!(
        last,
        format!("[stacks that did not fit in memory] {others}")
    );
    assert!((12..=16).contains(&others), "{others}");
    assert!(
        told.starts_with(&format!("{others} checks had stacks")),
        "{told}"
    );
}
