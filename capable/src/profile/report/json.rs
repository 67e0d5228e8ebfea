//! Writes the report as JSON and reads it back.

use serde_json::error::Category;
use thiserror::Error;

use super::Report;
use crate::document::Document;

/// The text is not a report that this version can read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// It is not JSON, or lacks a field.
    #[error(
        "this is not a report of capable: {}; write one with 'capable run -o json --report FILE -- \
         COMMAND'",
        what(.0)
    )]
    Json(#[from] serde_json::Error),
    /// It is a different kind of document.
    #[error(
        "this is a document {0:?}, not a report of capable; write one with 'capable run -o json \
         --report FILE -- COMMAND'"
    )]
    Other(String),
    /// It is a report in a format that this version does not know.
    #[error(
        "the report has the form {0}, but this program reads {expected}: write the report again, or \
         use the version of capable that wrote it",
        expected = Document::Report.schema()
    )]
    Form(String),
}

/// What a text is that is not a report.
fn what(error: &serde_json::Error) -> String {
    let line = error.line();
    match error.classify() {
        Category::Eof if line <= 1 && error.column() == 0 => "it is empty".to_owned(),
        Category::Eof => format!("it breaks off in line {line}"),
        Category::Syntax => format!(
            "it is not JSON (see line {line}, column {})",
            error.column()
        ),
        Category::Data | Category::Io => format!("it is other JSON ({error})"),
    }
}

/// The report as JSON over several lines, ending in a newline.
///
/// # Errors
///
/// None that a report can cause; errors of `serde_json` are passed on.
pub fn json(report: &Report) -> Result<String, serde_json::Error> {
    Document::Report.lines(report)
}

/// Reads what [`json`] wrote.
///
/// # Errors
///
/// If the text is not JSON, lacks a field, names an unknown capability or is in another format.
pub fn read(text: &str) -> Result<Report, ReadError> {
    /// Read first, so that another format is reported as such and not as a missing field.
    #[derive(serde::Deserialize)]
    struct Head {
        schema: String,
    }
    let Head { schema } = serde_json::from_str(text)?;
    let expected = Document::Report.schema();
    if schema == expected {
        return Ok(serde_json::from_str(text)?);
    }
    let name = |schema: &str| schema.split('/').next().map(str::to_owned);
    Err(if name(&schema) == name(expected) {
        ReadError::Form(schema)
    } else {
        ReadError::Other(schema)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::Capability;
    use crate::profile::Run;
    use crate::profile::observation::tests::{granted, once};
    use crate::profile::report::text::tests::varied;
    use crate::profile::report::{FollowedUnit, ReportedLoss};
    use crate::schema::Schema;

    #[test]
    fn what_is_no_report_is_said_to_be_what_it_is() {
        for (text, what) in [
            ("", "it is empty;"),
            ("{\n", "it breaks off in line 2;"),
            ("CAP_KILL", "it is not JSON (see line 1, column 1);"),
            (
                "{}",
                "it is other JSON (missing field `schema` at line 1 column 2);",
            ),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert_eq!(
                error,
                format!(
                    "this is not a report of capable: {what} write one with 'capable run -o json \
                     --report FILE -- COMMAND'"
                )
            );
        }
    }

    fn report() -> Report {
        Report::new(
            Run {
                command: vec!["ping".to_owned(), "-c1".to_owned()],
                losses: vec![ReportedLoss {
                    cause: "the buffer was full".to_owned(),
                    lost: None,
                }],
                units: vec![FollowedUnit {
                    name: "unit a@.service".to_owned(),
                    running: 1,
                    started: 2,
                    restarts: None,
                }],
                ..Run::default()
            },
            once([
                granted(Capability::NET_RAW, "inet_create", "socket"),
                granted(Capability::from_number(41), "new_feature", "ioctl"),
            ]),
        )
    }

    #[test]
    fn a_report_reads_back_as_it_was() {
        let report = report();
        assert_eq!(read(&json(&report).unwrap()).unwrap(), report);
    }

    #[test]
    fn the_names_are_the_documented_ones() {
        let value: serde_json::Value = serde_json::from_str(&json(&report()).unwrap()).unwrap();
        assert_eq!(value["schema"], "capable.report/1");
        assert_eq!(
            value["needed"],
            serde_json::json!(["CAP_NET_RAW", "CAP_41"])
        );
        assert_eq!(value["subject"], serde_json::Value::Null);
        assert_eq!(value["incomplete"][0]["lost"], serde_json::Value::Null);
        let first = &value["capabilities"][0];
        assert_eq!(first["capability"], "CAP_NET_RAW");
        assert_eq!(first["class"], "needed");
        assert_eq!(first["counts"]["granted"], 1);
        assert_eq!(first["places"][0]["caller"], "inet_create");
        assert_eq!(first["evidence"][0]["rule"], "gate");
    }

    #[test]
    fn a_report_is_what_the_schema_describes() {
        let mut schema = Schema::new(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/docs/json-schema-report.json"
        )));
        for report in [report(), varied(), Report::new(Run::default(), [])] {
            let value = serde_json::from_str(&json(&report).unwrap()).unwrap();
            schema.check(Some("report"), &value);
        }
        for part in [
            "capability",
            "evidence",
            "left_out",
            "loss",
            "place",
            "unit",
        ] {
            assert!(schema.used().contains(part), "{part}");
        }
    }

    #[test]
    fn another_form_and_another_document_are_named_as_such() {
        let refused = |text: &str| read(text).unwrap_err().to_string();
        let later = refused(r#"{"schema": "capable.report/9"}"#);
        assert!(later.contains("the form capable.report/9"), "{later}");
        let other = refused(r#"{"schema": "capable.check/1"}"#);
        assert!(
            other.contains("\"capable.check/1\", not a report"),
            "{other}"
        );
        for text in ["nonsense", "{}"] {
            let error = refused(text);
            assert!(error.contains("not a report of capable"), "{error}");
        }
    }
}
