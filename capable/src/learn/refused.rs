//! Refused system calls: gathered while a command runs, and explained at its end.

use std::{
    cell::RefCell,
    collections::HashMap,
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::Path,
    sync::Arc,
};

use capable_common::COMM_LENGTH;
use indexmap::IndexMap;

use crate::{
    capability::Capability,
    context::{
        accounts::Accounts,
        processes::process_name,
        surroundings::{Looker, Question},
        syscalls,
    },
    event::{Event, Operation, Syscall},
    profile::{
        Explained, Observation,
        refusal::{Held, Refusal, RefusedCall, RefusedProcess, System},
    },
};

/// How many refusals are told apart; the rest is counted only.
const MOST: usize = 4096;
/// How many threads may be in a call in which something was granted.
const GRANTED: usize = 1 << 14;

/// The refused system calls of a command's processes.
#[derive(Default)]
pub struct Refusals {
    found: IndexMap<Kind, Refusal>,
    /// What was granted in the call that a thread is in.
    granted: HashMap<u32, (Syscall, Vec<Capability>)>,
    /// How many are not among the found ones.
    more: u64,
    /// Looks at the files that calls are refused for.
    pub looker: Option<Looker>,
}

/// What refusals that are counted together have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Kind {
    program: Arc<str>,
    call: RefusedCall,
    user: Option<u32>,
}

impl Kind {
    fn of(refusal: &Refusal) -> Self {
        Self {
            program: refusal.program.clone(),
            call: refusal.call.clone(),
            user: refusal.held.as_ref().map(|held| held.credentials.euid),
        }
    }
}

impl Refusals {
    /// Notes a check that was granted.
    pub fn check(&mut self, event: &Event<'_>) {
        let Some(syscall) = event.syscall().filter(|_| !event.facts().is_denied()) else {
            return;
        };
        if self.granted.len() >= GRANTED {
            self.granted.clear();
        }
        let entry = self.granted.entry(event.tid());
        let (call, capabilities) = entry.or_insert_with(|| (syscall, Vec::new()));
        if *call != syscall {
            (*call, *capabilities) = (syscall, Vec::new());
        }
        let capability = event.capability();
        if capabilities.len() < 8 && !capabilities.contains(&capability) {
            capabilities.push(capability);
        }
    }

    /// Makes a refusal of a call that failed, with the checks that were denied in it.
    pub fn failed(
        &mut self,
        program: Arc<str>,
        operation: &Operation<'_>,
        denied: Vec<Observation>,
    ) -> Option<Refusal> {
        let syscall = operation.syscall()?;
        let name = syscalls::name(syscall.number, syscall.compat)?;
        let path = operation.path();
        let call = RefusedCall {
            name,
            arguments: shared(name, syscall.arguments),
            errno: i32::try_from(-operation.result()).ok(),
            text: operation.first().map(<[u8]>::to_vec),
            second: operation.second().map(<[u8]>::to_vec),
            path: path.filter(|(_, whole)| *whole).map(|(path, _)| path),
            file: operation.file(),
            target: target(name, &syscall.arguments),
        };
        let held = operation.credentials().map(|credentials| Held {
            credentials,
            groups: operation
                .groups()
                .filter(|(_, all)| *all)
                .map(|(groups, _)| groups.to_vec()),
            no_new_privileges: operation.no_new_privileges(),
            seccomp: operation.has_seccomp_filter(),
            landlock: operation.has_landlock(),
        });
        let granted = self.granted.remove(&operation.tid());
        let refusal = Refusal {
            program,
            pid: operation.pid(),
            count: 1,
            first: operation.time(),
            call,
            held,
            denied,
            granted: granted
                .filter(|(call, _)| *call == syscall)
                .map_or_else(Vec::new, |(_, granted)| granted),
            surroundings: None,
        };
        Some(self.looked_up(refusal, operation.mount_namespace()))
    }

    /// Makes a refusal of a call that succeeded, although a check was denied in it whose answer is
    /// told elsewhere.
    pub fn told_elsewhere(
        program: Arc<str>,
        denied: Vec<Observation>,
        pid: u32,
    ) -> Option<Refusal> {
        let first = denied.iter().map(|observation| observation.first).min()?;
        let name = denied.first()?.case.syscall?;
        Some(Refusal {
            program,
            pid,
            count: 1,
            first,
            call: RefusedCall {
                name,
                arguments: [0; 6],
                errno: None,
                text: None,
                second: None,
                path: None,
                file: None,
                target: None,
            },
            held: None,
            denied,
            granted: Vec::new(),
            surroundings: None,
        })
    }

    /// Adds a refusal.
    pub fn add(&mut self, refusal: Refusal) {
        let kind = Kind::of(&refusal);
        if let Some(known) = self.found.get_mut(&kind) {
            known.count += refusal.count;
        } else if self.found.len() < MOST {
            self.found.insert(kind, refusal);
        } else {
            self.more += refusal.count;
        }
    }

    /// Those that were found, explained, the oldest first; and how many more there were.
    pub fn explained(self, started: u64) -> (Vec<Explained>, u64) {
        let host = Host::default();
        let explained = self.found.into_values().map(|mut refusal| {
            refusal.first = refusal.first.saturating_sub(started);
            refusal.explain(&host)
        });
        let mut explained: Vec<_> = explained.collect();
        explained.sort_by_key(|refusal| refusal.first_ns);
        (explained, self.more)
    }

