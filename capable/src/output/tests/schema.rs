//! `docs/json-schema.json` and the rows hold each other: what a row has, the schema describes, and
//! what the schema describes, a row has.

use std::collections::BTreeSet;

use capable_common::Flags;
use serde_json::{Map, Value};

use super::{Sample, printed};
use crate::output::{ContainerRef, Frame, NamedStack, Row, columns::COLUMNS};

fn schema() -> Value {
    serde_json::from_str(include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/docs/json-schema.json"
    )))
    .unwrap()
}

/// Checks `value` against `schema`. Knows the keywords that our schema uses, and no others: a
/// keyword that is not checked is a failure.
fn check(root: &Value, schema: &Map<String, Value>, value: &Value, path: &str) {
    for (keyword, rule) in schema {
        match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" => {}
            "$ref" => {
                let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                check(root, root["$defs"][name].as_object().unwrap(), value, path);
            }
            "type" => {
                let types = match rule {
                    Value::Array(types) => types.clone(),
                    single => vec![single.clone()],
                };
                let fits = types.iter().any(|kind| match kind.as_str().unwrap() {
                    "null" => value.is_null(),
                    "boolean" => value.is_boolean(),
                    "integer" => value.is_i64() || value.is_u64(),
                    "string" => value.is_string(),
                    "array" => value.is_array(),
                    "object" => value.is_object(),
                    other => panic!("unknown type {other}"),
                });
                assert!(fits, "{path}: {value} is none of {rule}");
            }
            "enum" => {
                let words = rule.as_array().unwrap();
                assert!(words.contains(value), "{path}: {value} is not in {rule}");
            }
            "minimum" | "maximum" => {
                if let Some(number) = value.as_f64() {
                    let limit = rule.as_f64().unwrap();
                    let fits = if keyword == "minimum" {
                        number >= limit
                    } else {
                        number <= limit
                    };
                    assert!(fits, "{path}: {value} is beyond the {keyword} {rule}");
                }
            }
            "pattern" => {
                if let Some(text) = value.as_str() {
                    let pattern = rule.as_str().unwrap();
                    assert!(matches(pattern, text), "{path}: {text} is not {pattern}");
                }
            }
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    check(root, rule.as_object().unwrap(), item, path);
                }
            }
            "properties" => {
                for (key, member) in value.as_object().unwrap() {
                    let described = rule
                        .get(key)
                        .unwrap_or_else(|| panic!("{path}.{key} is not in the schema"));
                    check(
                        root,
                        described.as_object().unwrap(),
                        member,
                        &format!("{path}.{key}"),
                    );
                }
            }
            "required" => {
                for key in rule.as_array().unwrap() {
                    assert!(
                        value.get(key.as_str().unwrap()).is_some(),
                        "{path}: no {key}"
                    );
                }
            }
            // What "properties" checks above.
            "additionalProperties" => assert_eq!(rule, &Value::Bool(false)),
            other => panic!("{path}: this test does not check '{other}'"),
        }
    }
}

/// Whether `text` is what one of the schema's patterns describes.
fn matches(pattern: &str, text: &str) -> bool {
    let hexadecimal = |lengths: std::ops::RangeInclusive<usize>| {
        text.strip_prefix("0x").is_some_and(|digits| {
            lengths.contains(&digits.len())
                && digits
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        })
    };
    match pattern {
        "^0x[0-9a-f]{16}$" => hexadecimal(16..=16),
        "^0x[0-9a-f]{1,16}$" => hexadecimal(1..=16),
        "^CAP_-?[A-Z0-9_]+$" => text.strip_prefix("CAP_").is_some_and(|name| {
            name.strip_prefix('-')
                .unwrap_or(name)
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        }),
        time if time.ends_with("(Z|[+-][0-9]{2}:[0-9]{2})$") => {
            text.len() >= 30 && text.parse::<jiff::Timestamp>().is_ok()
        }
        other => panic!("this test does not check the pattern {other}"),
    }
}

fn check_line(line: &str) -> Value {
    let root = schema();
    let value: Value = serde_json::from_str(line).unwrap();
    check(&root, root.as_object().unwrap(), &value, "");
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
        file: Some("fs/namespace.c"),
        line: Some(12),
        inlined: true,
    },
    Frame {
        address: 0,
        function: None,
        offset: 0,
        module: None,
        file: None,
        line: None,
        inlined: false,
    },
];

fn full(sample: &Sample) -> Row<'_> {
    let mut row = sample.row();
    row.caller = Some("may_mount");
    row.syscall = Some("mount");
    row.user = Some("root");
    row.unit = Some("a \"unit\"\u{9b}\\.service");
    row.container = Some(ContainerRef {
        id: "0123456789abcdef",
        runtime: Some("podman"),
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
    assert_eq!(value["kernel_stack"][0]["function"], "may_mount");
    assert_eq!(value["kernel_stack"][1]["offset"], Value::Null);
    assert_eq!(value["user_stack_state"], "process_gone");
}

#[test]
fn the_schema_describes_no_field_that_rows_do_not_have() {
    let sample = Sample::mount();
    let value = check_line(&printed("-o json", &[full(&sample)]));
    assert_eq!(fields(&value, false), fields(&schema()["properties"], true));
    let frame = value["kernel_stack"][0].as_object().unwrap();
    let described = &schema()["$defs"]["frame"]["properties"];
    assert!(frame.keys().eq(described.as_object().unwrap().keys()));

    // A row without stacks has all the others.
    let bare: Value = serde_json::from_str(&printed("-o json", &[sample.row()])).unwrap();
    let columns = COLUMNS.iter().map(|column| column.field.to_owned());
    assert_eq!(fields(&bare, false), columns.collect());
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
