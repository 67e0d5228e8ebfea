//! Kernels and users that allow less: the program reports what it cannot provide and why, and
//! provides the rest.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::Bench;
use super::act::{Actor, check_setuid};
use crate::guest::folder;
use crate::guest::identity::{USER, become_user};
use crate::guest::scene::in_virtual_machine;
use crate::guest::syscall::{Argument, call};
use crate::guest::tracer::{Prepare, Tracer};

/// Root is told that tracing works, and everyone else what is missing.
pub fn doctor(_: &Bench) -> Result<()> {
    let (code, report, text) = ask_doctor(|| Ok(()))?;
    ensure!(
        code == Some(0) && report["works"] == true && text.contains("Tracing will work"),
        "as root: exit {code:?}: {text}"
    );
    let (code, report, text) = ask_doctor(|| become_user(USER))?;
    ensure!(
        code == Some(1) && report["works"] == false && text.contains("Tracing will not work"),
        "as a user: exit {code:?}: {text}"
    );
    ensure!(
        text.contains("CAP_BPF") && text.contains("CAP_PERFMON") && text.contains("sudo"),
        "no way out: {text}"
    );
    Ok(())
}

/// `kernel.kptr_restrict=2`: no addresses, so no names of functions.
pub fn hidden_addresses(_: &Bench) -> Result<()> {
    let Some(_setting) = Setting::change("kernel/kptr_restrict", "2")? else {
        println!("  it would hide addresses from everybody on this machine: not tried");
        return Ok(());
    };
    let rows = traces(|| Ok(()), &["kptr_restrict"])?;
    for row in rows {
        ensure!(row["caller"].is_null(), "a caller from nowhere: {row}");
    }
    Ok(())
}

/// No type information: credentials cannot be read.
pub fn hidden_btf(bench: &Bench) -> Result<()> {
    if !bench.ways.iter().any(|way| way.hook == "kretprobe") {
        println!("  no hook of this kernel works without BTF: not tried");
        return Ok(());
    }
    let rows = traces(hide_btf, &["BTF"])?;
    for row in rows {
        ensure!(
            row["credentials"]["owner"].is_null() && row["target_namespace"]["inode"].is_null(),
            "read without knowing where: {row}"
        );
    }
    Ok(())
}

/// `lockdown=confidentiality`, until the machine is shut down.
pub fn lockdown(_: &Bench) -> Result<()> {
    const PATH: &str = "/sys/kernel/security/lockdown";
    if !in_virtual_machine() {
        println!("  it would lock this machine down: not tried");
        return Ok(());
    }
    fs::write(PATH, "confidentiality").with_context(|| format!("cannot write {PATH}"))?;
    traces(|| Ok(()), &["lockdown=confidentiality"])?;
    Ok(())
}

/// Runs `doctor`, and traces what a program of root and one of a user do, both after `prepare`.
/// Both must name what is missing; returns the rows.
pub fn traces(prepare: fn() -> io::Result<()>, named: &[&str]) -> Result<Vec<Value>> {
    let (code, report, text) = ask_doctor(prepare)?;
    ensure!(
        code == Some(0) && report["works"] == true,
        "doctor: exit {code:?}: {text}"
    );
    let granted = Actor::prepare(b"granted", check_setuid)?;
    let denied = Actor::prepare(b"denied", || {
        become_user(USER).is_ok() && !check_setuid() && check_setgroups().is_err()
    })?;
    let tracer = Tracer::start_after(
        // Unaudited ones too: if nothing tells which they are, others are left out.
        &[
            "-v",
            "-o",
            "json",
            "-C",
            "setuid,setgid",
            "-c",
            "granted",
            "-c",
            "denied",
        ],
        Prepare::Child(prepare),
    )?;
    granted.run()?;
    denied.run()?;
    let finished = tracer.stop(libc::SIGINT)?;
    for name in named {
        ensure!(text.contains(name), "doctor does not name {name}: {text}");
        ensure!(
            finished.stderr.contains(name),
            "a trace does not name {name}: {}",
            finished.stderr
        );
    }
    println!("  {}", finished.stderr.lines().next().unwrap_or_default());
    let (rows, summary) = finished.parse::<Value>()?;
    ensure!(summary.lost == 0, "lost: {summary:?}");
    for (comm, result) in [("granted", "granted"), ("denied", "denied")] {
        let found = rows.iter().any(|row| {
            row["comm"] == comm && row["capability"] == "CAP_SETUID" && row["result"] == result
        });
        ensure!(found, "no row of {comm} in {rows:?}");
    }
    Ok(rows)
}

fn check_setgroups() -> Result<i64, i32> {
    call!(SYS_setgroups, 0, 0)
}