    /// Looks up what surrounds the file that a refusal is about, unless one like it is known already.
    fn looked_up(&mut self, mut refusal: Refusal, namespace: Option<u32>) -> Refusal {
        let is_known = self.found.contains_key(&Kind::of(&refusal));
        let Some(looker) = self.looker.as_mut().filter(|_| !is_known) else {
            return refusal;
        };
        if let Some(path) = refusal.file() {
            let follow = refusal.follows_last_link();
            let question = Question {
                pid: refusal.pid,
                mount_namespace: namespace,
                path,
                follow,
            };
            let answer = looker.ask(&question);
            refusal.surroundings = Some(answer.map_err(|error| error.to_string()));
        }
        refusal
    }
}

/// The arguments without those that differ between calls for the same thing: addresses.
fn shared(name: &str, arguments: [u64; 6]) -> [u64; 6] {
    let meaning: &[usize] = match name {
        "open" | "access" | "chmod" | "mkdir" | "creat" => &[1],
        "chown" | "lchown" | "fchown" => &[1, 2],
        "fchownat" => &[2, 3],
        "mknod" => &[1, 2],
        "mknodat" => &[2, 3],
        "openat" | "faccessat" | "faccessat2" | "fchmodat" | "fchmodat2" | "mkdirat" => &[2],
        "fchmod" => &[1],
        "ioctl" => &[1],
        "setsockopt" => &[1, 2],
        "bpf" | "keyctl" | "setrlimit" => &[0],
        "prlimit64" => &[0, 1],
        "kill" | "tkill" | "setpriority" => &[0, 1, 2],
        "tgkill" => &[0, 1, 2],
        "ptrace" => &[0, 1],
        "prctl" => &[0, 1, 2],
        "socket" | "socketpair" => &[0, 1, 2],
        "unshare" | "clone" => &[0],
        "setns" => &[1],
        "setuid" | "setgid" | "setreuid" | "setregid" | "setresuid" | "setresgid" | "setfsuid"
        | "setfsgid" => &[0, 1, 2],
        _ => &[],
    };
    std::array::from_fn(|index| match meaning.contains(&index) {
        true => arguments[index],
        false => 0,
    })
}

/// The process that a call is about.
fn target(name: &str, arguments: &[u64; 6]) -> Option<RefusedProcess> {
    let argument = match name {
        "kill" | "tgkill" | "tkill" | "sched_setscheduler" | "sched_setattr" | "sched_setparam"
        | "sched_setaffinity" | "process_vm_readv" | "process_vm_writev" | "prlimit64"
        | "move_pages" | "migrate_pages" | "kcmp" => 0,
        "ptrace" => 1,
        // `PRIO_PROCESS` and `IOPRIO_WHO_PROCESS`
        "setpriority" if arguments[0] == 0 => 1,
        "ioprio_set" if arguments[0] == 1 => 1,
        _ => return None,
    };
    let pid = u32::try_from(arguments[argument] as i32).ok()?;
    if pid == 0 {
        return None;
    }
    let uid = fs::metadata(format!("/proc/{pid}")).ok();
    Some(RefusedProcess {
        pid,
        name: process_name(pid).unwrap_or_default(),
        uid: uid.map(|metadata| metadata.uid()),
    })
}

/// This host.
struct Host {
    users: RefCell<Accounts>,
    groups: RefCell<Accounts>,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            users: RefCell::new(Accounts::users()),
            groups: RefCell::new(Accounts::groups()),
        }
    }
}

impl System for Host {
    fn user(&self, uid: u32) -> String {
        name_of(&self.users, uid)
    }

    fn group(&self, gid: u32) -> String {
        name_of(&self.groups, gid)
    }

    fn setting(&self, name: &str) -> Option<String> {
        let path = format!("/proc/sys/{}", name.replace('.', "/"));
        Some(fs::read_to_string(path).ok()?.trim().to_owned())
    }

    /// That of this process: the command began with it.
    fn label(&self) -> Option<String> {
        let label = fs::read("/proc/self/attr/current").ok()?;
        let label = label.strip_suffix(b"\n").unwrap_or(&label);
        let label = label.strip_suffix(b"\0").unwrap_or(label);
        let label = String::from_utf8_lossy(label);
        let free = label.is_empty() || label == "unconfined" || label == "kernel";
        (!free).then(|| label.into_owned())
    }
}

fn name_of(accounts: &RefCell<Accounts>, id: u32) -> String {
    let mut accounts = accounts.borrow_mut();
    match accounts.name(id) {
        Some(name) => name.to_owned(),
        None => id.to_string(),
    }
}

/// The last name of a path, as the kernel names a task that executes it
/// (`TASK_COMM_LEN`, include/linux/sched.h).
pub fn task_name(path: &[u8]) -> &[u8] {
    let name = Path::new(OsStr::from_bytes(path)).file_name();
    let name = name.map_or(&b""[..], OsStr::as_bytes);
    &name[..name.len().min(COMM_LENGTH - 1)]
}
