//! Hundreds of thousands of JSON rows: every line parses, matches the schema, and returns every
//! name unchanged.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use jsonschema::Validator;
use serde_json::Value;

use super::Bench;
use super::act::{Actor, check_setuid};
use super::cast::set_name;
use crate::guest::folder;

const PROCESSES: usize = 4;
/// Checks of one process under one name.
const CHECKS_EACH: usize = 1471;
/// All bytes except the NUL that ends a name, 15 in each name.
const NAMES: usize = 255 / 15;
/// One in this many is compared with the schema, because that is slow in an emulated machine.
const SAMPLE: usize = 20;

/// 100 000 checks under names of any bytes, read as they come, as jq would.
pub fn json_by_the_hundred_thousand(_: &Bench) -> Result<()> {
    let schema: Value = serde_json::from_str(include_str!("../../../../docs/json-schema.json"))?;
    let fields = schema["properties"].as_object().context("no fields")?;
    // Stacks are present only if they are asked for.
    let fields: Vec<String> = fields
        .keys()
        .filter(|name| !name.contains("_stack"))
        .cloned()
        .collect();
    let schema = jsonschema::validator_for(&schema)?;
    let made = PROCESSES * NAMES * CHECKS_EACH;
    let actors: Vec<Actor> = (0..PROCESSES)
        .map(|_| {
            Actor::prepare(b"names", || {
                (0..NAMES).all(|index| {
                    set_name(name(index));
                    (0..CHECKS_EACH).all(|_| check_setuid())
                })
            })
        })
        .collect::<Result<_>>()?;
    let pids: Vec<String> = actors.iter().map(|actor| actor.pid().to_string()).collect();
    let said = folder::file("stderr");
    let mut capable = Command::new("capable")
        // Large enough for all of them, however slow the reader is.
        .args(["-o", "json", "--buffer-size", "64M", "--timeout", "120s"])
        .args(["-n", &made.to_string()])
        .args(pids.iter().flat_map(|pid| ["-p", pid]))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(File::create(&said)?)
        .spawn()
        .context("cannot start capable")?;
    let start = Instant::now();
    while !fs::read_to_string(&said)?.contains("hook:") {
        ensure!(
            start.elapsed() < Duration::from_secs(60) && capable.try_wait()?.is_none(),
            "it does not trace: {}",
            fs::read_to_string(&said)?
        );
        sleep(Duration::from_millis(20));
    }
    let acting: Vec<_> = actors
        .into_iter()
        .map(Actor::start)
        .collect::<Result<_>>()?;
    for actor in acting {
        actor.wait()?;
    }
    let stdout = capable.stdout.take().context("no pipe")?;
    let mut names = BTreeMap::new();
    for (number, line) in BufReader::new(stdout).lines().enumerate() {
        let line = line.context("not UTF-8")?;
        let row: Value =
            serde_json::from_str(&line).with_context(|| format!("not JSON: {line}"))?;
        if number % SAMPLE == 0 {
            check(&schema, &fields, &row).with_context(|| line.clone())?;
        }
        *names.entry(name_of(&row)?).or_insert(0) += 1;
    }
    let status = capable.wait()?;
    let said = fs::read_to_string(&said)?;
    ensure!(status.success(), "it ended with {status}: {said}");
    let expected: BTreeMap<Vec<u8>, usize> = (0..NAMES)
        .map(|index| (name(index), PROCESSES * CHECKS_EACH))
        .collect();
    ensure!(
        names == expected,
        "the names came back as {names:?}: {said}"
    );
    Ok(())
}

/// One of the names that together contain all bytes.
fn name(index: usize) -> Vec<u8> {
    (0..15)
        .filter_map(|offset| u8::try_from(1 + index * 15 + offset).ok())
        .collect()
}

/// The bytes of the name in a row.
fn name_of(row: &Value) -> Result<Vec<u8>> {
    let Some(bytes) = row["comm_bytes"].as_array() else {
        let comm = row["comm"].as_str().context("no comm")?;
        return Ok(comm.as_bytes().to_vec());
    };
    bytes
        .iter()
        .map(|byte| {
            let byte = byte.as_u64().and_then(|byte| u8::try_from(byte).ok());
            byte.context("not a byte in comm_bytes")
        })
        .collect()
}

/// A row must match the schema, and have every field in `fields`.
fn check(schema: &Validator, fields: &[String], row: &Value) -> Result<()> {
    if let Err(error) = schema.validate(row) {
        bail!("{}: {error}", error.instance_path());
    }
    for field in fields {
        ensure!(row.get(field).is_some(), "{field} is missing");
    }
    Ok(())
}
