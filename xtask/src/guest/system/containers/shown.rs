//! What is found and shown of a container that its engine made.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::engine::{DOCKER, Engine, PODMAN};
use crate::guest::system::shell::{root, try_root, wait_until};
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

/// A name is given whole: what has only its beginning is waited for, and those that run are told.
pub fn not_by_the_beginning_of_a_name() -> Result<()> {
    let _running = PODMAN.start()?;
    let half = &PODMAN.name[..PODMAN.name.len() - 1];
    let said = try_root(&format!("capable trace -o json --container {half} -d 1s"))?;
    ensure!(
        said.stdout.is_empty()
            && said.stderr.contains("waiting for it to start")
            && said.stderr.contains(&format!("(podman {})", PODMAN.name)),
        "{half}: {said:?}"
    );
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

/// A trace by name that begins before there is a container shows it from its program's first check
/// on, and nothing else.
pub fn to_come(engine: &Engine) -> Result<()> {
    engine.prepare()?;
    let tracer = Tracer::start(&["trace", "-o", "json", "--container", engine.name])?;
    let running = engine.start()?;
    wait_until("the program asks twice", || {
        Ok(tracer.printed()?.matches(r#""comm":"cat""#).count() > 1)
    })?;
    let finished = tracer.stop(libc::SIGINT)?;
    let told = format!("container {} was started 1×", engine.name);
    ensure!(
        finished.stderr.contains("waiting for it to start")
            && finished.stderr.contains(&told)
            && !finished.stderr.contains("missing"),
        "{}",
        finished.stderr
    );
    let (rows, _) = finished.parse::<Value>()?;
    let of_program =
        |row: &&Value| row["comm"] == "chroot" && row["capability"] == "CAP_SYS_CHROOT";
    ensure!(
        rows.iter().any(|row| of_program(&row)),
        "its first check is missing: {rows:?}"
    );
    let expected = expected(engine, &running.id);
    for row in rows.iter().filter(|row| row["comm"] == "cat") {
        ensure!(row["container"] == expected, "{row}");
    }
    Ok(())
}

/// It is followed when it is started again, and when another is made under its name.
pub fn again() -> Result<()> {
    let first = PODMAN.start()?;
    let name = PODMAN.name;
    let tracer = Tracer::start(&["trace", "-o", "json", "-c", "chroot", "--container", name])?;
    root(&format!("podman restart -t 0 {name}"))?;
    let asked = |times: usize| {
        let printed = || Ok(tracer.printed()?.lines().count() >= times);
        wait_until("its program asks again", printed)
    };
    asked(1)?;
    let id = first.id.clone();
    drop(first);
    let second = PODMAN.start()?;
    asked(2)?;
    let second = second.id.clone();
    let finished = tracer.stop(libc::SIGINT)?;
    let told = format!("container {name} was restarted 2×");
    ensure!(finished.stderr.contains(&told), "{}", finished.stderr);
    let (rows, _) = finished.parse::<Value>()?;
    let ids: Vec<_> = rows.iter().map(|row| &row["container"]["id"]).collect();
    ensure!(ids == [id.as_str(), second.as_str()], "{ids:?}");
    Ok(())
}

/// A profile that begins before there is a container has what its program needed first.
pub fn profile_to_come() -> Result<()> {
    PODMAN.prepare()?;
    let name = PODMAN.name;
    root(&format!(
        "cd /run; capable profile --container {name} -o json >profile 2>profile.said & \
         echo $! >profile.pid; \
         timeout 60 sh -c 'until grep -q counting profile.said; do sleep 0.2; done'"
    ))?;
    let _running = PODMAN.start()?;
    let report = root(
        "cd /run; pid=$(cat profile.pid); kill $pid; \
         timeout 60 sh -c \"while [ -e /proc/$pid ]; do sleep 0.2; done\"; \
         cat profile profile.said",
    )?;
    for part in ["CAP_SYS_CHROOT", "was started 1×"] {
        ensure!(report.contains(part), "no {part:?}: {report}");
    }
    Ok(())
}
