//! docs/performance.md, written from the figures.

use super::figure::Report;

/// The document.
pub fn text(reports: &[Report]) -> String {
    let mut text = String::new();
    for report in reports {
        text += &super::table::text(report);
    }
    text
}
