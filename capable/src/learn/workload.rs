//! What runs already and is learned from: its name, and what is known about it that checks do not
//! tell.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::PathBuf,
};

use thiserror::Error;

use crate::{
    context::{
        accounts::Accounts,
        cgroups::{CgroupError, CgroupName, Cgroups, Found, UnitName},
        namespaces::{NamespaceKind, namespace_inode},
        processes::{ProcessError, find_process, process_name},
    },
    event::{INITIAL_USER_NAMESPACE, ProcessId},
    filter::{Condition, Expression},
    inspect::interpreter_of,
    profile::emit::{ProgramNeeds, RunsAs},
};

/// What runs already: some processes and their descendants, or what is in some cgroups.
#[derive(Clone, Debug)]
pub struct Workload {
    named: Named,
    /// Its processes when they were looked for last, the first one first, without this process.
    processes: Vec<ProcessId>,
    /// The user namespace that the set is for: that of the first process.
    home: u32,
}

/// What was named.
#[derive(Clone, Debug)]
enum Named {
    Processes,
    Cgroups {
        names: Vec<CgroupName>,
        /// What its checks satisfy.
        conditions: Vec<Condition>,
    },
}

/// There is nothing to learn from.
#[derive(Debug, Error)]
pub enum WorkloadError {
    /// Nothing was named.
    #[error("there is nothing to learn from: name a process or a cgroup")]
    Nothing,
    /// A process cannot be found.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A cgroup, unit or container cannot be found.
    #[error(transparent)]
    Cgroup(#[from] CgroupError),
}

impl Workload {
    /// These processes and their descendants, including those forked later.
    ///
    /// # Errors
    ///
    /// One of them does not exist, or none was named.
    pub fn processes(pids: impl IntoIterator<Item = u32>) -> Result<Self, WorkloadError> {
        let mut processes = Vec::new();
        for pid in pids {
            find_process(pid)?;
            processes.push(ProcessId::of(pid).ok_or(ProcessError::NoProcess(pid))?);
        }
        if processes.is_empty() {
            return Err(WorkloadError::Nothing);
        }
        Ok(Self::new(Named::Processes, processes))
    }

    /// What is in these cgroups and in those below them. Units and containers are followed by name:
    /// those that do not run yet are waited for, and those that are restarted are followed.
    ///
    /// # Errors
    ///
    /// One of them does not exist and cannot be waited for, or none was named.
    pub fn cgroups(names: impl IntoIterator<Item = CgroupName>) -> Result<Self, WorkloadError> {
        let names: Vec<CgroupName> = names.into_iter().collect();
        if names.is_empty() {
            return Err(WorkloadError::Nothing);
        }
        let known = Cgroups::open()?;
        let (mut conditions, mut processes) = (Vec::new(), Vec::new());
        let mut resolved = Vec::new();
        for name in names {
            let found = known.find_or_await(&name)?;
            processes.extend(processes_in(&known, &found));
            conditions.extend(Condition::in_cgroups(name.clone(), found));
            resolved.push(name.resolved());
        }
        let named = Named::Cgroups {
            names: resolved,
            conditions,
        };
        Ok(Self::new(named, processes))
    }

    fn new(named: Named, processes: Vec<ProcessId>) -> Self {
        let home = processes.first().and_then(|id| user_namespace(id.pid));
        Self {
            named,
            processes,
            home: home.unwrap_or(INITIAL_USER_NAMESPACE),
        }
    }

    /// The name that a report uses: `unit nginx.service`, `process 812 (nginx)`.
    pub fn subject(&self) -> String {
        let parts: Vec<String> = match &self.named {
            Named::Processes => self.processes.iter().map(|&id| process(id)).collect(),
            Named::Cgroups { names, .. } => names.iter().map(cgroup).collect(),
        };
        parts.join(", ")
    }

    /// Whether none of the named processes is left; always false if cgroups were named.
    pub fn has_ended(&self) -> bool {
        matches!(self.named, Named::Processes) && !self.processes.iter().any(|id| id.exists())
    }

    /// The checks that it makes; those of descendants of the named processes are not in it.
    pub(super) fn filter(&self) -> Expression {
        match &self.named {
            Named::Processes => {
                let numbers = self.processes.iter().map(|id| id.pid);
                Expression::any(numbers.map(Condition::Process))
            }
            Named::Cgroups { conditions, .. } => Expression::any(conditions.iter().cloned()),
        }
    }

