//! Task names can contain any bytes.

use anyhow::{Result, ensure};

use super::Bench;
use super::act::{Actor, check_setuid};
use crate::guest::tracer::Tracer;

/// Red, bell, clear the screen.
const STEERING: &[u8] = b"\x1b[31mA\x07\x1b[2J";

/// No byte that a terminal would act on reaches it.
pub fn escapes_are_harmless(_: &Bench) -> Result<()> {
    let actor = Actor::prepare(STEERING, check_setuid)?;
    let pid = actor.pid().to_string();
    let tracer = Tracer::start(&["-p", &pid])?;
    actor.run()?;
    let finished = tracer.stop(libc::SIGINT)?;
    let row = finished.stdout.lines().find(|line| line.contains("SETUID"));
    let Some(row) = row else {
        anyhow::bail!("no row of the process: {:?}", finished.stdout);
    };
    ensure!(row.contains("[31mA"), "the name is not there: {row:?}");
    let obeyed = |c: char| c.is_control() && c != '\n';
    ensure!(
        !finished.stdout.contains(obeyed),
        "control characters reach the terminal: {:?}",
        finished.stdout
    );
    Ok(())
}

/// JSON gives the same bytes back.
pub fn json_keeps_it(_: &Bench) -> Result<()> {
    for name in [STEERING, b"a\"b\\c", "\u{fc}ber \u{2764}".as_bytes()] {
        let actor = Actor::prepare(name, check_setuid)?;
        let pid = actor.pid().to_string();
        let tracer = Tracer::start(&["-p", &pid, "-o", "json"])?;
        actor.run()?;
        let (rows, _) = tracer.rows()?;
        ensure!(
            rows.iter().any(|row| row.comm.as_bytes() == name),
            "{name:?} became {:?}",
            rows.iter().map(|row| &row.comm).collect::<Vec<_>>()
        );
    }
    Ok(())
}
