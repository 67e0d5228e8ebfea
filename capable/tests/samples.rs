//! A document of each major version that was released is kept in `tests/samples`, as it was
//! written then. It must still be read, and the schema of its major must still describe it.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where by a panic, also in its helpers"
)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use capable::{document::Document, profile::gate};
use serde_json::{Deserializer, Value, json};

/// The schema that describes a document, and which of its definitions does.
fn schema_of(document: Document) -> (&'static str, Option<&'static str>) {
    let report = include_str!("../docs/json-schema-report.json");
    let commands = include_str!("../docs/json-schema-commands.json");
    match document {
        Document::Check => (include_str!("../docs/json-schema.json"), None),
        Document::Report => (report, Some("report")),
        Document::Needs => (report, Some("needs")),
        Document::Summary => (commands, Some("summary")),
        Document::List => (commands, Some("list")),
        Document::Explain => (commands, Some("explain")),
        Document::Inspect => (commands, Some("inspect")),
        Document::Doctor => (commands, Some("doctor")),
    }
}

/// The sample of a schema such as `capable.report/1`.
fn sample(schema: &str) -> PathBuf {
    let name = schema.strip_prefix("capable.").unwrap().replace('/', "-");
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/samples/{name}.json"))
}

/// The documents of a sample: one, or one in each line.
fn documents(sample: &Path) -> Vec<Value> {
    let text = fs::read_to_string(sample).unwrap_or_else(|error| {
        panic!("{}: {error}", sample.display());
    });
    let documents: Result<Vec<Value>, _> = Deserializer::from_str(&text).into_iter().collect();
    documents.unwrap()
}

/// Requires no field: one that was added later is not in a document that is older.
fn require_nothing(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("required").is_some_and(Value::is_array) {
                members.remove("required");
            }
            members.values_mut().for_each(require_nothing);
        }
        Value::Array(values) => values.iter_mut().for_each(require_nothing),
        _ => {}
    }
}

#[test]
fn each_document_has_a_sample_that_its_schema_describes() {
    for document in Document::ALL {
        let (text, definition) = schema_of(document);
        let mut schema: Value = serde_json::from_str(text).unwrap();
        require_nothing(&mut schema);
        if let Some(definition) = definition {
            schema["$ref"] = json!(format!("#/$defs/{definition}"));
        }
        let validator = jsonschema::validator_for(&schema).unwrap();
        let sample = sample(document.schema());
        let documents = documents(&sample);
        assert!(!documents.is_empty());
        for kept in documents {
            assert_eq!(kept["schema"], document.schema());
            if let Err(error) = validator.validate(&kept) {
                panic!("{}: {}: {error}", sample.display(), error.instance_path());
            }
        }
    }
}

#[test]
fn a_kept_report_is_a_baseline() {
    let allowed = gate::baseline(&sample("capable.report/1")).unwrap();
    assert_eq!(allowed, "dac_read_search,setgid,setuid".parse().unwrap());
}
