//! `docs/json-schema-commands.json` and what `list`, `explain`, `inspect` and `doctor` print hold
//! each other: an object has the fields that the schema describes, all of them and no others.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where by a panic, also in its helpers"
)]

use std::{collections::BTreeSet, fs, process::Command};

use capable::capability::CapabilitySet;
use capable::inspect::{
    Subject,
    file::File,
    file_capabilities::FileCapabilities,
    process::{Process, Thread},
    unit::{Unit, UnitName},
};
use serde_json::{Map, Value};

/// The schema, and which of its objects were compared.
struct Schema {
    definitions: Map<String, Value>,
    compared: BTreeSet<String>,
}

impl Schema {
    fn read() -> Self {
        let text = include_str!("../docs/json-schema-commands.json");
        let mut root: Value = serde_json::from_str(text).unwrap();
        let definitions = root["$defs"].take().as_object().unwrap().clone();
        Self {
            definitions,
            compared: BTreeSet::new(),
        }
    }

    /// Checks each line that `capable` prints for these words.
    fn check_lines(&mut self, name: &str, words: &[&str]) {
        let text = printed(words, &[]);
        assert!(!text.is_empty());
        for line in text.lines() {
            self.check(name, &serde_json::from_str(line).unwrap());
        }
    }

    fn check(&mut self, name: &str, value: &Value) {
        if let Err(error) = self.named(name, value, name) {
            panic!("{error}");
        }
    }

    fn named(&mut self, name: &str, value: &Value, path: &str) -> Result<(), String> {
        let definition = self.definitions[name].as_object().unwrap().clone();
        self.fits(&definition, value, path)?;
        self.compared.insert(name.to_owned());
        Ok(())
    }

    /// Knows the keywords that the schema uses and no others.
    fn fits(
        &mut self,
        rules: &Map<String, Value>,
        value: &Value,
        path: &str,
    ) -> Result<(), String> {
        for (keyword, rule) in rules {
            let fits = match keyword.as_str() {
                "description" => !rule.as_str().unwrap().is_empty(),
                // Compared with "properties".
                "required" => rules["properties"]
                    .as_object()
                    .unwrap()
                    .keys()
                    .eq(sorted(rule).iter()),
                "additionalProperties" => rule == false,
                "$ref" => {
                    let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                    self.named(name, value, path)?;
                    true
                }
                "oneOf" => {
                    let choices = rule.as_array().unwrap();
                    let fitting = choices.iter().filter(|choice| {
                        self.fits(choice.as_object().unwrap(), value, path).is_ok()
                    });
                    fitting.count() == 1
                }
                "type" => match rule.as_array() {
                    Some(kinds) => kinds.iter().any(|kind| is(kind, value)),
                    None => is(rule, value),
                },
                "enum" => rule.as_array().unwrap().contains(value),
                "minimum" => value.as_i64().is_none_or(|it| it >= rule.as_i64().unwrap()),
                "maximum" => value.as_u64().is_none_or(|it| it <= rule.as_u64().unwrap()),
                "pattern" => value.as_str().is_none_or(|text| matches(rule, text)),
                "items" => {
                    for item in value.as_array().into_iter().flatten() {
                        self.fits(rule.as_object().unwrap(), item, &format!("{path}[]"))?;
                    }
                    true
                }
                "properties" => {
                    let (rule, value) = (rule.as_object().unwrap(), value.as_object());
                    let value = value.ok_or_else(|| format!("{path} is no object"))?;
                    let names =
                        |map: &Map<String, Value>| map.keys().cloned().collect::<BTreeSet<_>>();
                    if names(rule) != names(value) {
                        return Err(format!(
                            "{path}: {:?} is not {:?}",
                            names(value),
                            names(rule)
                        ));
                    }
                    for (name, member) in value {
                        let described = rule[name].as_object().unwrap();
                        self.fits(described, member, &format!("{path}.{name}"))?;
                    }
                    true
                }
                other => panic!("{path}: this test does not check '{other}'"),
            };
            if !fits {
                return Err(format!("{path}: {value} is not as {keyword} says: {rule}"));
            }
        }
        Ok(())
    }
}

fn sorted(names: &Value) -> Vec<String> {
    let names = names.as_array().unwrap().iter();
    let mut names: Vec<String> = names.map(|it| it.as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

fn is(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("unknown type {other}"),
    }
}

fn matches(pattern: &Value, text: &str) -> bool {
    let capability = |digits: bool| {
        text.strip_prefix("CAP_").is_some_and(|name| {
            name.bytes().all(|byte| match byte {
                b'A'..=b'Z' | b'_' => true,
                b'0'..=b'9' => digits,
                _ => false,
            })
        })
    };
    match pattern.as_str().unwrap() {
        "^CAP_[A-Z_]+$" => capability(false),
        "^CAP_[A-Z0-9_]+$" => capability(true),
        "^[0-7]{4}$" => text.len() == 4 && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte)),
        other => panic!("this test does not check the pattern {other}"),
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
    let mut schema = Schema::read();
    schema.check_lines("list", &["list", "-o", "json"]);
    schema.check_lines("explain", &["explain", "-o", "json", "all", "41", "63"]);
    assert!(schema.compared.contains("other"));
}

#[test]
fn inspect_prints_what_the_schema_describes() {
    let mut schema = Schema::read();
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
    schema.check_lines(
        "inspect",
        &[&words[..], &[script.to_str().unwrap()]].concat(),
    );
    for name in [
        "process_target",
        "file_target",
        "run",
        "mapping",
        "after_execve",
    ] {
        assert!(schema.compared.contains(name), "{name}");
    }

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
        value["target"] = Value::from("a word");
        schema.check("inspect", &value);
    }
    for name in ["unit_target", "process", "thread", "file_capabilities"] {
        assert!(schema.compared.contains(name), "{name}");
    }
}

#[test]
fn doctor_prints_what_the_schema_describes() {
    let mut schema = Schema::read();
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
        schema.check("doctor", &serde_json::from_str(&text).unwrap());
    }
    for name in ["requirement", "plan", "unknown", "lack"] {
        assert!(schema.compared.contains(name), "{name}");
    }
}
