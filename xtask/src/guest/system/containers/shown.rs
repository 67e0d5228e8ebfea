//! What is found and shown of a container that its engine made.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::engine::{DOCKER, Engine};
use crate::guest::tracer::{Finished, Tracer};

/// The digits that are enough of an id.
const PREFIX: usize = 9;

/// The rows of a trace with these options, which ends after some rows.
fn rows(options: &[&str]) -> Result<(Vec<Value>, Finished)> {
    let mut words = vec!["trace", "-o", "json", "-n", "3"];
    words.extend(options);
    let finished = Tracer::start(&words)?.wait()?;
    let (rows, _) = finished.parse::<Value>()?;
    ensure!(!rows.is_empty(), "no row: {}", finished.stderr);
    Ok((rows, finished))
}

/// What must be shown of a container.
fn expected(engine: &Engine, id: &str) -> Value {
    json!({
        "id": id,
        "runtime": engine.runtime,
        "name": engine.name,
        "image": engine.image,
        "pod": engine.pod,
    })
}

/// It is found by its name, its id and the beginning of an id, and rows show all of it.
pub fn by_name_and_id(engine: &Engine) -> Result<()> {
    let running = engine.start()?;
    let id = running.id.as_str();
    let mut given = vec![engine.name, id];
    if id != engine.name {
        given.push(&id[..PREFIX]);
    }
    for given in given {
        let (rows, finished) = rows(&["--container", given])?;
        let told = format!("--container {given} is the cgroup /");
        ensure!(finished.stderr.contains(&told), "{}", finished.stderr);
        for row in rows {
            ensure!(
                row["container"] == expected(engine, id) && row["comm"] == "cat",
                "{given}: {row}"
            );
        }
    }
    Ok(())
}

/// The rows of an entry point, from its first check on, have the container's name.
pub fn from_the_first_check() -> Result<()> {
    DOCKER.prepare()?;
    let tracer = Tracer::start(&["trace", "-o", "json", "-c", "chroot"])?;
    let running = DOCKER.start()?;
    let finished = tracer.stop(libc::SIGINT)?;
    let (rows, _) = finished.parse::<Value>()?;
    let first = rows.first().context("no row of the container")?;
    ensure!(
        first["container"] == expected(&DOCKER, &running.id),
        "{first}"
    );
    Ok(())
}
