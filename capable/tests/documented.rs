//! `docs/json-schema-commands.json` and what `list`, `explain`, `inspect` and `doctor` print hold
//! each other: an object has the fields that the schema describes, all of them and no others.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where by a panic, also in its helpers"
)]

#[path = "common/schema.rs"]
mod schema;

use std::{fs, process::Command};

use capable::capability::CapabilitySet;
use capable::document::Document;
use capable::inspect::{
    Subject,
    file::File,
    file_capabilities::FileCapabilities,
    process::{Process, Thread},
    unit::{Unit, UnitName},
};
use schema::Schema;
use serde_json::Value;

/// The schema of what these commands print.
fn schema() -> Schema {
    Schema::new(include_str!("../docs/json-schema-commands.json"))
}

/// Checks each line that `capable` prints for these words.
fn check_lines(schema: &mut Schema, name: &str, words: &[&str]) {
    let text = printed(words, &[]);
    assert!(!text.is_empty());
    for line in text.lines() {
        schema.check(Some(name), &serde_json::from_str(line).unwrap());
    }
}

fn assert_used(schema: &Schema, definitions: &[&str]) {
    for name in definitions {
        assert!(schema.used().contains(*name), "{name}");
    }
}

/// What `capable` prints to standard output.
fn printed(words: &[&str], environment: &[(&str, &str)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_capable"));
    command.args(words).envs(environment.iter().copied());
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

#[test]
fn list_and_explain_print_what_the_schema_describes() {
    let mut schema = schema();
    check_lines(&mut schema, "list", &["list", "-o", "json"]);
    check_lines(
        &mut schema,
        "explain",
        &["explain", "-o", "json", "all", "41", "63"],
    );
    check_lines(
        &mut schema,
        "explain",
        &[
            "explain",
            "-o",
            "json",
            "setuid",
            "mount",
            "can_nice",
            "fn:sys_chroot",
            "topic:execve",
            "cap_net_raw=ep",
        ],
    );
    check_lines(&mut schema, "list", &["explain", "-o", "json"]);
    let used = [
        "other",
        "explained_places",
        "site",
        "explained_topic",
        "topic_section",
        "explained_text",
    ];
    assert_used(&schema, &used);
}

#[test]
fn inspect_prints_what_the_schema_describes() {
    let mut schema = schema();
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script");
    fs::write(&script, "#!/bin/sh\n").unwrap();
    let words = [
        "inspect",
        "-o",
        "json",
        "self",
        "1",
        "/bin/sh",
        "/etc/passwd",
    ];
    check_lines(
        &mut schema,
        "inspect",
        &[&words[..], &[script.to_str().unwrap()]].concat(),
    );
    check_lines(&mut schema, "inspect", &["inspect", "-o", "json"]);
    assert_used(
        &schema,
        &[
            "process_target",
            "file_target",
            "run",
            "mapping",
            "after_execve",
        ],
    );

    // What not every machine has: a unit, a differing thread, a file with capabilities.
    let mut process = Process::read(std::process::id()).unwrap();
    process.differing_threads.push(Thread {
        tid: 2,
        comm: b"\xff".to_vec(),
        credentials: process.credentials,
    });
    let units = folder.path().join("etc/systemd/system");
    fs::create_dir_all(&units).unwrap();
    fs::write(
        units.join("a.service"),
        "[Service]\nUser=www\nExecStartPre=+true\n",
    )
    .unwrap();
    let name = UnitName::new("a.service").unwrap();
    let mut unit = Unit::from_files(&name, folder.path(), CapabilitySet::ALL_NAMED).unwrap();
    unit.main_process = Some(process);
    let mut file = File::read("/bin/sh".as_ref(), CapabilitySet::ALL_NAMED).unwrap();
    file.capabilities = Some(FileCapabilities {
        version: 3,
        permitted: CapabilitySet::ALL_NAMED,
        inheritable: CapabilitySet::EMPTY,
        effective: true,
        root_uid: Some(100_000),
    });
    for subject in [Subject::Unit(unit), Subject::File(file)] {
        let mut value = serde_json::to_value(&subject).unwrap();
        value["schema"] = Value::from(Document::Inspect.schema());
        value["target"] = Value::from("a word");
        schema.check(Some("inspect"), &value);
    }
    assert_used(
        &schema,
        &["unit_target", "process", "thread", "file_capabilities"],
    );
}

#[test]
fn doctor_prints_what_the_schema_describes() {
    let mut schema = schema();
    let (yes, no, unknown) = ("yes", "no", "unknown");
    for forced in [
        &[][..],
        &[("CAPABLE_PROBE_BPF", no)],
        // Works for sure, and lacks something.
        &[
            ("CAPABLE_PROBE_BPF", yes),
            ("CAPABLE_PROBE_BTF", no),
            ("CAPABLE_PROBE_KPROBE", yes),
            ("CAPABLE_PROBE_KRETPROBE", yes),
            ("CAPABLE_PROBE_PERF_EVENTS", yes),
            ("CAPABLE_PROBE_RING_BUFFER", no),
            ("CAPABLE_PROBE_SYMBOLS", no),
        ],
        // May work.
        &[
            ("CAPABLE_PROBE_BPF", unknown),
            ("CAPABLE_PROBE_PERF_EVENTS", unknown),
            ("CAPABLE_PROBE_RING_BUFFER", unknown),
            ("CAPABLE_PROBE_FEXIT", unknown),
        ],
    ] {
        let text = printed(&["doctor", "-o", "json"], forced);
        schema.check(Some("doctor"), &serde_json::from_str(&text).unwrap());
    }
    assert_used(&schema, &["requirement", "plan", "unknown", "lack"]);
}
