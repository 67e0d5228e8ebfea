//! Counts of passed and failed tests: those that this process runs, and those that other programs
//! run, taken from their output.

use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::ops::AddAssign;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result};

use crate::process;

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
}

impl Tally {
    /// Prints how a test went, and counts it.
    pub fn record(&mut self, name: &str, outcome: Result<()>) {
        match outcome {
            Ok(()) => {
                self.passed += 1;
                println!("ok: {name}");
            }
            Err(error) => {
                self.failed += 1;
                println!("FAILED: {name}: {error:#}");
            }
        }
    }

    /// Adds the counts in a line: cargo's `test result: ok. 3 passed; 0 failed; ...`, or the
    /// closing line of our own tests, `3 passed, 0 failed`.
    pub fn read(&mut self, line: &str) {
        let counts = match line.strip_prefix("test result: ") {
            Some(rest) => rest.split_once(". ").map_or("", |(_, counts)| counts),
            None => line,
        };
        let mut parts = counts.split([';', ',']).map(str::trim);
        let mut count = |what| parts.next()?.strip_suffix(what)?.trim().parse().ok();
        if let (Some(passed), Some(failed)) = (count("passed"), count("failed")) {
            *self += Self { passed, failed };
        }
    }

    /// Runs a program whose output tells what passed and what failed, and shows the output.
    pub fn of(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", process::line(command)))?;
        let mut tally = Self::default();
        if let Some(stdout) = child.stdout.take() {
            for line in BufReader::new(stdout).lines() {
                let line = line?;
                tally.read(&line);
                println!("{line}");
            }
        }
        let status = child.wait()?;
        Ok(tally.with_exit(status.success()))
    }

    /// How a program that ended like this counts: if it failed without naming a failed test, or
    /// succeeded without naming any test, that is a failure of its own.
    pub fn with_exit(mut self, success: bool) -> Self {
        if (!success && self.failed == 0) || self == Self::default() {
            self.failed += 1;
        }
        self
    }

    /// Prints the closing line. Returns success if tests ran and none failed.
    pub fn finish(self) -> ExitCode {
        println!("{self}");
        if self.failed == 0 && self.passed > 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// Turns pieces of text into lines.
#[derive(Default)]
pub struct Lines(Vec<u8>);

impl Lines {
    /// Takes a piece and returns the lines that it completes.
    pub fn push(&mut self, piece: &[u8], mut take: impl FnMut(&str)) {
        self.0.extend_from_slice(piece);
        while let Some(end) = self.0.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.0.drain(..=end).collect();
            take(String::from_utf8_lossy(&line).trim_end());
        }
    }

    /// Returns the rest.
    pub fn finish(self, mut take: impl FnMut(&str)) {
        if !self.0.is_empty() {
            take(String::from_utf8_lossy(&self.0).trim_end());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Tally {
        let mut tally = Tally::default();
        text.lines().for_each(|line| tally.read(line));
        tally
    }

    #[test]
    fn results_of_cargo_and_of_our_own_tests_add_up() {
        let text = "running 2 tests\n\
                    test result: FAILED. 5 passed; 2 failed; 1 ignored; 0 measured; finished in 0s\n\
                    the kernel passed, nothing failed\n\
                    30 passed, 1 failed\n";
        assert_eq!(
            read(text),
            Tally {
                passed: 35,
                failed: 3
            }
        );
    }

    #[test]
    fn a_program_that_fails_without_a_failed_test_is_a_failure() {
        assert_eq!(read("3 passed, 0 failed").with_exit(false).failed, 1);
        assert_eq!(read("3 passed, 1 failed").with_exit(false).failed, 1);
        assert_eq!(read("3 passed, 0 failed").with_exit(true).failed, 0);
        assert_eq!(read("nothing to see").with_exit(true).failed, 1);
    }

    #[test]
    fn lines_come_whole_however_they_are_cut() {
        let mut seen = Vec::new();
        let mut lines = Lines::default();
        for piece in ["on", "e\ntw", "o\nthree"] {
            lines.push(piece.as_bytes(), |line| seen.push(line.to_owned()));
        }
        lines.finish(|line| seen.push(line.to_owned()));
        assert_eq!(seen, ["one", "two", "three"]);
    }
}
