//! The target of a profile: its name, and what is known about it that checks do not tell.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::PathBuf,
};

use super::args::TargetArgs;
use crate::{
    context::{
        accounts::Accounts,
        cgroups::{Cgroups, Found},
        namespaces::{NamespaceKind, namespace_inode},
    },
    escape::printable,
    event::INITIAL_USER_NAMESPACE,
    inspect::interpreter_of,
    profile::emit::{ProgramNeeds, RunsAs},
};

/// What is profiled.
pub struct Profiled {
    args: TargetArgs,
    /// Its processes at the start, the first one first.
    processes: Vec<u32>,
    /// The user namespace that the set is for: that of the first process.
    pub home: u32,
}

impl Profiled {
    /// Looks up what was named.
    pub fn new(args: &TargetArgs) -> Self {
        let mut processes = args.pids.clone();
        processes.extend(in_cgroups(args));
        let home = processes
            .first()
            .and_then(|&pid| user_namespace(pid))
            .unwrap_or(INITIAL_USER_NAMESPACE);
        Self {
            args: args.clone(),
            processes,
            home,
        }
    }

    /// The name that a report uses: `unit nginx.service`, `process 812 (nginx)`.
    pub fn subject(&self) -> String {
        let TargetArgs {
            pids,
            units,
            cgroups,
            containers,
        } = &self.args;
        let named = |kind: &str, names: &[String]| -> Vec<String> {
            names.iter().map(|name| format!("{kind} {name}")).collect()
        };
        let mut parts: Vec<String> = pids
            .iter()
            .map(|pid| match comm(*pid) {
                Some(comm) => format!("process {pid} ({comm})"),
                None => format!("process {pid}"),
            })
            .collect();
        let units: Vec<String> = units.iter().map(|unit| full_name(unit)).collect();
        parts.extend(named("unit", &units));
        parts.extend(named("cgroup", cgroups));
        parts.extend(named("container", containers));
        parts.join(", ")
    }

    /// Adds to the input of the emitters.
    pub fn describe(&self, needs: ProgramNeeds) -> ProgramNeeds {
        let executable = self.executable();
        ProgramNeeds {
            runs_as: self.runs_as(),
            interpreter: executable
                .as_deref()
                .and_then(|file| interpreter_of(file).ok())
                .flatten(),
            executable,
            unit: self.args.units.first().map(|unit| full_name(unit)),
            service: self.args.containers.first().cloned(),
            ..needs
        }
    }

    /// The file of the first process that is alive.
    fn executable(&self) -> Option<PathBuf> {
        self.processes
            .iter()
            .find_map(|pid| fs::read_link(format!("/proc/{pid}/exe")).ok())
            // A file that was removed cannot be given capabilities (`d_path`, fs/d_path.c).
            .filter(|file| !file.as_os_str().as_bytes().ends_with(b" (deleted)"))
    }

    /// The user of all its processes; unknown if they differ.
    fn runs_as(&self) -> RunsAs {
        let users: BTreeSet<u32> = self
            .processes
            .iter()
            .filter_map(|pid| Some(fs::metadata(format!("/proc/{pid}/task")).ok()?.uid()))
            .collect();
        match users.iter().collect::<Vec<_>>()[..] {
            [0] => RunsAs::Root,
            [&user] => RunsAs::User(match Accounts::users().name(user) {
                Some(name) => name.to_owned(),
                None => user.to_string(),
            }),
            _ => RunsAs::Unknown,
        }
    }

    /// Whether none of the named processes is left; always false if cgroups were named.
    pub fn has_ended(&self) -> bool {
        let pids = &self.args.pids;
        !pids.is_empty() && pids.iter().all(|pid| comm(*pid).is_none())
    }
}

/// A unit without a suffix is a service, as for systemctl(1).
fn full_name(unit: &str) -> String {
    if unit.contains('.') {
        unit.to_owned()
    } else {
        format!("{unit}.service")
    }
}

/// The processes of the named cgroups, unless they cannot be read. This process, which may be one of
/// them, is not profiled.
fn in_cgroups(args: &TargetArgs) -> Vec<u32> {
    let Ok(known) = Cgroups::open() else {
        return Vec::new();
    };
    let mut found: Vec<Found> = Vec::new();
    found.extend(
        args.cgroups
            .iter()
            .filter_map(|path| known.by_path(path).ok()),
    );
    let units = args
        .units
        .iter()
        .filter_map(|unit| known.by_unit(unit).ok());
    found.extend(units.flatten());
    let containers = &args.containers;
    let containers = containers
        .iter()
        .filter_map(|id| known.by_container(id).ok());
    found.extend(containers.flatten());
    found
        .iter()
        .flat_map(|found| known.processes(found))
        .filter(|&pid| pid != std::process::id())
        .collect()
}

/// The name of a process, if it is alive.
pub fn comm(pid: u32) -> Option<String> {
    let comm = fs::read(format!("/proc/{pid}/comm")).ok()?;
    Some(printable(comm.trim_ascii_end()))
}

/// The inode number of a process's user namespace.
pub fn user_namespace(pid: u32) -> Option<u32> {
    namespace_inode(NamespaceKind::User, &pid.to_string()).ok()
}
