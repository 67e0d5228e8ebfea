//! Tries the proofs on the running kernel while it is traced.

use std::fs;
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, ensure};
use libc::pid_t;

use super::judge::{Tried, judge};
use super::{Proof, Taken, cage, table};
use crate::atlas::kernels::Version;
use crate::atlas::{self, line::Line};
use crate::guest::folder::Folder;
use crate::guest::fork::Child;
use crate::guest::identity::Identity;
use crate::guest::kernel;
use crate::guest::runner::{Message, inherited_pipe, set_name};
use crate::guest::scene::{Scene, in_virtual_machine};
use crate::guest::syscall::call;
use crate::guest::tests::Bench;
use crate::guest::tracer::Tracer;

/// The name of a process while it acts.
const ACTING: &str = "proof";
/// The copy of the atlas that guests have.
const ATLAS: &str = "/vm/atlas";
/// After how many seconds a process that hangs is ended.
const LIMIT: u32 = 20;
/// Modules whose sites are tried, if the guest has them.
const MODULES: [&str; 13] = [
    "bridge",
    "dummy",
    "fuse",
    "inet_diag",
    "iptable_filter",
    "ipvlan",
    "loop",
    "macvlan",
    "nf_tables",
    "overlay",
    "tun",
    "unix_diag",
    "veth",
];

/// `xtask guest proofs`: tries those whose site has one of these names in it, or all, and says how
/// each went.
///
/// # Errors
/// When they cannot be tried at all, as on a machine that they would change.
pub fn command(names: &[String]) -> Result<ExitCode> {
    let wanted = |proof: &Proof| {
        names.is_empty() || names.iter().any(|name| proof.sites.contains(name.as_str()))
    };
    ensure!(
        in_virtual_machine(),
        "proofs change the machine: they run in guests only"
    );
    let _folder = Folder::make()?;
    let scene = Scene::build()?;
    let wrong = prove(&scene, wanted, true)?;
    Ok(ExitCode::from(u8::from(wrong != 0)))
}

/// Every line of the atlas that can be tried on this kernel is as it says.
///
/// # Errors
/// When one is not.
pub fn test(bench: &Bench) -> Result<()> {
    let wrong = prove(&bench.scene, |_| true, false)?;
    ensure!(wrong == 0, "{wrong} proofs failed");
    Ok(())
}

/// Tries these proofs, tells what went wrong, and returns how many did.
fn prove(scene: &Scene, wanted: impl Fn(&Proof) -> bool, tell_all: bool) -> Result<usize> {
    let atlas = atlas::load(Path::new(ATLAS))?;
    let version = Version::parse(&kernel::Version::running()?.to_string())?;
    // What is missing shows in the proofs that need it.
    let _ = Command::new("modprobe").arg("-a").args(MODULES).status();
    let tracer = Tracer::start(&["-v", "-K", "-o", "json", "-c", ACTING])?;
    let mut all = Vec::new();
    for proof in table::all().filter(|proof| wanted(proof)) {
        for line in proof.lines(&atlas, version) {
            all.push((proof, line, both(proof, line, scene)?));
        }
    }
    let (rows, summary) = tracer.rows()?;
    ensure!(summary.lost == 0, "{} checks were lost", summary.lost);
    let mut failed = 0;
    for (proof, line, tried) in &all {
        let wrong = judge(proof, line, tried, &rows, &atlas, version);
        if !wrong.is_empty() || tell_all {
            println!(
                "{} {}: {line}",
                if wrong.is_empty() { "ok" } else { "WRONG" },
                line.key.file
            );
            println!(
                "    with {:?}, without {:?}",
                tried[0].answer, tried[1].answer
            );
        }
        for wrong in &wrong {
            println!("    {wrong}");
        }
        failed += usize::from(!wrong.is_empty());
    }
    println!(
        "{} of {} proofs hold on Linux {version}",
        all.len() - failed,
        all.len()
    );
    Ok(failed)
}

/// Tries a proof with the capability and without it.
fn both(proof: &Proof, line: &Line, scene: &Scene) -> Result<[Tried; 2]> {
    let never = line.alternatives().chain(proof.lacking.iter().copied());
    let never = bits(never)?;
    let taken = bits(line.key.capabilities.split('/').take(1))?;
    let before = match proof.setting {
        Some((path, value)) => Some((path, replace(path, value)?)),
        None => None,
    };
    let with = attempt(proof, never & !taken, Taken::Dropped, scene)?;
    let without = match proof.taken {
        Taken::Dropped => attempt(proof, never | taken, Taken::Dropped, scene)?,
        Taken::Foreign => attempt(proof, 0, Taken::Foreign, scene)?,
    };
    if let Some((path, value)) = before {
        replace(path, &value)?;
    }
    Ok([with, without])
}

fn bits<'a>(mut names: impl Iterator<Item = &'a str>) -> Result<u64> {
    names.try_fold(0, |all, name| {
        let number = cage::number(name).with_context(|| format!("no capability {name}"))?;
        Ok(all | 1 << number)
    })
}

/// Writes a setting and returns what it said before.
fn replace(path: &str, value: &str) -> Result<String> {
    let before = fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    fs::write(path, value).with_context(|| format!("cannot write {path}"))?;
    Ok(before.trim().to_owned())
}

/// Runs a proof once in a process of its own.
fn attempt(proof: &Proof, dropped: u64, taken: Taken, scene: &Scene) -> Result<Tried> {
    scene.refresh(match proof.is_user {
        true => Identity::User,
        false => Identity::Root,
    })?;
    let (reader, writer) = inherited_pipe()?;
    let child = Child::start(|| perform(proof, dropped, taken, scene, writer.as_raw_fd()))
        .with_context(|| format!("cannot start a process for {}", proof.sites))?;
    drop(writer);
    let pid: pid_t = child.pid();
    let answer = match Message::receive(reader)?.map(|(message, _)| message) {
        Some(Message::Done(answer)) => Ok(answer),
        Some(Message::NotReady(errno)) => Err(format!(
            "it could not be prepared: {}",
            std::io::Error::from_raw_os_error(errno)
        )),
        None => Err("it ended without a word".to_owned()),
    };
    child.wait()?;
    Ok(Tried { pid, answer })
}

/// What the child does.
fn perform(proof: &Proof, dropped: u64, taken: Taken, scene: &Scene, report: i32) -> i32 {
    set_name("proof-stage");
    let message = match prepare(proof, dropped, taken, scene) {
        Ok(prepared) => {
            set_name(ACTING);
            let answer = (proof.act)(prepared);
            set_name("proof-stage");
            Message::Done(answer)
        }
        Err(errno) => Message::NotReady(errno),
    };
    message.send(report, 0)
}

fn prepare(proof: &Proof, dropped: u64, taken: Taken, scene: &Scene) -> super::Staged {
    call!(SYS_alarm, LIMIT)?;
    call!(SYS_unshare, libc::CLONE_NEWNS)?;
    let private = libc::MS_REC | libc::MS_PRIVATE;
    call!(SYS_mount, c"none", c"/", 0, private, 0)?;
    let prepared = match proof.stage {
        Some(stage) => stage(scene)?,
        None => -1,
    };
    match taken {
        Taken::Dropped => cage::drop_all(dropped, proof.is_user)?,
        Taken::Foreign => cage::enter_namespace()?,
    };
    Ok(prepared)
}
