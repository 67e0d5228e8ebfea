//! What was measured: one number each.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One figure.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figure {
    /// The program, with its hook and transport if it has several.
    pub subject: String,
    /// What was measured; the name of a measure.
    pub measure: String,
    /// The number, or nothing if the program could not do it.
    pub value: Option<f64>,
    /// The part that the program's own process spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_process: Option<f64>,
    /// The part that its eBPF programs spent, including the clock reads that measure it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_programs: Option<f64>,
    /// Checks that it lost in the meantime, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<u64>,
    /// Why there is no number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Figure {
    /// A plain number.
    pub fn new(subject: &str, measure: &str, value: f64) -> Self {
        Self {
            subject: subject.into(),
            measure: measure.into(),
            value: Some(value),
            of_process: None,
            of_programs: None,
            lost: None,
            reason: None,
        }
    }

    /// A number that could not be measured.
    pub fn missing(subject: &str, measure: &str, reason: &str) -> Self {
        Self {
            value: None,
            reason: Some(reason.into()),
            ..Self::new(subject, measure, 0.0)
        }
    }
}

/// All figures of a kernel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figures {
    /// What `uname -r` says.
    pub kernel: String,
    /// The kernel's name in the table of kernels.
    pub row: String,
    /// Whether fewer checks were made.
    pub quick: bool,
    /// The tracers' packages or programs, with their versions.
    pub versions: Vec<String>,
    /// The figures, in the order in which they were taken.
    pub figures: Vec<Figure>,
}

/// The name for this machine's own kernel.
pub const HOST: &str = "this machine";

impl Figures {
    /// A record without figures.
    pub fn new(row: &str, kernel: &str, quick: bool) -> Self {
        Self {
            kernel: kernel.into(),
            row: row.into(),
            quick,
            versions: Vec::new(),
            figures: Vec::new(),
        }
    }

    /// A figure.
    pub fn find(&self, subject: &str, measure: &str) -> Option<&Figure> {
        let wanted = |figure: &&Figure| figure.subject == subject && figure.measure == measure;
        self.figures.iter().find(wanted)
    }

    /// The value of a figure.
    pub fn value(&self, subject: &str, measure: &str) -> Option<f64> {
        self.find(subject, measure)?.value
    }

    /// Everything that was measured, in that order.
    pub fn subjects(&self) -> Vec<&str> {
        let mut subjects = Vec::new();
        for figure in &self.figures {
            if !subjects.contains(&figure.subject.as_str()) {
                subjects.push(figure.subject.as_str());
            }
        }
        subjects
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}: ", self.subject, self.measure)?;
        match self.value {
            Some(value) => write!(f, "{value:.1}")?,
            None => write!(f, "-")?,
        }
        if let Some(part) = self.of_process {
            write!(f, ", {part:.1} of them in its process")?;
        }
        if let Some(part) = self.of_programs {
            write!(f, ", {part:.1} in its eBPF programs")?;
        }
        if let Some(lost) = self.lost.filter(|lost| *lost > 0) {
            write!(f, ", {lost} lost")?;
        }
        match &self.reason {
            Some(reason) => write!(f, " ({reason})"),
            None => Ok(()),
        }
    }
}
