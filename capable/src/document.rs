//! What every JSON document and JSON line says of itself: `"schema":"capable.report/1"`, its name
//! and the major version of its form.
//!
//! New fields leave the major as it is. It grows if a field changes its meaning or disappears.
//! docs/ has a schema of each, and `tests/samples` keeps one document of each major that was
//! released, which must still be read.

use serde::Serialize;

/// The documents that this program writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// A check, as a row.
    Check,
    /// How often each check was made.
    Summary,
    /// What a program needs, and why.
    Report,
    /// The needed set and what is known about it, for another program.
    Needs,
    /// A capability in a line.
    List,
    /// A capability explained.
    Explain,
    /// What a process, a file or a unit holds.
    Inspect,
    /// What works here.
    Doctor,
}

impl Document {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Check,
        Self::Summary,
        Self::Report,
        Self::Needs,
        Self::List,
        Self::Explain,
        Self::Inspect,
        Self::Doctor,
    ];

    /// The name and the major version.
    pub const fn schema(self) -> &'static str {
        match self {
            Self::Check => "capable.check/1",
            Self::Summary => "capable.summary/1",
            Self::Report => "capable.report/1",
            Self::Needs => "capable.needs/1",
            Self::List => "capable.list/1",
            Self::Explain => "capable.explain/1",
            Self::Inspect => "capable.inspect/1",
            Self::Doctor => "capable.doctor/1",
        }
    }

    /// Content as one line, closed by a newline.
    ///
    /// # Errors
    ///
    /// If the content has something that JSON has no form for.
    #[cfg(feature = "cli")]
    pub(crate) fn line(self, content: &impl Serialize) -> serde_json::Result<String> {
        let mut text = serde_json::to_string(&self.of(content))?;
        text.push('\n');
        Ok(text)
    }

    /// Content as several lines, closed by a newline.
    ///
    /// # Errors
    ///
    /// If the content has something that JSON has no form for.
    pub(crate) fn lines(self, content: &impl Serialize) -> serde_json::Result<String> {
        let mut text = serde_json::to_string_pretty(&self.of(content))?;
        text.push('\n');
        Ok(text)
    }

    fn of<T>(self, content: &T) -> Named<'_, T> {
        Named {
            schema: self.schema(),
            content,
        }
    }
}

/// Content with its schema ahead.
#[derive(Serialize)]
struct Named<'a, T> {
    schema: &'static str,
    #[serde(flatten)]
    content: &'a T,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_document_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> =
            Document::ALL.iter().map(|each| each.schema()).collect();
        assert_eq!(names.len(), Document::ALL.len());
    }

    #[test]
    #[cfg(feature = "cli")]
    fn the_schema_comes_first() {
        #[derive(Serialize)]
        struct Content {
            works: bool,
        }
        let line = Document::Doctor.line(&Content { works: true }).unwrap();
        assert_eq!(line, "{\"schema\":\"capable.doctor/1\",\"works\":true}\n");
    }
}
