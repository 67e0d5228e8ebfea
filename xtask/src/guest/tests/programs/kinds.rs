//! All kinds of programs under `capable run`, as a user without privileges: a static one, a script,
//! one with an interpreter, a set-user-ID program and one with file capabilities; very many
//! processes; and other processes that are busy at the same time.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::table::{FOLDER, Runs};
use super::{cage, name, names, reasons};
use crate::guest::capabilities::{Capability, DAC_READ_SEARCH, SYS_NICE};
use crate::guest::fork::Child;
use crate::guest::syscall::call;
use crate::guest::tests::Bench;

/// Runs a command under `capable run`: its exit code, and the report.
fn run(options: &str, command: &[&str]) -> Result<(i32, Value)> {
    let file = format!("{FOLDER}/report");
    fs::create_dir_all(FOLDER)?;
    let output = Command::new("capable")
        .args(["run", "-o", "json", "--report", &file])
        .args(options.split_whitespace())
        .arg("--")
        .args(command)
        .stdin(Stdio::null())
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let code = output
        .status
        .code()
        .context("capable was ended by a signal")?;
    let report: Value =
        serde_json::from_slice(&fs::read(&file)?).with_context(|| format!("no report: {said}"))?;
    ensure!(
        report["incomplete"].is_null(),
        "something was lost: {}",
        report["incomplete"]
    );
    Ok((code, report))
}

/// Checks that a command works as nobody with the one capability that it needs, and not without it.
/// Returns the report.
fn needs_one(capability: Capability, command: &[&str]) -> Result<Value> {
    let name = name(capability);
    let (code, report) = run(&format!("--user nobody --caps {name}"), command)?;
    ensure!(
        code == 0 && names(&report["needed"])? == [name.as_str()],
        "{command:?} ended with {code}: {}",
        reasons(&report)
    );
    let mut without = cage(Runs::Nobody, [].iter());
    without.extend(command.iter().map(|&word| word.to_owned()));
    let (program, arguments) = without.split_first().context("no program")?;
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()?;
    ensure!(!output.status.success(), "{command:?} works without {name}");
    Ok(report)
}

/// The class of a capability in a report; empty if it was not asked for.
pub fn class<'a>(report: &'a Value, capability: &str) -> &'a str {
    report["capabilities"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|each| each["capability"] == capability)
        .and_then(|each| each["class"].as_str())
        .unwrap_or_default()
}

/// A file in the directory that everyone may execute.
fn program(name: &str, content: impl AsRef<[u8]>, mode: u32) -> Result<String> {
    fs::create_dir_all(FOLDER)?;
    let file = format!("{FOLDER}/{name}");
    fs::write(&file, content)?;
    fs::set_permissions(&file, Permissions::from_mode(mode))?;
    Ok(file)
}

/// This very program, which guests have linked statically.
pub fn linked_statically(_: &Bench) -> Result<()> {
    ensure!(
        !has_interpreter(&fs::read("/proc/self/exe")?)?,
        "this program has an interpreter"
    );
    needs_one(SYS_NICE, &["xtask", "guest", "asks", "priority"])?;
    Ok(())
}

/// Whether an ELF file of 64 bits names its interpreter (elf(5), `PT_INTERP`).
fn has_interpreter(file: &[u8]) -> Result<bool> {
    const PT_INTERP: u32 = 3;
    let half = |at: usize| -> Option<usize> {
        Some(u16::from_le_bytes(file.get(at..at + 2)?.try_into().ok()?).into())
    };
    let header = || -> Option<(usize, usize, usize)> {
        let offset = u64::from_le_bytes(file.get(32..40)?.try_into().ok()?);
        Some((usize::try_from(offset).ok()?, half(54)?, half(56)?))
    };
    let (offset, size, count) = header().context("not an ELF file")?;
    Ok((0..count).any(|number| {
        let at = offset + number * size;
        file.get(at..at + 4) == Some(&PT_INTERP.to_le_bytes())
    }))
}

