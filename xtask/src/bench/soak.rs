//! A trace at the highest rate for a long time: checks that its memory stays flat, that its
//! counters agree and that each of its rows is whole.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::load::{self, LoadKind};
use super::measure;

/// How often the memory is looked at.
const SAMPLING: Duration = Duration::from_secs(10);
/// How long a tracer may take to start tracing.
const START: Duration = Duration::from_secs(5);
/// How many checks one process makes before the next takes its place.
const CHECKS: u64 = 1_000_000;
/// How many processes make checks at the same time.
const PROCESSES: usize = 2;
/// How much of a malformed row is shown at most.
const SHOWN: usize = 10;

/// What the reader of the rows found.
#[derive(Debug, Default)]
struct Found {
    rows: u64,
    malformed: Vec<String>,
}

/// Traces for this long with the program at this path, and prints what was observed.
pub fn run(capable: &Path, time: Duration) -> Result<()> {
    let mut tracer = Command::new(capable)
        .args(["trace", "--comm", load::COMM])
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", capable.display()))?;
    let rows = Arc::new(AtomicU64::new(0));
    let reader = {
        let (stdout, rows) = (tracer.stdout.take().context("no output")?, rows.clone());
        thread::spawn(move || read(stdout, &rows))
    };
    thread::sleep(START);

    let over = Arc::new(AtomicBool::new(false));
    let makers: Vec<_> = (0..PROCESSES)
        .map(|_| {
            let over = over.clone();
            thread::spawn(move || make(&over))
        })
        .collect();
    let start = Instant::now();
    let mut memory = Vec::new();
    while start.elapsed() < time {
        thread::sleep(SAMPLING.min(time.saturating_sub(start.elapsed())));
        memory.push(resident(&tracer)?);
        let minute = start.elapsed().as_secs() / 60;
        let (rows, kib) = (rows.load(Ordering::Relaxed), memory[memory.len() - 1]);
        eprintln!("soak: minute {minute}: {rows} rows, {kib} KiB");
    }
    over.store(true, Ordering::Relaxed);
    let mut made = 0;
    for maker in makers {
        made += joined(maker)?;
    }
    let took = start.elapsed().as_secs_f64();

    // SAFETY: two numbers; the process is our child, not yet waited for.
    unsafe { libc::kill(tracer.id() as i32, libc::SIGINT) };
    let found = joined(reader)?;
    let mut said = String::new();
    if let Some(stderr) = &mut tracer.stderr {
        stderr.read_to_string(&mut said)?;
    }
    tracer.wait()?;
    let lost = lost(&said).with_context(|| format!("no summary in: {said}"))?;

    let Found { rows, malformed } = found;
    let (first, last) = (memory.first(), memory.last());
    let (least, most) = (memory.iter().min(), memory.iter().max());
    println!("seconds: {took:.0}");
    println!("checks made: {made}, {:.0} per second", made as f64 / took);
    println!("rows: {rows}, said to be lost: {lost}");
    println!(
        "neither a row nor said to be lost: {}",
        made as i64 - (rows + lost) as i64
    );
    println!("malformed rows: {}", malformed.len());
    println!(
        "resident memory in KiB, each 10 s: first {first:?}, least {least:?}, most {most:?}, last {last:?}"
    );
    if made != rows + lost || !malformed.is_empty() {
        bail!("the soak found what should not be: {malformed:?}");
    }
    Ok(())
}

/// What a thread found.
fn joined<T>(thread: thread::JoinHandle<Result<T>>) -> Result<T> {
    match thread.join() {
        Ok(found) => found,
        Err(_) => bail!("a thread panicked"),
    }
}

/// Makes checks until told to stop; returns how many.
fn make(over: &AtomicBool) -> Result<u64> {
    let mut made = 0;
    while !over.load(Ordering::Relaxed) {
        measure::run_load(load::Options {
            checks: CHECKS,
            burst: u64::MAX,
            pause: 0,
            kind: LoadKind::Audited,
        })?;
        made += CHECKS + load::WARM_UP;
    }
    Ok(made)
}

/// Reads rows to the end and checks each of them.
fn read(stdout: impl Read, rows: &AtomicU64) -> Result<Found> {
    let mut found = Found::default();
    let mut reader = BufReader::with_capacity(1 << 16, stdout);
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(found);
        }
        found.rows += 1;
        rows.store(found.rows, Ordering::Relaxed);
        if !is_row(&line) && found.malformed.len() < SHOWN {
            let text = String::from_utf8_lossy(&line).into_owned();
            found.malformed.push(text);
        }
    }
}

/// Whether these bytes are a row of the default table for a check of the load.
fn is_row(line: &[u8]) -> bool {
    let Some(text) = line
        .strip_suffix(b"\n")
        .and_then(|line| str::from_utf8(line).ok())
    else {
        return false;
    };
    let mut words = text.split_ascii_whitespace();
    let mut next = || words.next().unwrap_or_default();
    let time = next().as_bytes();
    let is_time = time.len() == 8
        && time.iter().enumerate().all(|(at, byte)| match at {
            2 | 5 => *byte == b':',
            _ => byte.is_ascii_digit(),
        });
    let numbers = next().parse::<u32>().is_ok() && next().parse::<u32>().is_ok();
    let named = next() == load::COMM;
    let capability = next().parse::<u32>().is_ok_and(|number| number < 64);
    let name = next().starts_with("CAP_");
    let audit = matches!(next(), "0" | "1" | "-");
    let result = matches!(next(), "granted" | "denied" | "owner" | "-");
    is_time && numbers && named && capability && name && audit && result && next().is_empty()
}

/// Resident memory in KiB.
fn resident(process: &Child) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{}/status", process.id()))?;
    text.lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .context("no VmRSS")
}

/// What the summary says was lost: `capable: 12 checks seen, 11 shown, 1 lost`.
fn lost(said: &str) -> Option<u64> {
    let summary = said.lines().find(|line| line.contains(" checks seen, "))?;
    let (before, _) = summary.split_once(" lost")?;
    before.rsplit(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_whole_or_it_is_not() {
        let row =
            b"14:03:59      0    4711 bench-load        7 CAP_SETUID                 1 granted\n";
        assert!(is_row(row));
        for broken in [
            &row[..row.len() - 1],
            &row[1..],
            b"14:03:59      0 bench-load        7 CAP_SETUID                 1 granted\n",
            b"14:03:59      0    4711 bench-lo          7 CAP_SETUID                 1 granted\n",
            b"14:03:59      0    4711 bench-load        7 CAP_SETUID                 1 granted 1\n",
        ] {
            assert!(!is_row(broken), "{}", String::from_utf8_lossy(broken));
        }
    }

    #[test]
    fn the_summary_says_what_was_lost() {
        let said = "capable: hook: tracepoint\ncapable: 9 checks seen, 5 shown, 4 lost (4: full)\n";
        assert_eq!(lost(said), Some(4));
        assert_eq!(lost("capable: hook: tracepoint\n"), None);
    }
}
