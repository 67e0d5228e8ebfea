//! The scenario with every hook and transport: rows are what they must be, and all ways agree.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::Bench;
use crate::guest::compare::{Comparison, compare, rows_of};
use crate::guest::exceptions::{Field, SKIPPED, UNKNOWN, VARYING, may_be_unknown};
use crate::guest::hooks::Way;
use crate::guest::identity::Identity;
use crate::guest::processors::Apart;
use crate::guest::rows::{Check, Row};
use crate::guest::runner::{self, Run};
use crate::guest::tracer::Tracer;
use crate::guest::trigger::Trigger;
use crate::guest::triggers;
use crate::tally::Tally;

/// The result of tracing the scenario: the checks of each trigger as each identity.
type Shown = BTreeMap<(&'static str, Identity), Vec<Check>>;

/// Runs the scenario once for every way.
///
/// # Errors
/// When a trigger cannot run at all.
pub fn run(bench: &Bench, tally: &mut Tally) -> Result<()> {
    for varying in VARYING {
        println!("not compared: {} ({})", varying.what, varying.reason);
    }
    for unknown in UNKNOWN {
        println!(
            "unknown by {}: {:?} ({})",
            unknown.hook, unknown.field, unknown.reason
        );
    }
    let mut shown: Vec<(Way, Shown)> = Vec::new();
    for (index, &way) in bench.ways.iter().enumerate() {
        let name = format!("{} {}", way.hook, way.transport);
        match scenario(bench, way) {
            Err(error) => tally.record(&name, Err(error)),
            Ok((runs, rows)) => {
                if index == 0 {
                    tell_skipped(&runs);
                }
                let result = compare_all(bench, way, &runs, &rows);
                println!(
                    "{name}: {} of {} checks as expected",
                    result.good, result.all
                );
                tally.record(&name, complain(&result));
                shown.push((way, collect(&runs, &rows)));
            }
        }
    }
    let mut rest = shown.iter();
    if let Some((first, reference)) = rest.next() {
        for (way, other) in rest {
            let name = format!(
                "{} {} agrees with {} {}",
                way.hook, way.transport, first.hook, first.transport
            );
            tally.record(&name, agree(&name, *way, reference, other));
        }
    }
    Ok(())
}

/// What one run of the scenario did, and the rows that were shown.
type Traced = (Vec<(&'static Trigger, Run)>, Vec<Row>);

/// Traces the scenario without a loss. If the kernel may skip the hook, it gets several attempts.
fn scenario(bench: &Bench, way: Way) -> Result<Traced> {
    let _apart = Apart::begin()?;
    let mut chances = if SKIPPED.contains(&way.hook) { 5 } else { 1 };
    loop {
        let (traced, lost) = scenario_once(bench, way)?;
        chances -= 1;
        if lost == 0 {
            return Ok(traced);
        }
        if chances == 0 {
            bail!("{lost} checks lost, so that the comparison says nothing");
        }
    }
}

/// Traces all triggers as all identities in one way; also returns how many checks were lost.
fn scenario_once(bench: &Bench, way: Way) -> Result<(Traced, u64)> {
    let tracer = Tracer::start(&[&["-v", "-x", "-o", "json"][..], &way.options()].concat())?;
    let mut runs = Vec::new();
    for trigger in triggers::all() {
        for &identity in trigger.identities {
            let run = runner::run(trigger, identity, &bench.scene, bench.machine.kernel)?;
            runs.push((trigger, run));
        }
    }
    let (rows, summary) = tracer.rows()?;
    Ok(((runs, rows), summary.lost))
}

fn tell_skipped(runs: &[(&'static Trigger, Run)]) {
    for (_, run) in runs {
        if let Some(reason) = &run.skipped {
            println!("not run: {} as {}: {reason}", run.name, run.identity);
        }
    }
}

fn compare_all(
    bench: &Bench,
    way: Way,
    runs: &[(&'static Trigger, Run)],
    rows: &[Row],
) -> Comparison {
    let mut result = Comparison::default();
    for (trigger, run) in runs.iter().filter(|(_, run)| run.skipped.is_none()) {
        result.add(compare(trigger, run, rows, way.hook, bench.machine));
    }
    result
}

fn complain(result: &Comparison) -> Result<()> {
    if result.wrong.is_empty() {
        return Ok(());
    }
    bail!(
        "{} wrong:{}",
        result.wrong.len(),
        first_lines(&result.wrong)
    );
}

/// The first of these, one per line, because one cause often has many of them.
fn first_lines(all: &[String]) -> String {
    const SHOWN: usize = 6;
    let mut lines = String::new();
    for line in all.iter().take(SHOWN) {
        lines.push_str("\n  ");
        lines.push_str(line);
    }
    if all.len() > SHOWN {
        lines.push_str("\n  ...");
    }
    lines
}

/// What each trigger showed, in an order that does not depend on timing.
fn collect(runs: &[(&'static Trigger, Run)], rows: &[Row]) -> Shown {
    let mut shown = Shown::new();
    for (_, run) in runs.iter().filter(|(_, run)| run.skipped.is_none()) {
        let mut checks: Vec<Check> = rows_of(run, rows)
            .into_iter()
            // exceptions::OVERCOMMIT
            .filter(|row| !row.is_overcommit() || run.name == "mmap")
            .map(Row::check)
            .collect();
        checks.sort();
        shown.insert((run.name, run.identity), checks);
    }
    shown
}

fn agree(name: &str, way: Way, reference: &Shown, other: &Shown) -> Result<()> {
    let hook = way.hook;
    let mut same = 0;
    let mut all = 0;
    let mut wrong = Vec::new();
    for (key, checks) in reference {
        if key.0 == "securebits" && may_be_unknown(hook, Field::Securebits) {
            continue;
        }
        let others = other.get(key).map(Vec::as_slice).unwrap_or_default();
        let mut others: Vec<Check> = others.to_vec();
        let checks: Vec<&Check> = checks.iter().collect();
        all += checks.len();
        let mut missing = Vec::new();
        for check in checks {
            match others.iter().position(|other| alike(check, other, hook)) {
                Some(index) => {
                    others.remove(index);
                    same += 1;
                }
                None => missing.push(check),
            }
        }
        if !missing.is_empty() || !others.is_empty() {
            let (name, identity) = key;
            all += others.len();
            wrong.push(format!(
                "{name} as {identity}: {} only there: {}; {} only here: {}",
                missing.len(),
                words(missing.first().copied()),
                others.len(),
                words(others.first()),
            ));
        }
    }
    println!("{name}: {same} of {all} checks identical");
    if !wrong.is_empty() {
        bail!("{} triggers differ:{}", wrong.len(), first_lines(&wrong));
    }
    Ok(())
}

fn words(check: Option<&Check>) -> String {
    check.map_or("-".to_owned(), |check| {
        format!(
            "[{} {} audit {:?} insetid {:?} by {}]",
            check.name,
            check.result.as_deref().unwrap_or("?"),
            check.audit,
            check.insetid,
            check.caller.as_deref().unwrap_or("?")
        )
    })
}

/// Equal except for what the hook cannot know (`exceptions::UNKNOWN`).
fn alike(one: &Check, other: &Check, hook: &str) -> bool {
    let mut one = one.clone();
    if may_be_unknown(hook, Field::GrantedBy) && one.result.as_deref() == Some("owner") {
        one.result = Some("granted".to_owned());
    }
    if may_be_unknown(hook, Field::InlinedResult)
        && other.result.is_none()
        && (one.audit == Some(false) || one.is_by_neighbour())
    {
        one.result = None;
    }
    one == *other
}
