//! A mixed load: processes and threads of several users, cgroups and namespaces that all make the
//! same checks at the same time, as often as requested.

use std::fs;
use std::io::{self, PipeReader, PipeWriter, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::guest::capabilities::{Capability, SETUID, SYS_ADMIN, SYS_BOOT};
use crate::guest::fork::Child;
use crate::guest::identity::{USER, become_user, enter_child_namespace};
use crate::guest::syscall::call;

/// A user that every system has: `daemon`.
pub const DAEMON: u32 = 1;
/// The systemd unit of the mix.
pub const UNIT: &str = "cast-web.service";
/// The id of the container of the mix.
pub const CONTAINER: &str = "c0ffee0000000000000000000000000000000000000000000000000000000123";

/// What each member does: one audited check each, which changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Becomes root.
    SetUid,
    /// Sets a host name that is too long.
    Admin,
    /// Calls reboot(2) without its magic numbers.
    Boot,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::SetUid, Self::Admin, Self::Boot];

    /// What it asks for.
    pub fn capability(self) -> Capability {
        match self {
            Self::SetUid => SETUID,
            Self::Admin => SYS_ADMIN,
            Self::Boot => SYS_BOOT,
        }
    }

    /// Does it. The result does not matter, because the check comes before anything else.
    fn make(self) {
        let _ = match self {
            Self::SetUid => call!(SYS_setuid, 0),
            Self::Admin => call!(SYS_sethostname, 0, -1),
            Self::Boot => call!(SYS_reboot, 0, 0, 0, 0),
        };
    }
}

/// A member of the mix.
#[derive(Debug)]
pub struct Member {
    /// Its name.
    pub comm: &'static str,
    /// Its process.
    pub pid: u32,
    /// Its thread.
    pub tid: u32,
    /// Its real user.
    pub uid: u32,
    /// Its real group.
    pub gid: u32,
    /// Its mount namespace, by inode number.
    pub mount_namespace: u64,
    /// The acts that it is granted.
    pub granted: &'static [Act],
    /// The directory of its cgroup, unless that is the common one.
    pub cgroup: Option<PathBuf>,
    ends: Ends,
}

/// The tests' ends of the pipes to and from a member.
#[derive(Debug)]
struct Ends {
    command: PipeWriter,
    reply: PipeReader,
}

/// A member's ends of the pipes: its commands, and its replies.
struct Line {
    command: PipeReader,
    reply: PipeWriter,
}

impl Line {
    /// Takes the name, reports its number, and acts as often as each command says, until the pipe
    /// closes.
    fn serve(mut self, comm: &str, pid: Option<i32>) -> i32 {
        set_name(comm);
        // Otherwise a process that became another user would outlive the tests.
        // SAFETY: prctl takes numbers only here.
        unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
        let tid = call!(SYS_gettid).unwrap_or(0);
        let tid = pid.map_or(tid, i64::from);
        let mut command = [0];
        let mut answer = self.reply.write_all(&tid.to_le_bytes());
        while answer.is_ok() && self.command.read_exact(&mut command).is_ok() {
            for _ in 0..command[0] {
                for act in Act::ALL {
                    act.make();
                }
            }
            answer = self.reply.write_all(&command);
        }
        0
    }
}

/// The mix. Its processes and cgroups end with it.
#[derive(Debug)]
pub struct Cast {
    /// The members.
    pub members: Vec<Member>,
    children: Vec<Child>,
    cgroups: Vec<PathBuf>,
}

impl Cast {
    /// Starts all members.
    ///
    /// # Errors
    /// If a process, a namespace or a cgroup cannot be created.
    pub fn assemble() -> Result<Self> {
        let hierarchy = cgroup_hierarchy()?;
        let slice = hierarchy.join("system.slice");
        let unit = slice.join(UNIT);
        let worker = unit.join("worker");
        let container = slice.join(format!("docker-{CONTAINER}.scope"));
        let mut cast = Self {
            members: Vec::new(),
            children: Vec::new(),
            cgroups: Vec::new(),
        };
        for cgroup in [&slice, &unit, &worker, &container] {
            if !cgroup.exists() {
                fs::create_dir(cgroup)
                    .with_context(|| format!("cannot make {}", cgroup.display()))?;
                cast.cgroups.push(cgroup.clone());
            }
        }
        let all: &[Act] = &Act::ALL;
        cast.add("cast-root", 0, all, None, || Ok(()))?;
        cast.add("cast-user", USER, &[], None, || become_user(USER))?;
        cast.add("cast-daemon", DAEMON, &[], None, || become_user(DAEMON))?;
        cast.add("cast-userns", USER, &[Act::SetUid], None, || {
            become_user(USER)?;
            enter_child_namespace()
        })?;
        cast.add("cast-group", 0, all, None, || {
            call!(SYS_setresgid, DAEMON, DAEMON, DAEMON).map_err(io::Error::from_raw_os_error)?;
            Ok(())
        })?;
        cast.add("cast-mounts", 0, all, None, || {
            call!(SYS_unshare, libc::CLONE_NEWNS).map_err(io::Error::from_raw_os_error)?;
            Ok(())
        })?;
        cast.add("cast-unit", 0, all, Some(unit), || Ok(()))?;
        cast.add("cast-worker", 0, all, Some(worker), || Ok(()))?;
        cast.add("cast-contained", 0, all, Some(container), || Ok(()))?;
        cast.add_threads()?;
        cast.add_in_pid_namespace()?;
        Ok(cast)
    }

    /// The member with this name.
    ///
    /// # Errors
    /// If there is none.
    pub fn member(&self, comm: &str) -> Result<&Member> {
        let found = self.members.iter().find(|member| member.comm == comm);
        found.with_context(|| format!("nobody is called {comm}"))
    }

