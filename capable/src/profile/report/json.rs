//! The report as JSON, and back.

use thiserror::Error;

use super::{Report, VERSION};

/// A text is no report.
#[derive(Debug, Error)]
pub enum ReadError {
    /// It is no JSON, or lacks a field.
    #[error("this is not a report of capable ({0}); write one with '-o json --report FILE'")]
    Json(#[from] serde_json::Error),
    /// It has a version that is not known here.
    #[error(
        "the report has version {0}, but this program reads version {VERSION}: write the report \
         again, or use the version of capable that wrote it"
    )]
    Version(u32),
}

/// The report as JSON over several lines, closed by a newline.
///
/// # Errors
///
/// None that a report can cause; what `serde_json` gives is handed on.
pub fn json(report: &Report) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(report)?;
    text.push('\n');
    Ok(text)
}

/// Reads what [`json`] wrote.
///
/// # Errors
///
/// The text is no JSON, lacks a field, names an unknown capability or has another version.
pub fn read(text: &str) -> Result<Report, ReadError> {
    /// Read first, so that another version is named as such and not as a missing field.
    #[derive(serde::Deserialize)]
    struct Versioned {
        version: u32,
    }
    let Versioned { version } = serde_json::from_str(text)?;
    if version != VERSION {
        return Err(ReadError::Version(version));
    }
    Ok(serde_json::from_str(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::Capability;
    use crate::profile::Run;
    use crate::profile::observation::tests::{granted, once};
    use crate::profile::report::Loss;

    fn report() -> Report {
        Report::new(
            Run {
                command: vec!["ping".to_owned(), "-c1".to_owned()],
                losses: vec![Loss {
                    cause: "the buffer was full".to_owned(),
                    lost: None,
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
        assert_eq!(value["version"], 1);
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
        assert_eq!(first["evidence"][0]["rule"], "granted");
    }

    #[test]
    fn another_version_is_named_as_such() {
        let error = read(r#"{"version": 9}"#).unwrap_err().to_string();
        assert!(error.contains("version 9"), "{error}");
        let error = read("nonsense").unwrap_err().to_string();
        assert!(error.contains("not a report of capable"), "{error}");
    }
}
