//! `docs/json-schema.json` and the rows match: the schema describes every field of a row, and a row
//! has every field that the schema describes.

use std::collections::BTreeSet;

use capable_common::Flags;
use serde_json::Value;

use super::{Sample, printed};
use crate::{
    output::{ContainerRef, Frame, NamedStack, Row, columns::COLUMNS},
    schema::Schema,
};

const SCHEMA: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/docs/json-schema.json"
));

fn check_line(line: &str) -> Value {
    let value: Value = serde_json::from_str(line).unwrap();
    let mut schema = Schema::new(SCHEMA);
    schema.check(None, &value);
    // The field's pattern allows a thirteenth month.
    let time = value["time"].as_str().unwrap();
    assert!(time.parse::<jiff::Timestamp>().is_ok(), "{time}");
    let has_frames = |stack: &str| value[stack].as_array().is_some_and(|all| !all.is_empty());
    let frames = has_frames("kernel_stack") || has_frames("user_stack");
    assert_eq!(schema.used().contains("frame"), frames);
    value
}

/// The names of all fields, `group.name` for those in an object.
fn fields(value: &Value, properties_only: bool) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (key, member) in value.as_object().unwrap() {
        let members = if properties_only {
            member.get("properties")
        } else {
            Some(member).filter(|member| member.is_object())
        };
        match members {
            Some(members) => names.extend(
                members
                    .as_object()
                    .unwrap()
                    .keys()
                    .map(|name| format!("{key}.{name}")),
            ),
            None => {
                names.insert(key.clone());
            }
        }
    }
    names
}

const FRAMES: [Frame<'static>; 2] = [
    Frame {
        address: 0xffff_ffff_8100_0005,
        function: Some("may_mount"),
        offset: 5,
        module: Some("kernel"),
        module_offset: Some(0x1234),
        build_id: Some("0123456789abcdef"),
        file: Some("fs/namespace.c"),
        line: Some(12),
        inlined: true,
    },
    Frame {
        address: 0,
        function: None,
        offset: 0,
        module: None,
        module_offset: None,
        build_id: None,
        file: None,
        line: None,
        inlined: false,
    },
];

fn full(sample: &Sample) -> Row<'_> {
    let mut row = sample.row();
    row.caller = Some("may_mount");
    row.why = Some("without it, mount(2) fails");
    row.syscall = Some("mount");
    row.user = Some("root");
    row.unit = Some("a \"unit\"\u{9b}\\.service");
    row.container = Some(ContainerRef {
        short_id: "short",
        id: "0123456789abcdef",
        runtime: Some("podman"),
        name: Some("a \"name\"\u{9b}"),
        image: Some("localhost/busy:1"),
        pod: Some("shop/front"),
        short_pod: Some("shop/front"),
    });
    row.cgroup = Some("/system.slice/größe\n.service");
    row.kernel_stack = NamedStack::Frames(&FRAMES);
    row.user_stack = NamedStack::ProcessGone(&FRAMES);
    row
}

#[test]
fn every_row_is_what_the_schema_describes() {
    let mut samples = vec![
        Sample::mount(),
        Sample::mount().denied(),
        Sample::unknown(),
        Sample::mount().named(b"\xff\xfe\x1b\"\\"),
        Sample::mount().with(Flags::BY_OWNERSHIP | Flags::AUDIT_INFERRED | Flags::INSETID),
        Sample::mount().with(Flags::CREDENTIALS_FOREIGN | Flags::KERNEL_THREAD),
        Sample::mount().with(Flags::CREDENTIALS_OVERRIDDEN | Flags::IO_WORKER),
        Sample::mount().without(Flags::NAMESPACE_OWN),
        Sample::mount()
            .without(Flags::NAMESPACE_OWN)
            .with(Flags::NAMESPACE_BELOW),
    ];
    for number in [-1, 0, 41, i32::MAX, i32::MIN] {
        let mut sample = Sample::mount();
        sample.check.capability = number;
        samples.push(sample);
    }
    let mut largest = Sample::mount();
    largest.check.cgroup = u64::MAX;
    largest.check.effective = u64::MAX;
    largest.check.pid = u32::MAX;
    largest.detail.arguments = [u64::MAX; 6];
    samples.push(largest);
    for sample in &samples {
        check_line(&printed("-o json", &[sample.row()]));
        check_line(&printed("-o json", &[full(sample)]));
        let mut row = full(sample);
        row.kernel_stack = NamedStack::NotCaptured;
        row.user_stack = NamedStack::Frames(&[]);
        check_line(&printed("-o json", &[row]));
    }
}

#[test]
fn text_from_outside_survives_json() {
    let sample = Sample::mount();
    let row = full(&sample);
    let value = check_line(&printed("-o json", &[row]));
    assert_eq!(value["unit"], row.unit.unwrap());
    assert_eq!(value["cgroup"]["path"], row.cgroup.unwrap());
    assert_eq!(value["container"]["id"], "0123456789abcdef");
    assert_eq!(value["container"]["name"], "a \"name\"\u{9b}");
    assert_eq!(value["kernel_stack"][0]["function"], "may_mount");
    assert_eq!(value["kernel_stack"][1]["offset"], Value::Null);
    assert_eq!(value["kernel_stack"][0]["build_id"], "0123456789abcdef");
    assert_eq!(value["user_stack_state"], "process_gone");
    let mut noted = row;
    noted.user_stack = NamedStack::Noted(&FRAMES, "symbols of \u{9b}: \"it\"");
    let value = check_line(&printed("-o json", &[noted]));
    assert_eq!(value["user_stack_state"], "captured");
    assert_eq!(value["user_stack_note"], "symbols of \u{9b}: \"it\"");
}

#[test]
fn the_schema_describes_no_field_that_rows_do_not_have() {
    let sample = Sample::mount();
    let value = check_line(&printed("-o json", &[full(&sample)]));
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    assert_eq!(fields(&value, false), fields(&schema["properties"], true));
    let frame = value["kernel_stack"][0].as_object().unwrap();
    let described = &schema["$defs"]["frame"]["properties"];
    assert!(frame.keys().eq(described.as_object().unwrap().keys()));

    // A row without stacks has all the others.
    let bare: Value = serde_json::from_str(&printed("-o json", &[sample.row()])).unwrap();
    let columns = COLUMNS.iter().map(|column| column.field);
    let all = ["schema"].into_iter().chain(columns).map(str::to_owned);
    assert_eq!(fields(&bare, false), all.collect());
}

#[test]
fn the_manual_names_every_column_and_every_field() {
    let manual = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/output.md"));
    for column in COLUMNS {
        let row = format!(
            "| `{}` | `{}` | {} |",
            column.key, column.field, column.description
        );
        assert!(manual.contains(&row), "docs/output.md lacks: {row}");
    }
}