    /// Makes all members act this many times, all at once.
    ///
    /// # Errors
    /// If a member is gone.
    pub fn play(&self, rounds: u8) -> Result<()> {
        for member in &self.members {
            (&member.ends.command).write_all(&[rounds])?;
        }
        for member in &self.members {
            (&member.ends.reply)
                .read_exact(&mut [0])
                .with_context(|| format!("{} is gone", member.comm))?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        comm: &'static str,
        uid: u32,
        granted: &'static [Act],
        cgroup: Option<PathBuf>,
        prepare: fn() -> io::Result<()>,
    ) -> Result<()> {
        let (line, ends) = line()?;
        let child = Child::start(|| {
            let entered = cgroup.as_deref().map_or(Ok(()), enter);
            match entered.and_then(|()| prepare()) {
                Ok(()) => line.serve(comm, None),
                Err(_) => 1,
            }
        })?;
        self.children.push(child);
        self.enlist(comm, uid, granted, cgroup, None, ends)
    }

    /// A process with a second thread that has another name.
    fn add_threads(&mut self) -> Result<()> {
        let (first, first_ends) = line()?;
        let (second, second_ends) = line()?;
        let child = Child::start(|| {
            let thread = thread::spawn(move || second.serve("cast-thread", None));
            let code = first.serve("cast-process", None);
            thread.join().unwrap_or(code)
        })?;
        let pid = u32::try_from(child.pid())?;
        self.children.push(child);
        for (comm, ends) in [("cast-process", first_ends), ("cast-thread", second_ends)] {
            self.enlist(comm, 0, &Act::ALL, None, Some(pid), ends)?;
        }
        Ok(())
    }

    /// The first process of a pid namespace; its parent reports the number that others see.
    fn add_in_pid_namespace(&mut self) -> Result<()> {
        const COMM: &str = "cast-inner";
        let (line, ends) = line()?;
        let (mut told, mut tell) = io::pipe()?;
        let child = Child::start(|| {
            if call!(SYS_unshare, libc::CLONE_NEWPID).is_err() {
                return 1;
            }
            let inner = Child::start(|| {
                let mut pid = [0; 4];
                match told.read_exact(&mut pid) {
                    Ok(()) => line.serve(COMM, Some(i32::from_le_bytes(pid))),
                    Err(_) => 1,
                }
            });
            let Ok(inner) = inner else { return 1 };
            match tell.write_all(&inner.pid().to_le_bytes()) {
                Ok(()) => inner.wait().map_or(1, |_| 0),
                Err(_) => 1,
            }
        })?;
        self.children.push(child);
        self.enlist(COMM, 0, &Act::ALL, None, None, ends)
    }

    fn enlist(
        &mut self,
        comm: &'static str,
        uid: u32,
        granted: &'static [Act],
        cgroup: Option<PathBuf>,
        pid: Option<u32>,
        ends: Ends,
    ) -> Result<()> {
        let mut tid = [0; 8];
        (&ends.reply)
            .read_exact(&mut tid)
            .with_context(|| format!("{comm} could not be prepared"))?;
        let tid = u32::try_from(i64::from_le_bytes(tid))?;
        let mount_namespace = fs::metadata(format!("/proc/{tid}/ns/mnt"))?.ino();
        self.members.push(Member {
            comm,
            pid: pid.unwrap_or(tid),
            tid,
            uid,
            gid: real_group(tid)?,
            mount_namespace,
            granted,
            cgroup,
            ends,
        });
        Ok(())
    }
}

impl Drop for Cast {
    fn drop(&mut self) {
        self.members.clear();
        self.children.clear();
        for cgroup in self.cgroups.iter().rev() {
            // A cgroup stays in use for a moment after its last process was reaped.
            for _ in 0..50 {
                if fs::remove_dir(cgroup).is_ok() {
                    break;
                }
                thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

/// Both directions between the tests and a member. Processes that are forked later inherit the
/// tests' ends too, so nothing relies on their being closed.
fn line() -> Result<(Line, Ends)> {
    let (theirs, command) = io::pipe()?;
    let (reply, answer) = io::pipe()?;
    let line = Line {
        command: theirs,
        reply: answer,
    };
    Ok((line, Ends { command, reply }))
}

/// The real group of a task.
fn real_group(tid: u32) -> Result<u32> {
    let status = fs::read_to_string(format!("/proc/{tid}/status"))?;
    let groups = status.lines().find_map(|line| line.strip_prefix("Gid:"));
    let real = groups.and_then(|groups| groups.split_whitespace().next());
    Ok(real.context("a status has groups")?.parse()?)
}

/// Moves the calling process into a cgroup.
fn enter(cgroup: &Path) -> io::Result<()> {
    fs::write(cgroup.join("cgroup.procs"), "0")
}

/// The mount point of the version 2 hierarchy.
fn cgroup_hierarchy() -> Result<PathBuf> {
    let mounts = fs::read_to_string("/proc/mounts")?;
    for mount in mounts.lines() {
        let fields: Vec<&str> = mount.split(' ').collect();
        if let [_, path, "cgroup2", ..] = fields[..] {
            ensure!(Path::new(path).is_dir(), "{path} is no directory");
            return Ok(PathBuf::from(path));
        }
    }
    bail!("no version 2 hierarchy of cgroups is mounted")
}

/// Sets the name of the calling thread.
pub fn set_name(name: impl AsRef<[u8]>) {
    let mut bytes = [0_u8; 16];
    for (to, from) in bytes.iter_mut().take(15).zip(name.as_ref()) {
        *to = *from;
    }
    // This cannot fail, because the address is readable.
    let _ = call!(SYS_prctl, libc::PR_SET_NAME, &bytes[..]);
}