/// A shell that reads what it may not as an ordinary user, with this name for its script.
pub fn script(_: &Bench) -> Result<()> {
    // With a complete line, so that read(1) succeeds.
    let secret = program("secret", "text\n", 0o600)?;
    let script = program("reader", format!("#!/bin/sh\nread line <{secret}\n"), 0o755)?;
    let report = needs_one(DAC_READ_SEARCH, &[&script])?;
    let who = &report["capabilities"][0]["programs"][0]["name"];
    ensure!(who == "reader", "the script is called {who}");
    Ok(())
}

/// Python.
pub fn interpreted(_: &Bench) -> Result<()> {
    needs_one(SYS_NICE, &["python3", "-c", "import os; os.nice(-5)"])?;
    Ok(())
}

/// A set-user-ID program gains what it needs, but not with no_new_privs.
pub fn set_user_id(_: &Bench) -> Result<()> {
    let nice = program("set-user-id", fs::read("/usr/bin/nice")?, 0o4755)?;
    gains(&nice)
}

/// The same for a program with file capabilities.
pub fn file_capabilities(_: &Bench) -> Result<()> {
    let nice = program("file-capabilities", fs::read("/usr/bin/nice")?, 0o755)?;
    let set = Command::new("setcap")
        .args(["cap_sys_nice+ep", &nice])
        .status()
        .context("cannot run setcap")?;
    ensure!(set.success(), "setcap ended with {set}");
    gains(&nice)
}

/// nice(1), which reports what it could not do and executes the program anyway.
fn gains(nice: &str) -> Result<()> {
    let command = [nice, "-n", "-5", "true"];
    let (_, report) = run("--user nobody", &command)?;
    ensure!(
        names(&report["needed"])? == ["CAP_SYS_NICE"],
        "not gained: {}",
        reasons(&report)
    );
    let (_, report) = run("--user nobody --no-new-privs", &command)?;
    ensure!(
        class(&report, "CAP_SYS_NICE") == "denied" && names(&report["needed"])?.is_empty(),
        "gained in spite of no_new_privs: {}",
        reasons(&report)
    );
    let notes = names(&report["notes"])?;
    ensure!(
        notes
            .iter()
            .any(|note| note.contains("no_new_privs") && note.contains(nice)),
        "not explained: {notes:?}"
    );
    Ok(())
}

/// A script forks 2,000 times: they and the script are counted, and all that they ask for is noise.
pub fn forks(_: &Bench) -> Result<()> {
    let script = program(
        "forks",
        "#!/bin/sh\ni=0\nwhile [ $i -lt 2000 ]; do (:); i=$((i+1)); done\n",
        0o755,
    )?;
    let (code, report) = run("", &[&script])?;
    ensure!(code == 0, "the script ended with {code}");
    ensure!(
        report["processes"] == 2001,
        "{} processes",
        report["processes"]
    );
    ensure!(
        names(&report["needed"])?.is_empty() && class(&report, "CAP_SYS_ADMIN") == "advisory",
        "not only noise: {}",
        reasons(&report)
    );
    let checks = &report["capabilities"][0]["counts"]["checks"];
    ensure!(
        checks.as_u64() > Some(2000),
        "{checks} checks of 2,000 forks"
    );
    Ok(())
}

/// Other processes make system calls as fast as they can: none of the command's checks are lost.
pub fn others_are_busy(_: &Bench) -> Result<()> {
    let busy = (0..3)
        .map(|_| {
            Child::start(|| {
                loop {
                    let _ = call!(SYS_getppid);
                }
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let result = run("", &["sh", "-ec", "sleep 0.3; nice -n -5 true"]);
    drop(busy);
    let (_, report) = result?;
    if names(&report["needed"])? != ["CAP_SYS_NICE"] {
        bail!("not what it needs: {}", reasons(&report));
    }
    Ok(())
}