/// The exit code, the report in JSON, and the report in words.
fn ask_doctor(prepare: fn() -> io::Result<()>) -> Result<(Option<i32>, Value, String)> {
    let ask = |arguments: &[&str]| {
        let mut command = Command::new("capable");
        command
            .args(arguments)
            .current_dir("/")
            .stdin(Stdio::null());
        // SAFETY: the closure makes system calls and writes files only; this process has one
        // thread.
        unsafe { command.pre_exec(prepare) };
        command.output().context("cannot start capable")
    };
    let words = ask(&["doctor"])?;
    let json = ask(&["doctor", "-o", "json"])?;
    ensure!(
        words.status.code() == json.status.code(),
        "doctor ends with {} and with {}",
        words.status,
        json.status
    );
    let report = serde_json::from_slice(&json.stdout).with_context(|| {
        format!(
            "doctor wrote no JSON: {}",
            String::from_utf8_lossy(&json.stderr)
        )
    })?;
    let text = String::from_utf8_lossy(&words.stdout).into_owned();
    Ok((words.status.code(), report, text))
}

/// A sysctl that is restored at the end.
pub struct Setting {
    path: String,
    before: String,
}

impl Setting {
    /// Changes it, but only in a virtual machine: elsewhere the setting is not ours to change.
    pub fn change(name: &str, value: &str) -> Result<Option<Self>> {
        if !in_virtual_machine() {
            return Ok(None);
        }
        let path = format!("/proc/sys/{name}");
        let before = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        fs::write(&path, value).with_context(|| format!("cannot write {path}"))?;
        Ok(Some(Self { path, before }))
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        // Nothing can be done about a setting that cannot be restored.
        let _ = fs::write(&self.path, &self.before);
    }
}

/// Hides the kernel's type information from the calling process, behind an empty file.
fn hide_btf() -> io::Result<()> {
    let failed = io::Error::from_raw_os_error;
    let empty = folder::file("empty");
    fs::write(&empty, "")?;
    let empty = CString::new(empty.as_os_str().as_bytes())?;
    call!(SYS_unshare, libc::CLONE_NEWNS).map_err(failed)?;
    call!(SYS_mount, 0, c"/", 0, libc::MS_REC | libc::MS_PRIVATE, 0).map_err(failed)?;
    call!(
        SYS_mount,
        empty.as_c_str(),
        c"/sys/kernel/btf/vmlinux",
        0,
        libc::MS_BIND,
        0
    )
    .map_err(failed)?;
    Ok(())
}

/// `struct __user_cap_header_struct` of version 3 (include/uapi/linux/capability.h).
#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

/// The version with two words in each set.
const HEADER: Header = Header {
    version: 0x2008_0522,
    pid: 0,
};

/// Gives the calling process these sets, if it may have them.
///
/// # Errors
/// What capget(2) and capset(2) answer.
pub fn set_capabilities(effective: u64, permitted: u64, inheritable: u64) -> io::Result<()> {
    let failed = io::Error::from_raw_os_error;
    // For each half effective, permitted, inheritable.
    let mut held = [0_u32; 6];
    call!(
        SYS_capget,
        Argument::read(&HEADER),
        Argument::write(&mut held)
    )
    .map_err(failed)?;
    let [.., low, _, _, high, _] = held;
    let own = u64::from(low) | u64::from(high) << 32;
    let (permitted, inheritable) = (permitted & own, inheritable & own);
    let effective = effective & permitted;
    let half = |set: u64, shift| (set >> shift & u64::from(u32::MAX)) as u32;
    let mut data = [0_u32; 6];
    for (words, shift) in data.chunks_exact_mut(3).zip([0, 32]) {
        words.copy_from_slice(&[
            half(effective, shift),
            half(permitted, shift),
            half(inheritable, shift),
        ]);
    }
    call!(SYS_capset, Argument::read(&HEADER), Argument::read(&data)).map_err(failed)?;
    Ok(())
}

/// Makes the calling process a user who holds these capabilities, and keeps them when it executes
/// a program.
///
/// # Errors
/// What the kernel answers to the first step that fails.
pub fn hold_only(user: u32, capabilities: u64) -> io::Result<()> {
    // include/uapi/linux/prctl.h
    const PR_CAP_AMBIENT_RAISE: i32 = 2;
    let failed = io::Error::from_raw_os_error;
    call!(SYS_prctl, libc::PR_SET_KEEPCAPS, 1, 0, 0, 0).map_err(failed)?;
    become_user(user)?;
    set_capabilities(capabilities, capabilities, capabilities)?;
    for number in (0..64_i32).filter(|number| capabilities >> number & 1 != 0) {
        call!(
            SYS_prctl,
            libc::PR_CAP_AMBIENT,
            PR_CAP_AMBIENT_RAISE,
            number,
            0,
            0
        )
        .map_err(failed)?;
    }
    Ok(())
}
