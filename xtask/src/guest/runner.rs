//! Runs triggers, each in a process of its own.

use std::fs;
use std::io::{self, PipeReader, PipeWriter, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use libc::pid_t;
use serde::Serialize;

use super::exceptions::impossible;
use super::fork::Child;
use super::identity::Identity;
use super::kernel::Version;
use super::scene::{Scene, in_virtual_machine};
use super::syscall::{Answer, call};
use super::trigger::{Given, Trigger};
use super::triggers;

/// One run of a trigger.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// The trigger, which is also the comm of its process while it acted.
    pub name: &'static str,
    /// The identity that it ran as.
    #[serde(rename = "as", serialize_with = "display")]
    pub identity: Identity,
    /// Its process.
    pub pid: pid_t,
    /// Its thread.
    pub tid: pid_t,
    /// Its real user.
    pub uid: u32,
    /// Its real group.
    pub gid: u32,
    /// Its mount namespace before it acted.
    pub mount_namespace: u64,
    /// What the system call returned.
    pub ret: Option<i64>,
    /// Or the errno with which it failed.
    pub errno: Option<i32>,
    /// Or why the trigger did not run.
    pub skipped: Option<String>,
}

fn display<S: serde::Serializer>(identity: &Identity, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(identity)
}

/// `xtask guest trigger`.
///
/// # Errors
/// For an unknown name, and when the scene cannot be built.
pub fn command(names: &[String], only: Option<Identity>, hold: bool) -> Result<ExitCode> {
    if names.iter().any(|name| name == "list") {
        for trigger in triggers::all() {
            println!("{:<16} {}", trigger.name, trigger.about);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = choose(names)?;
    let kernel = Version::running()?;
    let scene = Scene::build()?;
    if hold {
        println!("{}", std::process::id());
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
    }
    for trigger in chosen {
        for &identity in trigger.identities {
            if only.is_none_or(|only| only == identity) {
                let run = run(trigger, identity, &scene, kernel)?;
                println!("{}", serde_json::to_string(&run)?);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn choose(names: &[String]) -> Result<Vec<&'static Trigger>> {
    if names.iter().any(|name| name == "all") {
        return Ok(triggers::all().collect());
    }
    names
        .iter()
        .map(|name| {
            triggers::all()
                .find(|trigger| trigger.name == name)
                .with_context(|| {
                    format!("no trigger {name:?}: `xtask guest trigger list` names all")
                })
        })
        .collect()
}

/// Runs one trigger as one identity and waits until it ends.
///
/// # Errors
/// If no process can be created for it, or it ends without reporting.
pub fn run(
    trigger: &'static Trigger,
    identity: Identity,
    scene: &Scene,
    kernel: Version,
) -> Result<Run> {
    let skipped = if !trigger.harmless && !in_virtual_machine() {
        Some("it changes the machine: it runs in virtual machines only")
    } else {
        impossible(trigger.name, identity, kernel)
    };
    let mut run = Run {
        name: trigger.name,
        identity,
        pid: 0,
        tid: 0,
        uid: trigger.uid.unwrap_or(identity.uid()),
        gid: trigger.gid.unwrap_or(identity.gid()),
        mount_namespace: 0,
        ret: None,
        errno: None,
        skipped: skipped.map(str::to_owned),
    };
    if skipped.is_some() {
        return Ok(run);
    }
    scene.refresh(identity)?;
    let (reader, writer) = inherited_pipe()?;
    let child = Child::start(|| perform(trigger, identity, scene, writer.as_raw_fd()))
        .with_context(|| format!("cannot start a process for {}", trigger.name))?;
    drop(writer);
    run.pid = child.pid();
    run.tid = child.pid();
    let (message, mount_namespace) = Message::receive(reader)?.unzip();
    run.mount_namespace = mount_namespace.unwrap_or_default();
    match message {
        Some(Message::Done(Ok(value))) => run.ret = Some(value),
        Some(Message::Done(Err(libc::ENOSYS))) => {
            run.skipped = Some("this kernel is built without the system call".to_owned());
        }
        Some(Message::Done(Err(errno))) => run.errno = Some(errno),
        Some(Message::NotReady(errno)) => {
            let error = io::Error::from_raw_os_error(errno);
            run.skipped = Some(format!("it could not be prepared: {error}"));
        }
        None => bail!("{} as {identity} ended without a word", trigger.name),
    }
    child.wait()?;
    Ok(run)
}

/// What the child does. Between the two changes of its name it does nothing except act.
fn perform(trigger: &Trigger, identity: Identity, scene: &Scene, report: i32) -> i32 {
    set_name("guest-stage");
    let ready = (|| {
        let mut prepared = -1;
        if let Some(stage) = trigger.stage_as_root {
            prepared = stage(scene)?;
        }
        identity.assume()?;
        if let Some(stage) = trigger.stage {
            prepared = stage(scene)?;
        }
        Ok(prepared)
    })();
    let mount_namespace = mount_namespace();
    let message = match ready {
        Ok(prepared) => {
            let given = Given {
                scene,
                prepared,
                report,
            };
            set_name(trigger.name);
            let outcome = (trigger.act)(given);
            set_name("guest-stage");
            Message::Done(outcome)
        }
        Err(error) => {
            let error: io::Error = error;
            Message::NotReady(error.raw_os_error().unwrap_or(libc::EIO))
        }
    };
    message.send(report, mount_namespace)
}

/// The number of the calling process's mount namespace; 0 if it cannot be determined.
fn mount_namespace() -> u64 {
    fs::metadata("/proc/self/ns/mnt").map_or(0, |link| link.ino())
}

/// `xtask guest after-exec`: the second half of a trigger that executes this program.
///
/// # Errors
/// When the name is not that of such a trigger.
pub fn after_exec(name: &str, report: i32) -> Result<ExitCode> {
    let act = triggers::all()
        .find(|trigger| trigger.name == name)
        .and_then(|trigger| trigger.after_exec)
        .with_context(|| format!("{name:?} executes nothing"))?;
    let mount_namespace = mount_namespace();
    set_name(name);
    let outcome = act();
    set_name("guest-stage");
    match Message::Done(outcome).send(report, mount_namespace) {
        0 => Ok(ExitCode::SUCCESS),
        _ => bail!("cannot report the outcome to descriptor {report}"),
    }
}

/// Sets the comm of the calling thread.
pub fn set_name(name: &str) {
    let mut bytes = [0_u8; 16];
    for (to, from) in bytes.iter_mut().take(15).zip(name.bytes()) {
        *to = from;
    }
    // PR_SET_NAME cannot fail with an address that can be read.
    let _ = call!(SYS_prctl, libc::PR_SET_NAME, &bytes[..]);
}

/// What a child tells its parent.
#[derive(Clone, Copy, Debug)]
pub enum Message {
    /// It acted.
    Done(Answer),
    /// A step before that failed with this errno.
    NotReady(i32),
}

impl Message {
    /// Sends it with the mount namespace in which it acted.
    pub fn send(self, descriptor: i32, mount_namespace: u64) -> i32 {
        let (kind, value) = match self {
            Self::Done(Ok(value)) => (0_i64, value),
            Self::Done(Err(errno)) => (1, i64::from(errno)),
            Self::NotReady(errno) => (2, i64::from(errno)),
        };
        let mut message = [0; 24];
        message[..8].copy_from_slice(&kind.to_le_bytes());
        message[8..16].copy_from_slice(&value.to_le_bytes());
        message[16..].copy_from_slice(&mount_namespace.to_le_bytes());
        let written = call!(SYS_write, descriptor, &message[..], message.len());
        i32::from(written != Ok(24))
    }

    /// Reads what a child sent. The child's own children may keep the pipe open for longer.
    ///
    /// # Errors
    /// When the pipe cannot be read.
    pub fn receive(mut reader: PipeReader) -> Result<Option<(Self, u64)>> {
        let mut message = [0; 24];
        match reader.read_exact(&mut message) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            result => result?,
        }
        let (words, _) = message.as_chunks::<8>();
        let [kind, value, mount_namespace] = [0, 1, 2].map(|word| i64::from_le_bytes(words[word]));
        let message = match kind {
            0 => Self::Done(Ok(value)),
            1 => Self::Done(Err(i32::try_from(value)?)),
            _ => Self::NotReady(i32::try_from(value)?),
        };
        Ok(Some((message, mount_namespace.cast_unsigned())))
    }
}

/// A pipe that an executed program inherits.
///
/// # Errors
/// When there are no descriptors left.
pub fn inherited_pipe() -> Result<(PipeReader, PipeWriter)> {
    let mut ends = [0; 2];
    call!(SYS_pipe2, super::syscall::Argument::write(&mut ends), 0)
        .map_err(io::Error::from_raw_os_error)
        .context("cannot make a pipe")?;
    io::stdout().flush()?;
    // SAFETY: the kernel has just created these descriptors, and nothing else uses them.
    let [reader, writer] = ends.map(|end| unsafe { OwnedFd::from_raw_fd(end) });
    Ok((reader.into(), writer.into()))
}
