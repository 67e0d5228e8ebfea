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
    /// How many of those were made before it was known that they have this name: what was checked
    /// in them until then is missing. Only containers with ids are.
    pub late: u64,
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
            late,
        } = self;
        match (existed, made) {
            (0, 0) => write!(f, "{name} was not started"),
            (0, _) => write!(f, "{name} was started {made}×"),
            (_, _) if !several => write!(f, "{name} was restarted {made}×"),
            (_, _) => write!(f, "{name}: {existed} ran, and {made} were started"),
        }?;
        match late {
            0 => Ok(()),
            _ => write!(
                f,
                "; what it asked for at first is missing {late}×, because its engine named it too late"
            ),
        }
    }
}

/// The tables.
pub struct Table {
    ids: HashMap<MapData, u64, u32>,
    patterns: Array<MapData, Pattern>,
    names: Vec<Name>,
    /// How many that exist found no room.
    pub(super) lost: u64,
}

/// A name, with what is known of its cgroups beside what its patterns count.
struct Name {
    name: FollowedName,
    /// How many existed.
    existed: u64,
    /// How many were made that patterns matched which are no longer compared, or that came late.
    made: u64,
    late: u64,
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
            names: names
                .map(|name| Name {
                    name,
                    existed: 0,
                    made: 0,
                    late: 0,
                })
                .collect(),
            lost: 0,
        }))
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &FollowedName> {
        self.names.iter().map(|one| &one.name)
    }

    /// Keeps a cgroup that exists, which has some of the names, by their positions, or is below one
    /// that has. One that finds no room is counted as lost, as on the kernel side.
    pub fn keep(&mut self, id: u64, names: &[usize]) -> Result<(), TracerError> {
        for &name in names {
            if let Some(one) = self.names.get_mut(name) {
                one.existed += 1;
            }
        }
        self.insert(id)
    }

    fn insert(&mut self, id: u64) -> Result<(), TracerError> {
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

    /// Keeps a cgroup that was made before it was known that it has a name, by the name's position,
    /// unless it is kept already.
    pub fn keep_late(&mut self, id: u64, name: usize) -> Result<(), TracerError> {
        if self.ids.get(&id, 0).is_ok() {
            return Ok(());
        }
        if let Some(one) = self.names.get_mut(name) {
            one.made += 1;
            one.late += 1;
        }
        self.insert(id)
    }

    /// Compares other patterns instead of the last ones of a name, by its position.
    pub fn exchange(&mut self, name: usize, last: &[CgroupPattern]) -> Result<(), TracerError> {
        let refused = |error| TracerError::Map("CGROUP_PATTERNS", error);
        let before = self.names.iter().take(name);
        let before: usize = before.map(|one| one.name.patterns.len()).sum();
        let Some(one) = self.names.get_mut(name) else {
            return Ok(());
        };
        let kept = one.name.patterns.len().saturating_sub(last.len());
        one.name.patterns.truncate(kept);
        one.name.patterns.extend(last);
        for (index, pattern) in (before + kept..).zip(last) {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            one.made += self.patterns.get(&index, 0).map_err(refused)?.0.made;
            self.patterns
                .set(index, Pattern(*pattern), 0)
                .map_err(refused)?;
        }
        Ok(())
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
        for one in &self.names {
            let Name {
                name,
                existed,
                made,
                late,
            } = one;
            let mut made = *made;
            for _ in &name.patterns {
                made += self.patterns.get(&index, 0)?.0.made;
                index += 1;
            }
            seen.push(Followed {
                name: name.name.clone(),
                several: name.several,
                existed: *existed,
                made,
                late: *late,
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
            late: 0,
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

    #[test]
    fn what_was_named_too_late_is_told() {
        let mut late = followed(false, 0, 1);
        late.late = 1;
        assert_eq!(
            late.to_string(),
            "unit a was started 1×; what it asked for at first is missing 1×, because its engine \
             named it too late"
        );
    }
}