    /// Looks for its processes again, if those that there were when it was found have ended: a unit
    /// may have been started or restarted since then.
    pub(super) fn look_again(&mut self) {
        let Named::Cgroups { names, .. } = &self.named else {
            return;
        };
        if self.living().next().is_some() {
            return;
        }
        let Ok(known) = Cgroups::open() else { return };
        let found = names.iter().filter_map(|name| known.find(name).ok());
        let processes: Vec<ProcessId> = found
            .flat_map(|found| processes_in(&known, &found))
            .collect();
        if !processes.is_empty() {
            *self = Self::new(self.named.clone(), processes);
        }
    }

    /// Whether the descendants of the named processes belong to it.
    pub(super) fn has_descendants(&self) -> bool {
        matches!(self.named, Named::Processes)
    }

    /// The user namespace that the set is for: that of the first process.
    pub(super) fn home(&self) -> u32 {
        self.home
    }

    /// Adds to the input of the emitters.
    pub(super) fn describe(&self, needs: ProgramNeeds) -> ProgramNeeds {
        let executable = self.executable();
        let names = match &self.named {
            Named::Processes => &[][..],
            Named::Cgroups { names, .. } => names,
        };
        ProgramNeeds {
            runs_as: self.runs_as(),
            interpreter: executable
                .as_deref()
                .and_then(|file| interpreter_of(file).ok())
                .flatten(),
            executable,
            unit: names.iter().find_map(|name| match name {
                CgroupName::Unit(unit) => Some(UnitName::new(unit).name),
                _ => None,
            }),
            service: names.iter().find_map(|name| match name {
                CgroupName::Container(id) => Some(id.clone()),
                _ => None,
            }),
            ..needs
        }
    }

    /// Its processes that have not been reaped.
    fn living(&self) -> impl Iterator<Item = &ProcessId> {
        self.processes.iter().filter(|id| id.exists())
    }

    /// The file of the first process that is alive.
    fn executable(&self) -> Option<PathBuf> {
        self.living()
            .find_map(|id| fs::read_link(format!("/proc/{}/exe", id.pid)).ok())
            // A file that was removed cannot be given capabilities (`d_path`, fs/d_path.c).
            .filter(|file| !file.as_os_str().as_bytes().ends_with(b" (deleted)"))
    }

    /// The user of all its processes; unknown if they differ.
    fn runs_as(&self) -> RunsAs {
        let users: BTreeSet<u32> = self
            .living()
            .filter_map(|id| Some(fs::metadata(format!("/proc/{}/task", id.pid)).ok()?.uid()))
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
}

/// The processes in these cgroups and below them, without this one.
fn processes_in(known: &Cgroups, found: &[Found]) -> Vec<ProcessId> {
    let processes = found.iter().flat_map(|found| known.processes(found));
    let others = processes.filter(|&pid| pid != std::process::id());
    others.filter_map(ProcessId::of).collect()
}

fn process(id: ProcessId) -> String {
    let pid = id.pid;
    match process_name(pid).filter(|_| id.exists()) {
        Some(name) => format!("process {pid} ({name})"),
        None => format!("process {pid}"),
    }
}

fn cgroup(name: &CgroupName) -> String {
    match name {
        CgroupName::Path(path) => format!("cgroup {path}"),
        CgroupName::Unit(unit) => format!("unit {}", UnitName::new(unit).name),
        CgroupName::UserUnit(unit) => format!("user unit {}", UnitName::new(unit).name),
        CgroupName::Container(id) => format!("container {id}"),
    }
}

/// The inode number of a process's user namespace.
pub fn user_namespace(pid: u32) -> Option<u32> {
    namespace_inode(NamespaceKind::User, &pid.to_string()).ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::parent_id;

    use super::*;

    #[test]
    fn what_is_not_there_is_nothing_to_learn_from() {
        let none = Workload::processes([]).unwrap_err();
        assert!(matches!(none, WorkloadError::Nothing), "{none}");
        let none = Workload::cgroups([]).unwrap_err();
        assert!(matches!(none, WorkloadError::Nothing), "{none}");
        let gone = Workload::processes([parent_id(), 0]).unwrap_err();
        assert!(gone.to_string().starts_with("there is no process 0"));
    }

    #[test]
    fn processes_are_named_by_number_and_name_and_end_when_all_have_ended() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let workload = Workload::processes([child.id()]).unwrap();
        assert!(!workload.has_ended());
        assert!(workload.subject().starts_with("process "));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(workload.has_ended());
        assert_eq!(workload.subject(), format!("process {}", child.id()));
    }

    #[test]
    fn a_unit_without_a_suffix_is_a_service() {
        let unit = |name: &str| cgroup(&CgroupName::Unit(name.to_owned()));
        assert_eq!(unit("nginx"), "unit nginx.service");
        assert_eq!(unit("org.example.nginx"), "unit org.example.nginx.service");
        assert_eq!(unit("a.slice"), "unit a.slice");
    }
}
