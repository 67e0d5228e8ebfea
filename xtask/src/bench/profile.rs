//! Where the instructions go, by function: samples of the load and of `capable`, taken by bpftrace.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;

use super::cases;
use super::load;
use super::measure::run_load;
use super::tool::{Output, Tool};

/// One sample every 100 000 instructions, by process and innermost function. It does not see code
/// that runs with interrupts off, nor eBPF programs, during which the sampler's own program does
/// not run (kernel/trace/bpf_trace.c, `trace_call_bpf`).
const PROGRAM: &str = r#"profile:us:100 /comm == "capable" || comm == "bench-load"/ { @[comm, kstack(1), ustack(1)] = count(); }"#;

/// How many lines are shown for each process.
const LINES: usize = 40;

/// Prints the functions that a command line of `capable` spends its time in, those with the most
/// samples first.
pub fn print(line: &[String]) -> Result<()> {
    let load = load::Options {
        checks: 200_000,
        ..cases::load_of(cases::ROWS, false)
    };
    let mut tool = Tool::spawn(line, Output::Null)?;
    tool.settle(|| {})?;
    let sampler = ["/usr/bin/bpftrace", "-e", PROGRAM].map(str::to_owned);
    let mut sampler = Tool::spawn(&sampler, Output::File)?;
    sampler.settle(|| {})?;
    run_load(load)?;
    std::thread::sleep(Duration::from_secs(1));
    let left = sampler.stop()?;
    tool.stop()?;

    let mut found: BTreeMap<String, Vec<(u64, String)>> = BTreeMap::new();
    let text = left.stdout.replace('\n', " ");
    for entry in text.split("@[").skip(1) {
        let Some((key, count)) = entry.rsplit_once("]:") else {
            continue;
        };
        let count = count.trim().parse().unwrap_or(0_u64);
        let (comm, functions) = key.split_once(',').unwrap_or((key, ""));
        let functions: Vec<_> = functions.split_whitespace().filter(|w| *w != ",").collect();
        // A kernel function comes before the program's function that called it.
        let function = functions.first().copied().unwrap_or("?");
        let function = function.rsplit_once('+').map_or(function, |(name, _)| name);
        let lines = found.entry(comm.trim().into()).or_default();
        match lines.iter_mut().find(|(_, name)| name == function) {
            Some((sum, _)) => *sum += count,
            None => lines.push((count, function.to_owned())),
        }
    }
    println!("instructions per check, by function: {}", line.join(" "));
    for (comm, mut lines) in found {
        lines.sort_by(|a, b| b.cmp(a));
        for (count, function) in lines.into_iter().take(LINES) {
            let per_check = count as f64 * 100_000.0 / load.checks as f64;
            println!("  {comm} {per_check:8.1} {function}");
        }
    }
    Ok(())
}
