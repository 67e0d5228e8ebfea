//! On this machine's kernel: how much longer a load takes when it is traced.
//!
//! Time is measured here, on a machine that does other things too: untraced and traced loads
//! alternate, and the median of the ratios counts.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::cases;
use super::figure::Figure;
use super::load;
use super::measure::{self, START};
use super::tool::{Output, Tool};

/// How often untraced and traced loads alternate.
const ROUNDS: usize = 5;

/// What the ratio is of: its measure is this and what was traced.
pub const RATIO: &str = "times as long: ";

/// The figures of the program at this path.
pub fn figures(capable: &Path) -> Result<Vec<Figure>> {
    let capable = capable.to_str().context("the path is not text")?;
    let line = |rest: &str| -> Vec<String> {
        let words = rest.split_whitespace().map(str::to_owned);
        std::iter::once(capable.to_owned()).chain(words).collect()
    };
    let mut figures = Vec::new();
    for (measure, arguments) in [
        (cases::ROWS, "trace"),
        (cases::OTHER_PID, "trace -p 1"),
        (cases::UNIQUE, "trace --unique"),
        (cases::COUNT, "top --batch --delay 1000"),
    ] {
        let measure = format!("{RATIO}{measure}");
        figures.push(match ratio(&line(arguments)) {
            Ok(ratio) => Figure::new("capable", &measure, ratio),
            Err(error) => Figure::missing("capable", &measure, &format!("{error:#}")),
        });
    }
    let mut times = Vec::new();
    for _ in 0..3 {
        times.extend(measure::start("capable", &line("trace"))?.value);
    }
    times.sort_by(f64::total_cmp);
    if let Some(median) = times.get(times.len() / 2) {
        figures.push(Figure::new("capable", START, *median));
    }
    Ok(figures)
}

fn ratio(line: &[String]) -> Result<f64> {
    let load = cases::load_of(cases::ROWS, false);
    let time = |load: load::Options| -> Result<f64> { Ok(measure::run_load(load)?.span as f64) };
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let untraced = time(load)?;
        let mut tool = Tool::spawn(line, Output::Null)?;
        tool.settle(|| {})?;
        let traced = time(load)?;
        tool.stop()?;
        ratios.push(traced / untraced);
    }
    ratios.sort_by(f64::total_cmp);
    Ok(ratios[ratios.len() / 2])
}
