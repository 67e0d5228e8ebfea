//! CPUs that go offline and online during a trace.

use std::fs;
use std::io;

use anyhow::{Context as _, Result, ensure};

use super::Bench;
use super::act::{Actor, check_setuid};
use crate::guest::processors::move_to_the_second;
use crate::guest::tracer::{Summary, Tracer};

/// How many checks are made on the CPU.
const CHECKS: usize = 20;

/// The message about checks whose CPU has no buffer.
const CAUSE: &str = "their processor came online or went offline";

/// The second CPU, offline. Dropping this brings it back online.
struct Offline;

impl Offline {
    const SWITCH: &'static str = "/sys/devices/system/cpu/cpu1/online";

    fn take() -> io::Result<Self> {
        fs::write(Self::SWITCH, "0").map(|()| Self)
    }
}

impl Drop for Offline {
    fn drop(&mut self) {
        // The following tests get by with one CPU too.
        let _ = fs::write(Self::SWITCH, "1");
    }
}

/// Checks on a CPU that was offline when the trace began, or for a while during it: a perf buffer
/// loses them and the program says why, the ring buffer shows them.
pub fn told_apart(_: &Bench) -> Result<()> {
    for transport in ["perf", "ring"] {
        for before in [true, false] {
            let actor = Actor::prepare(b"hotplug", || {
                move_to_the_second().is_ok() && (0..CHECKS).all(|_| check_setuid())
            })?;
            let pid = actor.pid().to_string();
            let start = || Tracer::start(&["-p", &pid, "--transport", transport]);
            let offline = Offline::take().context("cannot take a processor offline")?;
            let (tracer, offline) = if before {
                (start()?, offline)
            } else {
                drop(offline);
                (start()?, Offline::take()?)
            };
            drop(offline);
            actor.run()?;
            let finished = tracer.stop(libc::SIGINT)?;
            let said = &finished.stderr;
            let summary = Summary::find(said).with_context(|| format!("no summary: {said}"))?;
            let told = said.contains(CAUSE) && !said.contains("the buffer was full");
            let (shown, lost) = (summary.shown as usize, summary.lost as usize);
            let expected = match transport {
                "perf" => shown == 0 && lost == CHECKS && told,
                _ => shown == CHECKS && lost == 0 && !told,
            };
            let when = if before { "before" } else { "meanwhile" };
            ensure!(expected, "{transport}, offline {when}: {said}");
        }
    }
    Ok(())
}
