//! `capable profile --unit` on a service of the guest.
//!
//! Guests have no systemd running. `--unit` looks for the cgroup that systemd would have created,
//! `system.slice/NAME.service`; it is created here, and the service moves itself into it before it
//! is executed, as systemd's child does.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::play::{Running, shell};
use super::table::{FOLDER, PROGRAMS, Program, Works};
use super::{complete_report, list, names, reasons};
use crate::guest::syscall::call;
use crate::guest::tests::Bench;

/// The unit.
const UNIT: &str = "capable-nginx";

/// A restart of the service while it is profiled needs what the table says, and Ctrl-C ends it.
pub fn restarted(_: &Bench) -> Result<()> {
    let service = Service::new("nginx")?;
    let mut nginx = service.start()?;
    let mut profile = profile(&[])?;
    nginx.terminate()?;
    let mut nginx = service.start()?;
    call!(SYS_kill, profile.id(), libc::SIGINT)
        .map_err(io::Error::from_raw_os_error)
        .context("the profile ended early")?;
    let report = read(&mut profile)?;
    nginx.terminate()?;
    let needed = names(&report["needed"])?;
    ensure!(
        needed == list(service.program.needs),
        "needs {needed:?} in place of {:?}: {}",
        list(service.program.needs),
        reasons(&report)
    );
    ensure!(
        report["subject"]
            .as_str()
            .is_some_and(|subject| subject.contains(UNIT)),
        "of another: {}",
        report["subject"]
    );
    Ok(())
}

/// An idle service needs nothing, and a profile ends when its time is up.
pub fn timed(_: &Bench) -> Result<()> {
    let service = Service::new("nginx")?;
    let mut nginx = service.start()?;
    let mut profile = profile(&["--duration", "1s"])?;
    let report = read(&mut profile)?;
    nginx.terminate()?;
    ensure!(
        names(&report["needed"])?.is_empty(),
        "it needs: {}",
        reasons(&report)
    );
    let took = report["duration_ns"].as_u64().context("no duration")?;
    ensure!(
        took >= 1_000_000_000,
        "asked for 1 s, and ended after {took} ns"
    );
    Ok(())
}

/// A program of the table as a unit.
struct Service {
    program: &'static Program,
    cgroup: PathBuf,
}

impl Service {
    fn new(name: &str) -> Result<Self> {
        let program = PROGRAMS
            .iter()
            .find(|program| program.name == name)
            .with_context(|| format!("{name} is not in the table"))?;
        let cgroup = Path::new("/sys/fs/cgroup/system.slice").join(format!("{UNIT}.service"));
        fs::create_dir_all(&cgroup)?;
        Ok(Self { program, cgroup })
    }

    /// Starts it in its cgroup, and waits until it has served once.
    fn start(&self) -> Result<Running> {
        let said = shell(self.program.prepare)?;
        ensure!(said.is_empty(), "it cannot be prepared: {said:?}");
        let enter = format!(
            "echo $$ >{}/cgroup.procs; exec \"$@\"",
            self.cgroup.display()
        );
        let before = ["sh", "-ec", &enter, "sh"].map(str::to_owned);
        let mut running = Running::start(&before, self.program.command, "service")?;
        if let Works::Serves(ready, script) = &self.program.works {
            ensure!(
                running.becomes(ready)?,
                "it does not serve: {}",
                running.said()?
            );
            // The port is open before a worker is ready.
            let failed = running.asked_by(script)?;
            ensure!(failed.is_empty(), "it does not serve: {failed:?}");
        }
        Ok(running)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may still be busy; then it stays, and is soon empty.
        let _ = fs::remove_dir(&self.cgroup);
    }
}

/// Starts to profile the unit, and waits until it counts.
fn profile(more: &[&str]) -> Result<Running> {
    let mut command = vec!["capable", "profile", "--unit", UNIT, "-o", "json"];
    command.extend(more);
    let mut running = Running::start(&[], &command, "profile")?;
    ensure!(
        running.becomes(&super::table::Ready::Says(
            "capable: counting the checks of "
        ))?,
        "it does not count: {}",
        running.said()?
    );
    Ok(running)
}

/// Waits for the end of a profile and reads its report.
fn read(profile: &mut Running) -> Result<Value> {
    let status = profile.end()?;
    ensure!(
        status.success(),
        "it ended with {status}: {}",
        profile.said()?
    );
    complete_report(&format!("{FOLDER}/profile.stdout"))
}
