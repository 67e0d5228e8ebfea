//! Cgroups that are kept by name: those that exist when a session begins, and what is done where
//! this kernel does not let those to come be followed.

use std::{collections::HashSet, path::PathBuf};

use super::{SessionError, containers::Containers};
use crate::{
    context::cgroups::{CgroupError, Cgroups, Found, Pattern},
    kernel::trace::{
        attach::AttachError,
        filters::{Filters, FollowedName},
        followed::Table,
        tracer::Ready,
    },
};

#[cfg(test)]
mod tests;

/// Follows the cgroups that a filter names, if it names some, from now on. Returns the containers
/// among them.
///
/// # Errors
///
/// The inner error: this kernel does not let them be followed. The outer one: those that exist
/// cannot be found or kept.
pub(super) fn begin(
    ready: &mut Ready,
) -> Result<Result<Option<Containers>, AttachError>, SessionError> {
    match ready.follow_cgroups() {
        Ok(None) => Ok(Ok(None)),
        Ok(Some(table)) => {
            let containers = Containers::of(table)?;
            keep_existing(table)?;
            Ok(Ok(containers))
        }
        Err(error) => Ok(Err(error)),
    }
}

/// What those that exist are recognised by.
enum Existing {
    Patterns(Vec<Pattern>),
    /// A container: its engine knows better than the name of its cgroup.
    Ids(Vec<u64>),
}

impl Existing {
    fn of(cgroups: &Cgroups, name: &FollowedName) -> Result<Self, SessionError> {
        let Some(given) = &name.container else {
            return Ok(Self::Patterns(patterns(name)));
        };
        let found = containers(cgroups, given)?;
        Ok(Self::Ids(found.iter().map(|found| found.id).collect()))
    }

    fn has(&self, id: u64, path: &str) -> bool {
        match self {
            Self::Patterns(patterns) => patterns.iter().any(|pattern| pattern.matches(path)),
            Self::Ids(ids) => ids.contains(&id),
        }
    }
}

/// The containers with a name that run; none if there is none yet.
fn containers(cgroups: &Cgroups, given: &str) -> Result<Vec<Found>, SessionError> {
    match cgroups.by_container(given) {
        Err(CgroupError::NoContainer { .. }) => Ok(Vec::new()),
        found => Ok(found?),
    }
}

/// Keeps those that exist. The kernel side follows new ones already; it knows one before what is in
/// it is read here, so that one which is made in it meanwhile is not missed either.
fn keep_existing(table: &mut Table) -> Result<(), SessionError> {
    let cgroups = Cgroups::open()?;
    let names = table.names().map(|name| Existing::of(&cgroups, name));
    let names: Vec<Existing> = names.collect::<Result<_, _>>()?;
    let mut kept = HashSet::new();
    let mut result = Ok(());
    cgroups.walk(|id, path| {
        let matching: Vec<usize> = (0..names.len())
            .filter(|&name| names[name].has(id, path))
            .collect();
        if result.is_ok() && (!matching.is_empty() || kept.contains(around(path))) {
            kept.insert(path.to_owned());
            result = table.keep(id, &matching);
        }
    });
    result.map_err(SessionError::refused)
}

/// Keeps those that were made before these patterns were compared, for the name at this position.
///
/// # Errors
///
/// They cannot be found or kept.
pub(super) fn keep_late(
    table: &mut Table,
    position: usize,
    patterns: &[Pattern],
) -> Result<(), SessionError> {
    let cgroups = Cgroups::open()?;
    let mut kept = HashSet::new();
    let mut result = Ok(());
    cgroups.walk(|id, path| {
        if result.is_err() {
            return;
        }
        if patterns.iter().any(|pattern| pattern.matches(path)) {
            result = table.keep_late(id, position);
        } else if kept.contains(around(path)) {
            result = table.keep(id, &[]);
        } else {
            return;
        }
        kept.insert(path.to_owned());
    });
    result.map_err(SessionError::refused)
}

/// The path of the cgroup around another.
fn around(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(around, _)| around)
}

/// Filters that keep only the cgroups that exist now.
///
/// # Errors
///
/// None exists, or they cannot be found.
pub(super) fn existing(filters: &Filters, why: &AttachError) -> Result<Filters, SessionError> {
    let cgroups = Cgroups::open()?;
    let mut directories: Vec<PathBuf> = Vec::new();
    for name in &filters.followed {
        let names = Existing::of(&cgroups, name)?;
        let before = directories.len();
        cgroups.walk(|id, path| {
            if names.has(id, path) {
                directories.push(cgroups.directory(path));
            }
        });
        if directories.len() == before {
            return Err(SessionError::CannotWait {
                name: name.name.clone(),
                why: why.to_string(),
            });
        }
    }
    let mut filters = filters.clone();
    filters.followed.clear();
    filters.cgroups.append(&mut directories);
    Ok(filters)
}

/// The sentence about what is missed where only those that exist are kept.
pub(super) fn gap(filters: &Filters, why: &AttachError) -> String {
    let names: Vec<&str> = filters
        .followed
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    format!(
        "a restart of {} is not followed, because its new cgroup cannot be recognised: {why}",
        names.join(", ")
    )
}

fn patterns(name: &FollowedName) -> Vec<Pattern> {
    let patterns = name.patterns.iter().copied();
    patterns.map(Pattern::from_kernel).collect()
}
