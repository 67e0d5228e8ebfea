//! Kernels that provide less: what can be shown is shown, and what cannot is reported.

use std::fs;
use std::io;

use anyhow::{Context as _, Result, bail, ensure};

use super::Bench;
use super::act::{Actor, check_setuid};
use crate::guest::rows::Row;
use crate::guest::scene::in_virtual_machine;
use crate::guest::syscall::call;
use crate::guest::tracer::{Finished, Tracer};

/// Makes one check of `CAP_SETUID` under `capable -o json` with further arguments.
fn one_check(arguments: &[&str]) -> Result<(Row, Finished)> {
    let actor = Actor::prepare(b"degraded", check_setuid)?;
    let pid = actor.pid().to_string();
    let mut all = vec!["-o", "json", "-p", &pid];
    all.extend(arguments);
    let tracer = Tracer::start(&all)?;
    actor.run()?;
    let finished = tracer.stop(libc::SIGINT)?;
    let (rows, _) = finished.parse::<Row>()?;
    let row = rows
        .into_iter()
        .find(|row| row.capability_number == 7)
        .with_context(|| format!("the check is not shown; it says {:?}", finished.stderr))?;
    ensure!(
        row.result.as_deref() == Some("granted"),
        "a check without its result: {row:?}"
    );
    Ok((row, finished))
}

/// `kernel.kptr_restrict` of 2 hides the addresses of functions from everybody.
pub fn hidden_symbols(bench: &Bench) -> Result<()> {
    const SETTING: &str = "/proc/sys/kernel/kptr_restrict";
    if !in_virtual_machine() {
        // It is a setting for the whole machine.
        return Ok(());
    }
    let before = fs::read_to_string(SETTING)?;
    fs::write(SETTING, "2")?;
    let result = bench.hooks().try_for_each(|way| {
        // A check whose audit flag is not known is shown with -v only.
        let (row, finished) = one_check(&["-v", "--hook", way.hook])?;
        ensure!(
            row.caller.is_none(),
            "{}: a caller without symbols: {row:?}",
            way.hook
        );
        ensure!(
            finished.stderr.contains("kptr_restrict"),
            "{}: it does not say why: {:?}",
            way.hook,
            finished.stderr
        );
        Ok(())
    });
    fs::write(SETTING, before.trim())?;
    result
}

/// A kernel without BTF: the pair of probes provides the result, and what needs BTF is reported.
pub fn hidden_btf(_: &Bench) -> Result<()> {
    const BTF: &std::ffi::CStr = c"/sys/kernel/btf";
    if !in_virtual_machine() {
        // Hiding it would hide it from everyone.
        return Ok(());
    }
    let failed = io::Error::from_raw_os_error;
    call!(SYS_mount, c"nothing", BTF, c"tmpfs", 0, 0)
        .map_err(failed)
        .context("cannot hide BTF")?;
    let result = one_check(&[]);
    call!(SYS_umount2, BTF, 0).map_err(failed)?;
    let (row, finished) = result?;
    ensure!(
        finished.stderr.contains("kretprobe") && finished.stderr.contains("BTF"),
        "it does not say how and why: {:?}",
        finished.stderr
    );
    ensure!(
        row.audit == Some(true) && !finished.stderr.contains("audit flag"),
        "it did not learn what the audit argument means: {row:?}, {:?}",
        finished.stderr
    );
    ensure!(
        row.granted_by.is_none() && row.credentials.is_none_or(|cred| cred.owner.is_none()),
        "it guesses"
    );
    Ok(())
}

/// Whether this machine was booted with `lockdown=confidentiality`.
pub fn is_locked_down() -> bool {
    fs::read_to_string("/sys/kernel/security/lockdown")
        .is_ok_and(|modes| modes.contains("[confidentiality]"))
}

/// With `lockdown=confidentiality` it traces with what is left, or reports lockdown as the cause.
pub fn lockdown(_: &Bench) -> Result<()> {
    match one_check(&[]) {
        Ok((row, finished)) => {
            println!(
                "  it says: {}",
                finished.stderr.trim().replace('\n', "\n  ")
            );
            println!("  it shows: {row:?}");
            Ok(())
        }
        Err(error) => {
            let said = format!("{error:#}");
            if said.contains("lockdown") && !said.contains("panicked") {
                println!("  {said}");
                return Ok(());
            }
            bail!("it does not name lockdown: {said}")
        }
    }
}
