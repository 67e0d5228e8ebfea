//! Which capabilities a running process and its threads hold.

use std::io;
use std::path::{Path, PathBuf};
use std::{fs, process};

use serde::Serialize;

use super::credentials::Credentials;
use super::execve::{Caller, Compared, Held, Program};
use super::secure_bits::SecureBits;
use super::user_namespace::UserNamespace;
use super::{Error, json};
use crate::{
    capability::{Capability, CapabilitySet},
    context::{
        kernel_threads::is_kernel_thread,
        processes::{ProcessError, is_hidden},
    },
};

/// A process, or one of its threads if the number is that of a thread.
#[derive(Clone, Debug, Serialize)]
pub struct Process {
    /// The number that was asked for.
    pub pid: u32,
    /// The process that it is a thread of, if it is not the main thread.
    pub thread_of: Option<u32>,
    /// Its name, any bytes.
    #[serde(serialize_with = "json::bytes")]
    pub comm: Vec<u8>,
    /// Whether it is a kernel thread.
    pub kernel_thread: bool,
    /// The credentials of the main thread.
    #[serde(flatten)]
    pub credentials: Credentials,
    /// The securebits: `None` for other processes, because a process can only ask for its own.
    pub securebits: Option<SecureBits>,
    /// The user namespace in which its capabilities count.
    pub user_namespace: UserNamespace,
    /// What an ordinary program holds when this process executes it.
    pub after_execve: Option<AfterExecve>,
    /// The number of threads.
    pub thread_count: usize,
    /// The threads whose credentials differ from those of the main thread.
    pub differing_threads: Vec<Thread>,
}

/// A thread.
#[derive(Clone, Debug, Serialize)]
pub struct Thread {
    /// Its number.
    pub tid: u32,
    /// Its name, any bytes.
    #[serde(serialize_with = "json::bytes")]
    pub comm: Vec<u8>,
    /// Its credentials.
    #[serde(flatten)]
    pub credentials: Credentials,
}

/// What a program without privileges of its own holds when the process executes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AfterExecve {
    /// The effective set.
    #[serde(serialize_with = "json::names")]
    pub effective: CapabilitySet,
    /// The permitted set.
    #[serde(serialize_with = "json::names")]
    pub permitted: CapabilitySet,
    /// Whether this depends on the secure bit noroot being clear, which cannot be seen from
    /// outside.
    pub unless_noroot: bool,
}

impl Process {
    /// Reads a process, or a thread, from /proc.
    ///
    /// # Errors
    ///
    /// If none has this number, or /proc does not tell.
    pub fn read(pid: u32) -> Result<Self, Error> {
        let directory = PathBuf::from(format!("/proc/{pid}"));
        let status = read_status(pid, &directory).map_err(|error| match error {
            Error::NoProcess(_) if is_hidden(pid) => Error::Hidden(ProcessError::Hidden(pid)),
            other => other,
        })?;
        let credentials = credentials(pid, &status)?;
        let leader = line(&status, "Tgid:").and_then(|number| number.parse().ok());
        let thread_of = leader.filter(|&leader: &u32| leader != pid);
        let securebits = (pid == process::id())
            .then(SecureBits::of_this_thread)
            .flatten();
        let user_namespace = UserNamespace::of_process(&directory);
        let kernel_thread = is_kernel_thread(&directory);
        let (thread_count, differing_threads) = match thread_of {
            Some(_) => (1, Vec::new()),
            None => differing_threads(pid, &directory, &credentials)?,
        };
        Ok(Self {
            pid,
            thread_of,
            comm: comm(&directory),
            kernel_thread,
            credentials,
            securebits,
            after_execve: if kernel_thread {
                None
            } else {
                let traced = traced(&status);
                AfterExecve::of(&credentials, &user_namespace, securebits, traced)
            },
            user_namespace,
            thread_count,
            differing_threads,
        })
    }
}

impl AfterExecve {
    /// `None` if it depends on something that is not known.
    fn of(
        credentials: &Credentials,
        namespace: &UserNamespace,
        securebits: Option<SecureBits>,
        traced: Option<bool>,
    ) -> Option<Self> {
        let no_new_privs = credentials.no_new_privs?;
        let traced = traced?;
        // Without the inode number it is not known which user is root there.
        namespace.inode?;
        let held = |noroot: bool| -> Option<Held> {
            let caller = Caller {
                sets: credentials.sets,
                uid: credentials.uid.real,
                euid: credentials.uid.effective,
                gid: credentials.gid.real,
                egid: credentials.gid.effective,
                root: namespace.root,
                noroot,
                no_new_privs,
                traced,
                compared: Compared::here(),
            };
            caller.execve(&Program::default())
        };
        let noroot = securebits.map(SecureBits::is_noroot);
        let likely = held(noroot.unwrap_or(false))?;
        Some(Self {
            effective: likely.effective,
            permitted: likely.permitted,
            unless_noroot: noroot.is_none() && held(true) != Some(likely),
        })
    }
}

fn read_status(pid: u32, directory: &Path) -> Result<String, Error> {
    let path = directory.join("status");
    match fs::read(&path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if is_gone(&error) => Err(Error::NoProcess(pid)),
        Err(error) => Err(Error::Read { path, error }),
    }
}

/// Whether the process has ended, before the open or between open and read.
fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH)
}

fn credentials(pid: u32, status: &str) -> Result<Credentials, Error> {
    Credentials::from_status(status).map_err(|bad| Error::Status { pid, line: bad.0 })
}

fn line<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .map(str::trim)
}

/// Whether a process is traced by one that lacks CAP_SYS_PTRACE; `None` if that one can't be read.
fn traced(status: &str) -> Option<bool> {
    let tracer: u32 = line(status, "TracerPid:").map_or(Some(0), |pid| pid.parse().ok())?;
    if tracer == 0 {
        return Some(false);
    }
    let status = read_status(tracer, &PathBuf::from(format!("/proc/{tracer}"))).ok()?;
    let sets = credentials(tracer, &status).ok()?.sets;
    Some(!sets.effective.contains(Capability::SYS_PTRACE))
}

fn comm(directory: &Path) -> Vec<u8> {
    let mut comm = fs::read(directory.join("comm")).unwrap_or_default();
    if comm.last() == Some(&b'\n') {
        comm.pop();
    }
    comm
}

/// The number of threads, and those that differ from the main thread.
fn differing_threads(
    pid: u32,
    directory: &Path,
    main: &Credentials,
) -> Result<(usize, Vec<Thread>), Error> {
    let tasks = directory.join("task");
    let entries = match fs::read_dir(&tasks) {
        Ok(entries) => entries,
        Err(error) if is_gone(&error) => return Err(Error::NoProcess(pid)),
        Err(error) => return Err(Error::Read { path: tasks, error }),
    };
    let mut tids: Vec<u32> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    tids.sort_unstable();
    let mut differing = Vec::new();
    for &tid in tids.iter().filter(|&&tid| tid != pid) {
        let directory = tasks.join(tid.to_string());
        let status = match read_status(tid, &directory) {
            // The thread has ended in the meantime.
            Err(Error::NoProcess(_)) => continue,
            other => other?,
        };
        let credentials = credentials(tid, &status)?;
        if credentials != *main {
            differing.push(Thread {
                tid,
                comm: comm(&directory),
                credentials,
            });
        }
    }
    Ok((tids.len(), differing))
}
