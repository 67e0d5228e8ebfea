//! Stacks of the kernel and of programs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::Bench;
use super::act::{Actor, check_setuid};
use crate::guest::capabilities::SYS_NICE;
use crate::guest::exceptions::{Field, may_be_unknown};
use crate::guest::folder::file;
use crate::guest::rows::{Frame, Row};
use crate::guest::scene::in_virtual_machine;
use crate::guest::syscall::call;
use crate::guest::tracer::Tracer;

/// The prefixes of a tracer's frames: its programs, their trampolines, and the probes that call
/// them.
const TRACER_FRAMES: &[&str] = &[
    "bpf_",
    "__bpf_",
    "trace_call_bpf",
    "kprobe_",
    "kretprobe_",
    "ftrace_",
    "arch_ftrace",
    "fprobe_",
    "aggr_pre_handler",
    "optimized_callback",
    "perf_trace_",
    "__traceiter_",
    "trampoline_",
    "arch_rethook",
    "rethook_",
];

/// `-K` for nice: shows the functions that lead to the check, and none of the tracer's.
pub fn nice(bench: &Bench) -> Result<()> {
    for way in &bench.ways {
        let actor = Actor::prepare(b"nice", || {
            call!(SYS_setpriority, libc::PRIO_PROCESS, 0, -5).is_ok()
        })?;
        let pid = actor.pid().to_string();
        let tracer =
            Tracer::start(&[&["-K", "-p", &pid, "-o", "json"][..], &way.options()].concat())?;
        actor.run()?;
        let (rows, _) = tracer.rows()?;
        let name = format!("{} {}", way.hook, way.transport);
        let row = rows
            .iter()
            .find(|row| row.capability_number == i32::from(SYS_NICE.number))
            .with_context(|| format!("{name}: no row for nice"))?;
        let stack = row
            .kernel_stack
            .as_ref()
            .with_context(|| format!("{name}: no stack"))?;
        let functions: Vec<&str> = stack
            .iter()
            .map(|frame| frame.function.as_deref().unwrap_or("?"))
            .collect();
        ensure!(
            functions.first() == Some(&"cap_capable")
                || (functions.first() == Some(&"security_capable")
                    && may_be_unknown(way.hook, Field::InnermostFrame)),
            "{name}: the stack does not begin with the check: {functions:?}"
        );
        ensure!(
            functions.contains(&"can_nice"),
            "{name}: no can_nice in {functions:?}"
        );
        ensure!(
            functions.iter().any(|name| name.contains("setpriority")),
            "{name}: the stack does not reach the system call: {functions:?}"
        );
        for function in &functions {
            ensure!(
                !TRACER_FRAMES
                    .iter()
                    .any(|frame| function.starts_with(frame)),
                "{name}: a frame of the tracer: {functions:?}"
            );
        }
    }
    Ok(())
}

/// How long a program stays alive after its check, because its functions are named only while it
/// is.
const STAY: Duration = Duration::from_secs(2);

/// `-U`: the function that made the system call, in a program with symbols, in a C library that
/// has the names of its exported functions only, and in a stripped program, which has none.
pub fn user(bench: &Bench) -> Result<()> {
    for way in bench.hooks() {
        let actor = Actor::prepare(b"symbols", || {
            let granted = check_setuid();
            sleep(STAY);
            granted
        })?;
        let pid = actor.pid().to_string();
        let rust = user_stack(way.hook, &["-p", &pid], || actor.run())?;
        // The C library that this program is linked with.
        expect(way.hook, &rust, Some("syscall"), None)?;

        let busybox = || run("busybox", &["chroot", "/", "busybox", "sleep", "2"]);
        let stripped = || user_stack(way.hook, &["-C", "sys_chroot"], busybox);
        let expected = |stack: Vec<Frame>| expect(way.hook, &stack, None, Some("busybox"));
        // It executes itself immediately after its check: a reader that comes in between finds no
        // program, so it gets several attempts.
        let mut tried = stripped().and_then(expected);
        for _ in 1..TRIES {
            if tried.is_err() {
                tried = stripped().and_then(expected);
            }
        }
        tried?;

        if Path::new("/usr/bin/python3").exists() && in_virtual_machine() {
            let script = "import os, time; os.setuid(0); time.sleep(2)";
            let python = || run("python3", &["-c", script]);
            let library = user_stack(way.hook, &["-c", "python3*", "-C", "setuid"], python)?;
            expect(way.hook, &library, Some("setuid"), Some("libc.so.6"))?;
        }
    }
    Ok(())
}

