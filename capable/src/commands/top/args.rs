//! The options of `capable top`, as typed.

use std::time::Duration;

use clap::Args as ClapArgs;

use super::{group::Group, sort::Sort};
use crate::{
    commands::tracing::{FilterArgs, TracingArgs, number},
    kernel::trace::counts,
};

/// Keys, notes and examples for `--help`.
const AFTER: &str = "\
Keys:
  g          next grouping: check, process, capability, result, cgroup
  c          sort by rate; again: by total
  p n r      sort by pid, name, result
  R          reverse the order
  up down    scroll; also page up, page down, home
  space      read the counters now
  h q        help, quit

Checks are counted in the kernel, and nothing is read between two readings. If
standard output is not a terminal, --batch is implied.

Examples:
  capable top                      audited checks, every 2 seconds
  capable top -v -g capability     all checks, by capability
  capable top -b -n 1 -d 10 -v     what happens within 10 seconds, as text";

/// Show which processes make the most capability checks, counted in the kernel
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Also count checks that are not audited
    #[arg(short = 'v', long)]
    pub verbose: bool,

    /// What each row counts; the key g changes it
    #[arg(short = 'g', long, value_name = "BY", value_enum, default_value_t = Group::Check)]
    pub group: Group,

    /// Order of the rows; the keys c, p, n and r change it
    #[arg(short = 's', long, value_name = "BY", value_enum, default_value_t = Sort::Rate)]
    pub sort: Sort,

    /// Seconds between two readings
    #[arg(short = 'd', long, value_name = "SECONDS", default_value = "2", allow_negative_numbers = true, value_parser = seconds)]
    pub delay: Duration,

    /// Stop after this many readings
    #[arg(short = 'n', long, value_name = "READINGS", allow_negative_numbers = true, value_parser = number::<u64>(1..=u64::MAX, 10))]
    pub iterations: Option<u64>,

    /// Print each reading as plain text
    #[arg(short = 'b', long)]
    pub batch: bool,

    /// Number of rows in the kernel's table of counts
    #[arg(long, value_name = "ROWS", default_value_t = counts::ENTRIES, allow_negative_numbers = true, value_parser = number::<u32>(1..=1 << 20, 65536))]
    pub table_size: u32,

    /// Which checks to count.
    #[command(flatten)]
    pub filter: FilterArgs,

    /// How to trace.
    #[command(flatten)]
    pub tracing: TracingArgs,
}

/// Parses a delay as top(1) does.
fn seconds(text: &str) -> Result<Duration, String> {
    let wanted = || "a delay is a number of seconds from 0.1 to 86400, such as 0.5".to_owned();
    let seconds: f64 = text.parse().map_err(|_| wanted())?;
    if !(0.1..=86400.0).contains(&seconds) {
        return Err(wanted());
    }
    Ok(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_seconds_that_a_terminal_can_follow() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(seconds("86400"), Ok(Duration::from_secs(86400)));
        for wrong in ["", "0", "0.01", "-1", "nan", "inf", "2s", "86401"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
