//! What the user asked to see, in the form that the kernel side takes: constants and tables.

use std::{fs::File, io, path::PathBuf};

use aya::maps::{Array, CgroupArray, HashMap, MapData, MapError};
use capable_common::{
    CgroupPattern, CommPattern, Config, Listed, MAX_CGROUP_PATTERNS, MAX_CGROUPS,
    MAX_COMM_PATTERNS, NamespaceFilter,
};
use thiserror::Error;

use crate::capability::CapabilitySet;
use crate::event::ProcessId;
use crate::kernel::bpf::object::{Object, ObjectError};

/// What to keep. An empty list keeps all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filters {
    /// Processes.
    pub pids: Vec<ProcessId>,
    /// Threads.
    pub tids: Vec<ProcessId>,
    /// Real user ids.
    pub users: Numbers,
    /// Real group ids.
    pub groups: Numbers,
    /// Patterns of names, compiled by [`super::glob::compile`].
    pub comms: Vec<CommPattern>,
    /// Capabilities; `None` keeps all, including those without a name.
    pub capabilities: Option<CapabilitySet>,
    /// Drop what was denied, or what was granted.
    pub result: Results,
    /// Cgroups, by their directories, and all below them.
    pub cgroups: Vec<PathBuf>,
    /// Cgroups by their names, those to come included, and all below them.
    pub followed: Vec<FollowedName>,
    /// User namespaces.
    pub user_namespaces: Vec<u32>,
    /// Mount namespaces.
    pub mount_namespaces: Vec<u32>,
    /// Pid namespaces.
    pub pid_namespaces: Vec<u32>,
}

/// A name by which cgroups are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowedName {
    /// In words: `unit nginx.service`.
    pub name: String,
    /// Whether there can be several cgroups of this name at once.
    pub several: bool,
    /// The container that it is the name or the id of.
    pub container: Option<String>,
    /// What the cgroups are recognised by.
    pub patterns: Vec<CgroupPattern>,
}

/// Which numbers to keep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Numbers {
    /// All.
    #[default]
    All,
    /// These.
    Only(Vec<u32>),
    /// All but these.
    AllBut(Vec<u32>),
}

impl Numbers {
    /// How the kernel side uses the table of these numbers.
    fn listed(&self) -> Listed {
        match self {
            Self::All => Listed::Nothing,
            Self::Only(_) => Listed::Kept,
            Self::AllBut(_) => Listed::Dropped,
        }
    }

    /// What is in the table.
    fn list(&self) -> &[u32] {
        match self {
            Self::All => &[],
            Self::Only(list) | Self::AllBut(list) => list,
        }
    }
}

/// Which results to keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Results {
    /// Both.
    #[default]
    All,
    /// Granted only.
    Granted,
    /// Denied only.
    Denied,
}

