//! How each part went and how long it took, repeated at the end.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::tally::Tally;

/// The parts so far.
#[derive(Debug)]
pub struct Summary {
    start: Instant,
    parts: Vec<Measured>,
}

/// A part that has ended.
#[derive(Debug)]
struct Measured {
    name: String,
    tally: Tally,
    took: Duration,
}

impl Default for Summary {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            parts: Vec::new(),
        }
    }
}

impl Summary {
    /// Runs a part; one that cannot run counts as one failure.
    pub fn time(&mut self, name: &str, run: impl FnOnce() -> Result<Tally>) {
        let start = Instant::now();
        let result = run();
        self.add(name, result, start.elapsed());
    }

    /// Adds a part that ran elsewhere.
    pub fn add(&mut self, name: &str, result: Result<Tally>, took: Duration) {
        let tally = result.unwrap_or_else(|error| {
            let mut tally = Tally::default();
            tally.record(name, Err(error));
            tally
        });
        println!("--- {name}: {tally}, {:.0} s", took.as_secs_f64());
        self.parts.push(Measured {
            name: name.to_owned(),
            tally,
            took,
        });
    }

    /// Prints all parts, and the total as the last line.
    pub fn finish(self) -> ExitCode {
        let mut whole = Tally::default();
        println!("\n{}", self.table());
        for part in self.parts {
            whole += part.tally;
        }
        whole.finish()
    }

    fn table(&self) -> String {
        let names = self.parts.iter().map(|part| part.name.len());
        let width = names.max().unwrap_or_default();
        let mut table = format!(
            "{:width$} {:>7} {:>7} {:>6}\n",
            "part", "passed", "failed", "time"
        );
        for Measured { name, tally, took } in &self.parts {
            let Tally { passed, failed } = tally;
            let took = took.as_secs_f64();
            table += &format!("{name:width$} {passed:>7} {failed:>7} {took:>4.0} s\n");
        }
        let took = self.start.elapsed().as_secs_f64();
        table + &format!("{:width$} {:>7} {:>7} {took:>4.0} s\n", "all", "", "")
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_part_that_cannot_run_is_a_failure_and_every_part_has_its_line() {
        let mut summary = Summary::default();
        summary.time("units", || {
            Ok(Tally {
                passed: 3,
                failed: 0,
            })
        });
        summary.time("guests", || Err(anyhow!("no room")));
        let table = summary.table();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[0], "part    passed  failed   time");
        assert_eq!(lines[1], "units        3       0    0 s");
        assert_eq!(lines[2], "guests       0       1    0 s");
        assert!(lines[3].starts_with("all "));
    }
}