/// How many attempts there are for the stack of a program that executes another immediately.
const TRIES: usize = 5;

/// A program that declares a table of symbols of a tebibyte, in a hole of its file: the row has
/// addresses and says why, and the trace goes on to its end.
pub fn forged(bench: &Bench) -> Result<()> {
    let path = file("forged");
    forge(&path)?;
    for way in bench.hooks() {
        let chroot = || {
            let arguments = ["chroot", "/", "busybox", "sleep", "2"];
            let mut command = Command::new(&path);
            ensure!(command.arg0("busybox").args(arguments).status()?.success());
            Ok(())
        };
        let shown = || -> Result<()> {
            let row = user_row(way.hook, &["-C", "sys_chroot"], chroot)?;
            let note = row.user_stack_note.context("no note")?;
            ensure!(
                note.ends_with("forged: they are more than capable reads"),
                "{note}"
            );
            expect(
                way.hook,
                &row.user_stack.unwrap_or_default(),
                None,
                Some("forged"),
            )
        };
        // As above, it may execute another program before its mappings are read.
        let mut tried = shown();
        for _ in 1..TRIES {
            if tried.is_err() {
                tried = shown();
            }
        }
        tried?;
    }
    Ok(())
}

/// A copy of busybox, whose first section is said to be a table of symbols.
fn forge(path: &Path) -> Result<()> {
    const SIZE: u64 = 1 << 40;
    let places = ["/bin/busybox", "/usr/bin/busybox"];
    let busybox = places.iter().find_map(|place| fs::read(place).ok());
    let mut bytes = busybox.context("there is no busybox")?;
    let table = usize::try_from(u64::from_le_bytes(bytes[40..48].try_into()?))?;
    let section = table + 64;
    let hole = (bytes.len() as u64).next_multiple_of(4096);
    // Type (SHT_SYMTAB), offset and size (elf(5)).
    bytes[section + 4..section + 8].copy_from_slice(&2u32.to_le_bytes());
    bytes[section + 24..section + 32].copy_from_slice(&hole.to_le_bytes());
    bytes[section + 32..section + 40].copy_from_slice(&(SIZE - hole).to_le_bytes());
    fs::write(path, &bytes)?;
    fs::OpenOptions::new()
        .write(true)
        .open(path)?
        .set_len(SIZE)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// The user stack of the first check that the filter keeps.
fn user_stack(hook: &str, filter: &[&str], act: impl FnOnce() -> Result<()>) -> Result<Vec<Frame>> {
    user_row(hook, filter, act)?
        .user_stack
        .with_context(|| format!("{hook}: no user stack with {filter:?}"))
}

/// The row of the first check that the filter keeps, with its user stack.
fn user_row(hook: &str, filter: &[&str], act: impl FnOnce() -> Result<()>) -> Result<Row> {
    let mut arguments = vec!["-U", "-o", "json", "--hook", hook];
    arguments.extend(filter);
    let tracer = Tracer::start(&arguments)?;
    act()?;
    let (rows, _) = tracer.rows()?;
    rows.into_iter()
        .next()
        .with_context(|| format!("{hook}: no row with {filter:?}"))
}

fn expect(
    hook: &str,
    frames: &[Frame],
    function: Option<&str>,
    module: Option<&str>,
) -> Result<()> {
    let innermost = frames
        .first()
        .with_context(|| format!("{hook}: an empty stack"))?;
    let in_module = |path: &str| module.is_none_or(|module| path.ends_with(module));
    ensure!(
        innermost.function.as_deref() == function
            && innermost.module.as_deref().is_none_or(in_module)
            && (module.is_none() || innermost.module.is_some()),
        "{hook}: {function:?} of {module:?} made the call, and the stack is {frames:?}"
    );
    Ok(())
}

fn run(program: &str, arguments: &[&str]) -> Result<()> {
    let status = Command::new(program)
        .args(arguments)
        .status()
        .with_context(|| format!("cannot start {program}"))?;
    ensure!(status.success(), "{program} ended with {status}");
    Ok(())
}