/// A filter that the kernel side cannot take.
#[derive(Debug, Error)]
pub enum FilterError {
    /// There are too many patterns of names.
    #[error("the name patterns are too long together: at most {MAX_COMM_PATTERNS} × 64 characters")]
    TooManyPatterns,
    /// There are too many cgroups.
    #[error("too many cgroups ({0}): at most {MAX_CGROUPS} can be filters")]
    TooManyCgroups(usize),
    /// There are too many names of cgroups.
    #[error(
        "too many units and containers are named: they take {0} patterns, and there is room for \
         {MAX_CGROUP_PATTERNS}; a unit takes one, and a container 10"
    )]
    TooManyNames(usize),
    /// A cgroup is gone.
    #[error("cannot open the cgroup {}: {error}", directory.display())]
    Cgroup {
        /// Its directory.
        directory: PathBuf,
        /// What the kernel answered.
        error: io::Error,
    },
    /// A table could not be filled.
    #[error("cannot fill the table {0}: {1}")]
    Table(&'static str, MapError),
    /// The object has no such table.
    #[error(transparent)]
    Object(#[from] ObjectError),
}

impl Filters {
    /// Takes the processes and threads that have the numbers now for those that are meant.
    ///
    /// # Errors
    ///
    /// None of the processes, or none of the threads, is there: its number is returned.
    pub fn identify(&mut self) -> Result<(), u32> {
        for list in [&mut self.pids, &mut self.tids] {
            let found: Vec<_> = list.iter().filter_map(|id| ProcessId::of(id.pid)).collect();
            // An empty list would keep everything.
            if let (Some(first), true) = (list.first(), found.is_empty()) {
                return Err(first.pid);
            }
            *list = found;
        }
        Ok(())
    }

    /// Leaves it open which of the processes that had a number one after another is meant.
    pub fn forget_starts(&mut self) {
        for id in self.pids.iter_mut().chain(&mut self.tids) {
            id.started = 0;
        }
    }

    /// Sets the constants of a configuration.
    ///
    /// # Errors
    ///
    /// A filter is larger than the kernel side can take.
    pub fn configure(&self, config: &mut Config) -> Result<(), FilterError> {
        let Self {
            pids,
            tids,
            users,
            groups,
            comms,
            capabilities,
            result,
            cgroups,
            followed,
            user_namespaces,
            mount_namespaces,
            pid_namespaces,
        } = self;
        match pids[..] {
            [] => {}
            [only] if config.follow == 0 => {
                config.only_pid = only.pid;
                config.only_started = only.started;
            }
            _ => config.pids = 1,
        }
        config.tids = u8::from(!tids.is_empty());
        config.users = users.listed() as u8;
        config.groups = groups.listed() as u8;
        if comms.len() > MAX_COMM_PATTERNS {
            return Err(FilterError::TooManyPatterns);
        }
        config.comms = comms.len() as u8;
        config.capabilities = capabilities.map_or(u64::MAX, CapabilitySet::bits);
        config.results = match result {
            Results::All => 3,
            Results::Granted => 1,
            Results::Denied => 2,
        };
        if cgroups.len() > MAX_CGROUPS {
            return Err(FilterError::TooManyCgroups(cgroups.len()));
        }
        config.cgroups = cgroups.len() as u32;
        let patterns = followed.iter().map(|one| one.patterns.len()).sum();
        if patterns > MAX_CGROUP_PATTERNS {
            return Err(FilterError::TooManyNames(patterns));
        }
        config.cgroup_patterns = patterns as u32;
        let flag = |list: &[u32]| u8::from(!list.is_empty());
        config.namespaces = NamespaceFilter {
            user: flag(user_namespaces),
            mount: flag(mount_namespaces),
            pid: flag(pid_namespaces),
            reserved: 0,
        };
        Ok(())
    }

    /// The tables of numbers, and what is in each.
    fn tables(&self) -> [(&'static str, Vec<Entry>); 4] {
        let namespaces = [
            &self.user_namespaces[..],
            &self.mount_namespaces,
            &self.pid_namespaces,
        ];
        let numbers = |list: &[u32]| list.iter().map(|&number| (number, 1)).collect();
        let threads = self.tids.iter().map(|thread| (thread.pid, thread.started));
        [
            ("TIDS", threads.collect()),
            ("USERS", numbers(self.users.list())),
            ("GROUPS", numbers(self.groups.list())),
            ("NAMESPACES", numbers(&namespaces.concat())),
        ]
    }

    /// The tables that stay empty and need no room.
    pub(super) fn empty_tables(&self) -> impl Iterator<Item = &'static str> {
        let numbers = self.tables();
        let numbers = numbers
            .into_iter()
            .map(|(name, list)| (name, list.is_empty()));
        let cgroups = [
            ("CGROUPS", self.cgroups.is_empty()),
            ("CGROUP_IDS", self.followed.is_empty()),
            ("CGROUP_PATTERNS", self.followed.is_empty()),
        ];
        numbers
            .chain(cgroups)
            .filter(|&(_, empty)| empty)
            .map(|(name, _)| name)
    }

    /// Fills the tables of an object.
    ///
    /// # Errors
    ///
    /// A table cannot be filled.
    pub fn fill(&self, object: &mut Object) -> Result<(), FilterError> {
        for (name, entries) in self.tables() {
            fill(object, name, &entries)?;
        }
        if !self.cgroups.is_empty() {
            let mut table: CgroupArray<&mut MapData> = object.map("CGROUPS")?;
            for (index, directory) in (0..).zip(&self.cgroups) {
                let cgroup = File::open(directory).map_err(|error| FilterError::Cgroup {
                    directory: directory.clone(),
                    error,
                })?;
                table
                    .set(index, cgroup, 0)
                    .map_err(|error| FilterError::Table("CGROUPS", error))?;
            }
        }
        if !self.comms.is_empty() {
            let mut table: Array<&mut MapData, Pattern> = object.map("COMMS")?;
            for (index, pattern) in (0..).zip(&self.comms) {
                table
                    .set(index, Pattern(*pattern), 0)
                    .map_err(|error| FilterError::Table("COMMS", error))?;
            }
        }
        Ok(())
    }
}

/// A number, and what the table has for it.
type Entry = (u32, u32);

/// Fills a table of numbers.
fn fill(object: &mut Object, name: &'static str, entries: &[Entry]) -> Result<(), FilterError> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut table: HashMap<&mut MapData, u32, u32> = object.map(name)?;
    for (number, value) in entries {
        table
            .insert(number, value, 0)
            .map_err(|error| FilterError::Table(name, error))?;
    }
    Ok(())
}

/// A pattern, as aya takes it.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Pattern(CommPattern);

// SAFETY: the pattern is made of integers and has no padding.
unsafe impl aya::Pod for Pattern {}
