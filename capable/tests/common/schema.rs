//! The JSON schemas of `docs/`, and documents that are held against them.
//!
//! What a schema means is the business of the crate `jsonschema`. This module adds what a schema
//! says nothing about: which of its definitions were used, whether it describes all that it admits,
//! and whether its keywords are spelled right, since a validator ignores those that it does not know.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// The keywords that our schemas use.
const KEYWORDS: [&str; 15] = [
    "$defs",
    "$ref",
    "$schema",
    "additionalProperties",
    "description",
    "enum",
    "items",
    "maximum",
    "minimum",
    "oneOf",
    "pattern",
    "properties",
    "required",
    "title",
    "type",
];

/// A schema, and which of its definitions documents have used.
pub struct Schema {
    root: Value,
    used: BTreeSet<String>,
}

impl Schema {
    /// Reads a schema.
    ///
    /// # Panics
    /// When it is no valid schema, has a keyword that is not one of [`KEYWORDS`], does not say what a
    /// field is, admits fields that it does not describe, or has an object among its definitions that
    /// does not require each of its fields.
    pub fn new(text: &str) -> Self {
        let root: Value = serde_json::from_str(text).unwrap();
        if let Err(error) = jsonschema::meta::validate(&root) {
            panic!("{}: {error}", error.instance_path());
        }
        each_part(&root, "", &mut check_part);
        Self {
            root,
            used: BTreeSet::new(),
        }
    }

    /// Checks a document against the schema, or against one of its definitions.
    pub fn check(&mut self, definition: Option<&str>, document: &Value) {
        let mut schema = self.root.clone();
        if let Some(name) = definition {
            schema["$ref"] = json!(format!("#/$defs/{name}"));
        }
        let validator = jsonschema::validator_for(&schema).unwrap();
        let evaluation = validator.evaluate(document);
        if !evaluation.flag().valid {
            let errors = evaluation.iter_errors().map(|entry| {
                format!(
                    "{} ({}): {}",
                    entry.instance_location, entry.schema_location, entry.error
                )
            });
            let errors: Vec<String> = errors.collect();
            panic!("{}\nin {document:#}", errors.join("\n"));
        }
        for entry in evaluation.iter_annotations() {
            let definition = entry.schema_location.split("/$defs/").nth(1);
            let name = definition.and_then(|rest| rest.split('/').next());
            self.used.extend(name.map(str::to_owned));
        }
    }

    /// The definitions that the documents until now used.
    pub fn used(&self) -> &BTreeSet<String> {
        &self.used
    }
}

/// What each part of a schema must hold.
fn check_part(path: &str, part: &Map<String, Value>) {
    for keyword in part.keys() {
        assert!(KEYWORDS.contains(&keyword.as_str()), "{path}/{keyword}");
    }
    if let Some("properties" | "$defs") = path.rsplit('/').nth(1) {
        assert!(!part["description"].as_str().unwrap().is_empty(), "{path}");
    }
    let Some(properties) = part.get("properties") else {
        return;
    };
    assert_eq!(part["additionalProperties"], false, "{path}");
    if path.starts_with("/$defs") {
        let fields = properties.as_object().unwrap().keys();
        let required = part["required"].as_array().unwrap().iter();
        let required: BTreeSet<&str> = required.map(|name| name.as_str().unwrap()).collect();
        assert!(fields.eq(required), "{path}");
    }
}

/// Visits the schema and every schema in it, each with its JSON pointer.
fn each_part(schema: &Value, path: &str, visit: &mut impl FnMut(&str, &Map<String, Value>)) {
    let part = schema.as_object().unwrap();
    visit(path, part);
    for keyword in ["$defs", "properties"] {
        for (name, inner) in part
            .get(keyword)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            each_part(inner, &format!("{path}/{keyword}/{name}"), visit);
        }
    }
    for (index, inner) in part
        .get("oneOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate()
    {
        each_part(inner, &format!("{path}/oneOf/{index}"), visit);
    }
    if let Some(inner) = part.get("items") {
        each_part(inner, &format!("{path}/items"), visit);
    }
}
