//! Turns a tree into the lists and sets that the kernel side compares with.
//!
//! The kernel side keeps a check that passes the list of every field. So it can decide a
//! conjunction in which each part is about one field: a condition, a choice between conditions, or,
//! if all values of the field are known, the negation of such a part.

use std::path::PathBuf;

use thiserror::Error;

use super::{Condition, Expression, Field};
use crate::{
    capability::CapabilitySet,
    context::cgroups::{CgroupName, Pattern},
    event::ProcessId,
    kernel::trace::{
        filters::{Filters, FollowedName, Numbers, Results},
        glob::{self, GlobError},
    },
};

/// An expression that the kernel side cannot decide.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum LowerError {
    /// No check can satisfy it.
    #[error("no check can match: the conditions on the {0} exclude each other")]
    NothingMatches(Field),
    /// A choice between nothing, which no check can satisfy.
    #[error("no check can match a choice without conditions")]
    EmptyChoice,
    /// A choice between conditions on different fields.
    #[error("the kernel side cannot choose between a condition on the {0} and one on the {1}")]
    MixedChoice(Field, Field),
    /// A condition that is not about a single field.
    #[error("the kernel side cannot choose between combined conditions, nor negate them")]
    Combined,
    /// A negated condition on a field whose other values cannot be listed.
    #[error("the kernel side cannot leave out a {0}; it can only keep those that are listed")]
    Exclusion(Field),
    /// Two lists for one field, neither of which can be reduced to the other.
    #[error("the kernel side takes one list for the {0}, and two must hold at once")]
    TwoLists(Field),
    /// There is no process or thread with this number.
    #[error("there is no process or thread {0}")]
    NoTask(u32),
    /// A glob is malformed, or matches no name.
    #[error(transparent)]
    Glob(#[from] GlobError),
}

/// The filters of the kernel side that keep exactly what satisfies the expression.
///
/// # Errors
///
/// The kernel side cannot decide it, or no check can satisfy it.
pub(crate) fn lower(expression: &Expression) -> Result<Filters, LowerError> {
    let mut filters = Filters::default();
    conjunct(&mut filters, expression)?;
    Ok(filters)
}

/// Adds an expression that must hold too.
fn conjunct(filters: &mut Filters, expression: &Expression) -> Result<(), LowerError> {
    match expression {
        Expression::All(parts) => parts.iter().try_for_each(|part| conjunct(filters, part)),
        Expression::Any(choices) => keep(filters, &conditions(choices)?),
        Expression::Is(condition) => keep(filters, &[condition]),
        Expression::Not(inner) => match &**inner {
            Expression::Is(condition) => exclude(filters, condition),
            Expression::Any(choices) => conditions(choices)?
                .into_iter()
                .try_for_each(|condition| exclude(filters, condition)),
            Expression::Not(twice) => conjunct(filters, twice),
            Expression::All(_) => Err(LowerError::Combined),
        },
    }
}

/// The conditions of a choice that consists only of conditions.
fn conditions(choices: &[Expression]) -> Result<Vec<&Condition>, LowerError> {
    let conditions = choices.iter().map(|choice| match choice {
        Expression::Is(condition) => Ok(condition),
        _ => Err(LowerError::Combined),
    });
    conditions.collect()
}

/// Keeps what satisfies any of these conditions, which must be about a single field.
fn keep(filters: &mut Filters, choices: &[&Condition]) -> Result<(), LowerError> {
    let field = choices.first().ok_or(LowerError::EmptyChoice)?.field();
    if let Some(other) = choices.iter().find(|choice| choice.field() != field) {
        return Err(LowerError::MixedChoice(field, other.field()));
    }
    let mut choice = Choice::default();
    for condition in choices {
        choice.add(condition);
    }
    let Choice {
        numbers,
        globs,
        directories,
        names,
        capabilities,
        granted,
        denied,
    } = choice;
    match field {
        Field::Process => list_of(&mut filters.pids, processes(&numbers), field),
        Field::Thread => list_of(&mut filters.tids, processes(&numbers), field),
        Field::User => keep_numbers(&mut filters.users, numbers, field),
        Field::Group => keep_numbers(&mut filters.groups, numbers, field),
        Field::UserNamespace => list_of(&mut filters.user_namespaces, numbers, field),
        Field::MountNamespace => list_of(&mut filters.mount_namespaces, numbers, field),
        Field::PidNamespace => list_of(&mut filters.pid_namespaces, numbers, field),
        Field::Comm => once(&mut filters.comms, glob::compile(&globs)?, field),
        Field::Cgroup => keep_cgroups(filters, directories, names),
        Field::Capability => keep_capabilities(filters, capabilities),
        Field::Result => match (granted, denied) {
            (true, false) => keep_result(filters, Results::Granted),
            (false, true) => keep_result(filters, Results::Denied),
            _ => Ok(()),
        },
    }
}

/// Drops what satisfies the condition.
fn exclude(filters: &mut Filters, condition: &Condition) -> Result<(), LowerError> {
    match condition {
        Condition::User(number) => drop_number(&mut filters.users, *number, Field::User),
        Condition::Group(number) => drop_number(&mut filters.groups, *number, Field::Group),
        Condition::Capability(capability) => {
            let mut others = CapabilitySet::from_bits(u64::MAX);
            others.remove(*capability);
            keep_capabilities(filters, others)
        }
        Condition::Granted => keep_result(filters, Results::Denied),
        Condition::Denied => keep_result(filters, Results::Granted),
        other => Err(LowerError::Exclusion(other.field())),
    }
}

