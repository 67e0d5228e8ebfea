//! When rows appear.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::Bench;
use super::act::{Actor, check_setuid};
use crate::guest::tracer::Tracer;

/// A user who follows a file sees a row soon after the check, not when a buffer is full.
pub fn rows_arrive_while_it_runs(bench: &Bench) -> Result<()> {
    const SOON: Duration = Duration::from_secs(3);
    for way in &bench.ways {
        let tracer = Tracer::start(&[&["-o", "json"][..], &way.options()].concat())?;
        let actor = Actor::prepare(b"soon", check_setuid)?;
        let start = Instant::now();
        actor.run()?;
        while !tracer.printed()?.contains("\"soon\"") {
            if start.elapsed() > SOON {
                bail!("{} {}: no row after {SOON:?}", way.hook, way.transport);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    Ok(())
}
