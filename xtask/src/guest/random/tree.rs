//! User namespaces nested three deep, each with a process in it.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};

use anyhow::{Context as _, Result, ensure};
use libc::pid_t;

use super::generator::Generator;
use crate::guest::fork::{Child, sleep_forever};
use crate::guest::syscall::call;

/// Users who make checks and own namespaces.
pub const USERS: [u32; 5] = [0, 1000, 1001, 1002, 65534];

/// The user of the target processes: none of those who make checks, so that only the check decides
/// (kernel/signal.c, `kill_ok_by_cred`).
const TARGET: u32 = 60000;

/// Every namespace numbers its users as the initial one does.
const MAP: &str = "0 0 70000\n";

/// Children of each namespace, by depth.
const CHILDREN: [usize; 3] = [3, 2, 2];

/// A namespace and the process in it.
#[derive(Debug)]
pub struct Node {
    /// A descriptor of the namespace; `None` for the initial one.
    namespace: Option<OwnedFd>,
    process: Child,
}

impl Node {
    /// The process in it.
    pub fn pid(&self) -> pid_t {
        self.process.pid()
    }

    /// Moves the calling process into it, where it then has all capabilities.
    ///
    /// # Errors
    /// What setns(2) answers.
    pub fn enter(&self) -> io::Result<()> {
        if let Some(namespace) = &self.namespace {
            call!(SYS_setns, namespace.as_raw_fd(), libc::CLONE_NEWUSER)
                .map_err(io::Error::from_raw_os_error)?;
        }
        Ok(())
    }
}

/// The initial namespace and those below.
#[derive(Debug)]
pub struct Tree {
    /// All of them, parents before their children.
    pub nodes: Vec<Node>,
}

impl Tree {
    /// Makes the namespaces, with random owners.
    ///
    /// # Errors
    /// What the kernel answers.
    pub fn grow(generator: &mut Generator) -> Result<Self> {
        let mut nodes = vec![Node {
            namespace: None,
            process: initial_process()?,
        }];
        let mut level = 0..1;
        for children in CHILDREN {
            let next = nodes.len();
            for parent in level {
                for _ in 0..children {
                    let owner = generator.one_of(&USERS);
                    let node = child_of(&nodes[parent], owner)
                        .with_context(|| format!("cannot make a namespace owned by {owner}"))?;
                    nodes.push(node);
                }
            }
            level = next..nodes.len();
        }
        Ok(Self { nodes })
    }
}

fn become_target() -> io::Result<()> {
    let failed = io::Error::from_raw_os_error;
    call!(SYS_setresgid, TARGET, TARGET, TARGET).map_err(failed)?;
    call!(SYS_setresuid, TARGET, TARGET, TARGET).map_err(failed)?;
    Ok(())
}

fn initial_process() -> Result<Child> {
    let (mut reader, mut writer) = io::pipe()?;
    let process = Child::start(
        || match become_target().and_then(|()| writer.write_all(&[1])) {
            Ok(()) => sleep_forever(),
            Err(_) => 1,
        },
    )?;
    drop(writer);
    reader
        .read_exact(&mut [0])
        .context("a process ended early")?;
    Ok(process)
}

/// A namespace below `parent`, owned by this user.
fn child_of(parent: &Node, owner: u32) -> Result<Node> {
    let (mut ready, mut say_ready) = io::pipe()?;
    let (mut go, mut say_go) = io::pipe()?;
    let process = Child::start(|| {
        let failed = io::Error::from_raw_os_error;
        let mut live = || -> io::Result<()> {
            parent.enter()?;
            call!(SYS_setresuid, owner, owner, owner).map_err(failed)?;
            // Otherwise its maps would belong to root, whom a namespace may not be able to map.
            call!(SYS_prctl, libc::PR_SET_DUMPABLE, 1, 0, 0, 0).map_err(failed)?;
            call!(SYS_unshare, libc::CLONE_NEWUSER).map_err(failed)?;
            say_ready.write_all(&[1])?;
            go.read_exact(&mut [0])?;
            become_target()?;
            say_ready.write_all(&[1])
        };
        match live() {
            Ok(()) => sleep_forever(),
            Err(_) => 1,
        }
    })?;
    drop(say_ready);
    ready
        .read_exact(&mut [0])
        .context("the owner cannot make it")?;
    let pid = process.pid();
    // Maps of many users must be written from the namespace above, by a process that may act as any
    // of them.
    let writer = Child::start(|| {
        let write = || -> io::Result<()> {
            parent.enter()?;
            fs::write(format!("/proc/{pid}/uid_map"), MAP)?;
            fs::write(format!("/proc/{pid}/gid_map"), MAP)
        };
        write().map_or_else(|error| error.raw_os_error().unwrap_or(1), |()| 0)
    })?;
    let status = writer.wait()?;
    ensure!(
        status == 0,
        "cannot write its maps: {}",
        io::Error::from_raw_os_error(libc::WEXITSTATUS(status))
    );
    let namespace = File::open(format!("/proc/{pid}/ns/user"))?;
    say_go.write_all(&[1])?;
    ready
        .read_exact(&mut [0])
        .context("it cannot change its user")?;
    Ok(Node {
        namespace: Some(namespace.into()),
        process,
    })
}
