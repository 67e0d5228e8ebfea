//! Cgroups that are followed by name: those that exist, and those that are made later.
//!
//! The kernel side recognises the latter and puts their ids into a table, those below them too, and
//! takes them out again (capable-ebpf/src/cgroups.rs). The former come from whoever can walk through
//! the hierarchy, once these programs are attached: so none is missed in between.

use std::fmt;

use aya::maps::{Array, HashMap, MapData, MapError};
use capable_common::{CgroupPattern, NO_OFFSET, Offsets};

use super::{
    attach::AttachError,
    error::TracerError,
    filters::{Filters, FollowedName},
};
use crate::kernel::bpf::object::Object;

/// What was seen of the cgroups of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// The name, in words: `unit nginx.service`.
    pub name: String,
    /// Whether there can be several cgroups of this name at once, as of a template's instances.
    pub several: bool,
    /// How many existed when the trace began.
    pub existed: u64,
    /// How many were made since then.
    pub made: u64,
}

impl Followed {
    /// How many times it was started again; `None` if that cannot be told from the start of another
    /// of this name.
    pub fn restarts(&self) -> Option<u64> {
        (!self.several).then(|| (self.existed + self.made).saturating_sub(1))
    }
}

impl fmt::Display for Followed {
    /// In words: `unit nginx.service was restarted 1×`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            several,
            existed,
            made,
        } = self;
        match (existed, made) {
            (0, 0) => write!(f, "{name} was not started"),
            (0, _) => write!(f, "{name} was started {made}×"),
            (_, _) if !several => write!(f, "{name} was restarted {made}×"),
            (_, _) => write!(f, "{name}: {existed} ran, and {made} were started"),
        }
    }
}

/// The tables.
pub struct Table {
    ids: HashMap<MapData, u64, u32>,
    patterns: Array<MapData, Pattern>,
    /// The names, and how many cgroups of each existed.
    names: Vec<(FollowedName, u64)>,
    /// How many that exist found no room.
    pub(super) lost: u64,
}

impl Table {
    /// Takes the tables for these filters out of an object; `None` if they do not use them.
    pub(super) fn open(
        object: &mut Object,
        filters: &Filters,
    ) -> Result<Option<Self>, TracerError> {
        if filters.followed.is_empty() {
            return Ok(None);
        }
        let mut patterns: Array<MapData, Pattern> = object.take_map("CGROUP_PATTERNS")?;
        let all = filters.followed.iter().flat_map(|name| &name.patterns);
        for (index, pattern) in (0..).zip(all) {
            patterns
                .set(index, Pattern(*pattern), 0)
                .map_err(|error| TracerError::Map("CGROUP_PATTERNS", error))?;
        }
        let names = filters.followed.iter().cloned();
        Ok(Some(Self {
            ids: object.take_map("CGROUP_IDS")?,
            patterns,
            names: names.map(|name| (name, 0)).collect(),
            lost: 0,
        }))
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &FollowedName> {
        self.names.iter().map(|(name, _)| name)
    }

    /// Keeps a cgroup that exists, which has some of the names, by their positions, or is below one
    /// that has. One that finds no room is counted as lost, as on the kernel side.
    pub fn keep(&mut self, id: u64, names: &[usize]) -> Result<(), TracerError> {
        for &name in names {
            if let Some((_, existed)) = self.names.get_mut(name) {
                *existed += 1;
            }
        }
        match self.ids.insert(id, 1, 0) {
            Err(MapError::SyscallError(error))
                if error.io_error.raw_os_error() == Some(libc::E2BIG) =>
            {
                self.lost += 1;
                Ok(())
            }
            inserted => inserted.map_err(|error| TracerError::Map("CGROUP_IDS", error)),
        }
    }

    /// The ids that are in the table now.
    #[cfg(test)]
    pub fn ids(&self) -> std::collections::BTreeSet<u64> {
        self.ids.keys().map_while(Result::ok).collect()
    }

    /// What was seen so far, for each name.
    pub(super) fn seen(&self) -> Result<Vec<Followed>, MapError> {
        let mut index = 0;
        let mut seen = Vec::new();
        for (name, existed) in &self.names {
            let mut made = 0;
            for _ in &name.patterns {
                made += self.patterns.get(&index, 0)?.0.made;
                index += 1;
            }
            seen.push(Followed {
                name: name.name.clone(),
                several: name.several,
                existed: *existed,
                made,
            });
        }
        Ok(seen)
    }
}

/// Whether this kernel tells what the kernel side needs to recognise a new cgroup.
pub(super) fn is_told(offsets: &Offsets) -> Result<(), AttachError> {
    let needed = [
        offsets.cgroup_self,
        offsets.cgroup_parent,
        offsets.cgroup_node,
        offsets.cgroup_root,
        offsets.cgroup_root_hierarchy,
        offsets.node_id,
        offsets.node_name,
    ];
    if needed.contains(&NO_OFFSET) {
        return Err(AttachError::NotInBtf("tracepoint cgroup_mkdir"));
    }
    Ok(())
}

/// A pattern, as aya takes it.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Pattern(CgroupPattern);

// SAFETY: the pattern is made of integers and has no padding.
unsafe impl aya::Pod for Pattern {}

#[cfg(test)]
mod tests {
    use super::*;

    fn followed(several: bool, existed: u64, made: u64) -> Followed {
        Followed {
            name: "unit a".to_owned(),
            several,
            existed,
            made,
        }
    }

    #[test]
    fn what_ran_before_was_restarted_and_what_did_not_was_started() {
        for (existed, made, words, restarts) in [
            (0, 0, "unit a was not started", 0),
            (0, 1, "unit a was started 1×", 0),
            (0, 2, "unit a was started 2×", 1),
            (1, 0, "unit a was restarted 0×", 0),
            (1, 2, "unit a was restarted 2×", 2),
        ] {
            let followed = followed(false, existed, made);
            assert_eq!(followed.to_string(), words);
            assert_eq!(followed.restarts(), Some(restarts), "{words}");
        }
    }

    #[test]
    fn a_restart_is_not_told_where_it_may_be_another_of_the_same_name() {
        let followed = followed(true, 1, 2);
        assert_eq!(followed.restarts(), None);
        assert_eq!(followed.to_string(), "unit a: 1 ran, and 2 were started");
    }
}