/// The values of the conditions of one choice.
#[derive(Default)]
struct Choice {
    numbers: Vec<u32>,
    globs: Vec<String>,
    directories: Vec<PathBuf>,
    names: Vec<FollowedName>,
    capabilities: CapabilitySet,
    granted: bool,
    denied: bool,
}

impl Choice {
    fn add(&mut self, condition: &Condition) {
        match condition {
            Condition::Process(number)
            | Condition::Thread(number)
            | Condition::User(number)
            | Condition::Group(number)
            | Condition::UserNamespace(number)
            | Condition::MountNamespace(number)
            | Condition::PidNamespace(number) => self.numbers.push(*number),
            Condition::Comm(glob) => self.globs.push(glob.clone()),
            Condition::Cgroup(directory) => self.directories.push(directory.clone()),
            Condition::Unit(name) => self.add_name(condition, &CgroupName::Unit(name.clone())),
            Condition::UserUnit(name) => {
                self.add_name(condition, &CgroupName::UserUnit(name.clone()));
            }
            Condition::Container(name) => {
                self.add_name(condition, &CgroupName::Container(name.clone()));
            }
            Condition::Capability(capability) => {
                self.capabilities.insert(*capability);
            }
            Condition::Granted => self.granted = true,
            Condition::Denied => self.denied = true,
        }
    }

    fn add_name(&mut self, condition: &Condition, name: &CgroupName) {
        let patterns = name.patterns().unwrap_or_default();
        self.names.push(FollowedName {
            name: condition.to_string(),
            several: name.is_of_several(),
            container: match name {
                CgroupName::Container(name) => Some(name.clone()),
                _ => None,
            },
            patterns: patterns.into_iter().map(Pattern::of_kernel).collect(),
        });
    }
}

/// Processes or threads whose start is not looked up yet.
fn processes(numbers: &[u32]) -> Vec<ProcessId> {
    let process = |&pid| ProcessId { pid, started: 0 };
    numbers.iter().map(process).collect()
}

/// Narrows a list to what another list has too. An empty list keeps all.
fn list_of<T: PartialEq>(
    list: &mut Vec<T>,
    wanted: Vec<T>,
    field: Field,
) -> Result<(), LowerError> {
    if list.is_empty() {
        *list = wanted;
        return Ok(());
    }
    list.retain(|number| wanted.contains(number));
    if list.is_empty() {
        return Err(LowerError::NothingMatches(field));
    }
    Ok(())
}

/// Narrows what is kept for a field that can also leave numbers out.
fn keep_numbers(kept: &mut Numbers, mut wanted: Vec<u32>, field: Field) -> Result<(), LowerError> {
    match kept {
        Numbers::All => {}
        Numbers::Only(list) => wanted.retain(|number| list.contains(number)),
        Numbers::AllBut(list) => wanted.retain(|number| !list.contains(number)),
    }
    if wanted.is_empty() {
        return Err(LowerError::NothingMatches(field));
    }
    *kept = Numbers::Only(wanted);
    Ok(())
}

/// Leaves one number out of what is kept for such a field.
fn drop_number(kept: &mut Numbers, unwanted: u32, field: Field) -> Result<(), LowerError> {
    match kept {
        Numbers::All => *kept = Numbers::AllBut(vec![unwanted]),
        Numbers::AllBut(list) => list.push(unwanted),
        Numbers::Only(list) => {
            list.retain(|&number| number != unwanted);
            if list.is_empty() {
                return Err(LowerError::NothingMatches(field));
            }
        }
    }
    Ok(())
}

/// Sets a list whose members can overlap, so that two such lists cannot be merged.
fn once<T>(list: &mut Vec<T>, wanted: Vec<T>, field: Field) -> Result<(), LowerError> {
    if !list.is_empty() {
        return Err(LowerError::TwoLists(field));
    }
    *list = wanted;
    Ok(())
}

/// Cgroups may be in one another, so that two lists cannot be merged either.
fn keep_cgroups(
    filters: &mut Filters,
    directories: Vec<PathBuf>,
    names: Vec<FollowedName>,
) -> Result<(), LowerError> {
    if !filters.cgroups.is_empty() || !filters.followed.is_empty() {
        return Err(LowerError::TwoLists(Field::Cgroup));
    }
    (filters.cgroups, filters.followed) = (directories, names);
    Ok(())
}

fn keep_capabilities(filters: &mut Filters, wanted: CapabilitySet) -> Result<(), LowerError> {
    let kept = match filters.capabilities {
        Some(kept) => kept.intersection(wanted),
        None => wanted,
    };
    if kept.is_empty() {
        return Err(LowerError::NothingMatches(Field::Capability));
    }
    filters.capabilities = Some(kept);
    Ok(())
}

fn keep_result(filters: &mut Filters, wanted: Results) -> Result<(), LowerError> {
    if filters.result != Results::All && filters.result != wanted {
        return Err(LowerError::NothingMatches(Field::Result));
    }
    filters.result = wanted;
    Ok(())
}
