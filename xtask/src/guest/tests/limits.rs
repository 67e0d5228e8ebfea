//! Each distinct check once, a limited number of rows, a limited time; and mistakes in the options.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::Bench;
use super::cast::{Act, Cast, Member, UNIT};
use super::keeping::{ROUNDS, counts_fit};
use crate::guest::tracer::{Summary, Tracer};

/// `--unique`: repeats are shown once, by each of the four rules.
pub fn unique(_: &Bench) -> Result<()> {
    let cast = Cast::assemble()?;
    let result = |member: &Member, act| member.granted.contains(&act);
    for (rule, subject) in [
        (
            "",
            (|member| member.pid.to_string()) as fn(&Member) -> String,
        ),
        ("=process", |member| member.pid.to_string()),
        ("=cgroup", |member| format!("{:?}", member.cgroup)),
        ("=comm", |member| member.comm.to_owned()),
        // All checks come from the same place in the kernel.
        ("=stack", |_| String::new()),
    ] {
        let mut expected = BTreeMap::new();
        for member in &cast.members {
            for act in Act::ALL {
                let key = (subject(member), act.capability().name, result(member, act));
                expected.insert(key, 1);
            }
        }
        let unique = format!("--unique{rule}");
        // Without filtering by name, the harness would show up: it is in the same cgroup.
        let tracer = Tracer::start(&[&unique, "-c", "cast-*", "-o", "json"])?;
        cast.play(ROUNDS)?;
        let (rows, summary) = tracer.rows()?;
        let mut shown = BTreeMap::new();
        for row in &rows {
            let member = cast.members.iter().find(|member| member.tid == row.tid);
            let member = member.with_context(|| format!("{unique}: a stranger: {row:?}"))?;
            let granted = row.result.as_deref() == Some("granted");
            let name = row.capability.trim_start_matches("CAP_");
            *shown.entry((subject(member), name, granted)).or_insert(0) += 1;
        }
        ensure!(
            shown == expected,
            "{unique}: shown {shown:?} in place of {expected:?}"
        );
        let made = cast.members.len() * Act::ALL.len() * usize::from(ROUNDS);
        counts_fit(summary, made, rows.len()).context(unique)?;
    }
    Ok(())
}

/// `-n`, `-d` and `--timeout`.
pub fn bounds(_: &Bench) -> Result<()> {
    let cast = Cast::assemble()?;
    let tracer = Tracer::start(&["-c", "cast-*", "-n", "7", "-o", "json"])?;
    cast.play(1)?;
    let (rows, summary) = tracer.wait()?.rows()?;
    ensure!(
        rows.len() == 7 && summary.shown == 7,
        "-n 7: {} rows, {summary:?}",
        rows.len()
    );
    for (option, code) in [("-d", 0), ("--timeout", 124)] {
        let start = Instant::now();
        let tracer = Tracer::start(&["-c", "cast-*", option, "2s", "-o", "json"])?;
        cast.play(1)?;
        let finished = tracer.wait()?;
        let took = start.elapsed();
        ensure!(
            finished.status.code() == Some(code),
            "{option}: it ended with {} in place of {code}",
            finished.status
        );
        ensure!(
            took >= Duration::from_secs(2),
            "{option} 2s: it ended after {took:?}"
        );
        let shown = Summary::find(&finished.stderr).map(|summary| summary.shown);
        let made = cast.members.len() * Act::ALL.len();
        ensure!(
            shown == Some(made as u64),
            "{option}: {shown:?} shown of {made}"
        );
    }
    Ok(())
}

/// A container may come under any name, so that one which is not there is waited for.
pub fn awaited(_: &Bench) -> Result<()> {
    let output = Command::new("capable")
        .args(["--container", "facade", "-d", "1"])
        .output()
        .context("cannot start capable")?;
    let said = String::from_utf8_lossy(&output.stderr);
    for part in [
        "waiting for it to start",
        "container facade was not started",
    ] {
        ensure!(
            output.status.success() && said.contains(part),
            "{}, and no {part:?}: {said}",
            output.status
        );
    }
    Ok(())
}

/// A name that does not exist is an error, which suggests the nearest one that does. That what is
/// well named is not there is a failure (1); that no such user or capability exists, a mistake (2).
pub fn mistakes(_: &Bench) -> Result<()> {
    let _cast = Cast::assemble()?;
    for (option, given, nearest, code) in [
        ("-u", "daemom", "daemon", 2),
        ("-C", "setuit", "setuid", 2),
        ("--unit", "cast-wep", UNIT, 1),
        ("--cgroup", "/system.slice/cast-wep.service", UNIT, 1),
    ] {
        let output = Command::new("capable")
            .args([option, given])
            .output()
            .context("cannot start capable")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.code() == Some(code)
                && said.contains(given)
                && said.to_lowercase().contains(nearest),
            "{option} {given}: {}, and {nearest} is not offered: {said}",
            output.status
        );
    }
    Ok(())
}
