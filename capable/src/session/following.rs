//! Cgroups that are kept by name: those that exist when a session begins, and what is done where
//! this kernel does not let those to come be followed.

use std::{collections::HashSet, path::PathBuf};

use super::SessionError;
use crate::{
    context::cgroups::{Cgroups, Pattern},
    kernel::trace::{
        attach::AttachError,
        filters::{Filters, FollowedName},
        followed::Table,
        tracer::Ready,
    },
};

#[cfg(test)]
mod tests;

/// Follows the cgroups that a filter names, if it names some, from now on.
///
/// # Errors
///
/// The inner error: this kernel does not let them be followed. The outer one: those that exist
/// cannot be found or kept.
pub(super) fn begin(ready: &mut Ready) -> Result<Result<(), AttachError>, SessionError> {
    match ready.follow_cgroups() {
        Ok(None) => Ok(Ok(())),
        Ok(Some(table)) => keep_existing(table).map(Ok),
        Err(error) => Ok(Err(error)),
    }
}

/// Keeps those that exist. The kernel side follows new ones already; it knows one before what is in
/// it is read here, so that one which is made in it meanwhile is not missed either.
fn keep_existing(table: &mut Table) -> Result<(), SessionError> {
    let cgroups = Cgroups::open()?;
    let names: Vec<Vec<Pattern>> = table.names().map(patterns).collect();
    let mut kept = HashSet::new();
    let mut result = Ok(());
    cgroups.walk(|id, path| {
        let matching: Vec<usize> = (0..names.len())
            .filter(|&name| names[name].iter().any(|pattern| pattern.matches(path)))
            .collect();
        let around = path.rsplit_once('/').map_or("", |(around, _)| around);
        if result.is_ok() && (!matching.is_empty() || kept.contains(around)) {
            kept.insert(path.to_owned());
            result = table.keep(id, &matching);
        }
    });
    result.map_err(SessionError::refused)
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
        let patterns = patterns(name);
        let before = directories.len();
        cgroups.walk(|_, path| {
            if patterns.iter().any(|pattern| pattern.matches(path)) {
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
