//! Or-chains: the kernel asks for a narrow capability and, when that is denied, for a wide one.
//!
//! If the narrow one is held, the wide one is never asked for. So if the narrow one was denied and
//! the wide one granted, the program should be given the narrow one. The two checks are matched by
//! counting: same process, function, system call, namespace and phase.

use super::listing::{self, Lists};
use super::{Class, Finding, Rule, Ruling, Why};
use crate::capability::Capability;
use crate::profile::observation::{Case, Observation};

/// Observations that belong to a chain in whole or in part; `role` says as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The checks; the count is that of this part only.
    pub observation: Observation,
    /// Their role in a chain; `None` for checks on their own.
    pub role: Option<Role>,
}

/// The role of checks in an or-chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The narrow one: denied, after which the wide one was granted.
    NarrowInsteadOf(Capability),
    /// The wide one: granted because the narrow one was not held.
    WideInsteadOf(Capability),
    /// The wide one: denied after the narrow one was denied.
    WideInVain(Capability),
    /// The wide one: asked for first and granted, so that the narrow one was never asked for.
    WideBefore(Capability),
    /// The narrow one of such a chain: no check was made for it, and the count is zero.
    NarrowNeverAsked(Capability),
    /// Of no chain: a file of another process, opened by a program that lists processes.
    Listed,
}

/// The capability that the kernel accepts instead of this one at the place of the check.
///
/// The atlas tells this for places that it knows. For any other place, the chains apply that hold
/// wherever the narrow one is asked for.
pub(super) fn wider(case: &Case) -> Option<Capability> {
    let narrow = case.facts.capability;
    match &case.place {
        Some(place) => place.takes_instead_of(narrow),
        None => narrow.wider(),
    }
}

/// Finds the chains among the observations, and splits each observation into the part that a chain
/// explains and the rest. No check is lost: the counts add up to the original ones.
pub fn split(observations: &[Observation]) -> Vec<Part> {
    let mut left: Vec<u64> = observations.iter().map(|each| each.count).collect();
    let mut parts = Vec::new();
    for (place, narrow) in observations.iter().enumerate() {
        let denied = narrow.case.facts.is_denied() && left[place] > 0;
        if let Some(wide) = wider(&narrow.case).filter(|_| denied) {
            link(observations, &mut left, &mut parts, place, wide);
        }
    }
    let lists = Lists::new(observations);
    for (observation, &count) in observations.iter().zip(&left) {
        match asked_first(&observation.case) {
            Some(narrow) if count > 0 => {
                take(
                    &mut parts,
                    observation,
                    count,
                    Some(Role::WideBefore(narrow)),
                );
                let mut never_asked = Observation {
                    count: 0,
                    ..observation.clone()
                };
                never_asked.case.facts.capability = narrow;
                parts.push(Part {
                    observation: never_asked,
                    role: Some(Role::NarrowNeverAsked(observation.case.facts.capability)),
                });
            }
            _ => {
                let role = lists.opened(&observation.case).then_some(Role::Listed);
                take(&mut parts, observation, count, role);
            }
        }
    }
    parts
}

/// Matches the denials of one narrow capability with the wide one's denials and grants at the same
/// place. Denials are matched first; wide checks without a match remain on their own.
fn link(
    observations: &[Observation],
    left: &mut [u64],
    parts: &mut Vec<Part>,
    place: usize,
    wide: Capability,
) {
    let narrow = &observations[place];
    let partners = |denied: bool| {
        observations.iter().enumerate().filter(move |(_, other)| {
            let facts = &other.case.facts;
            facts.capability == wide
                && (if denied {
                    facts.is_denied()
                } else {
                    facts.is_granted_by_bit()
                })
                && same_place(&narrow.case, &other.case)
        })
    };
    let mut unlinked = left[place];
    for (partner, other) in partners(true) {
        let linked = unlinked.min(left[partner]);
        unlinked -= linked;
        left[partner] -= linked;
        take(
            parts,
            other,
            linked,
            Some(Role::WideInVain(narrow.case.facts.capability)),
        );
    }
    let mut needed = 0;
    for (partner, other) in partners(false) {
        let linked = unlinked.min(left[partner]);
        unlinked -= linked;
        left[partner] -= linked;
        needed += linked;
        take(
            parts,
            other,
            linked,
            Some(Role::WideInsteadOf(narrow.case.facts.capability)),
        );
    }
    left[place] -= needed;
    take(parts, narrow, needed, Some(Role::NarrowInsteadOf(wide)));
}

fn take(parts: &mut Vec<Part>, observation: &Observation, count: u64, role: Option<Role>) {
    if count > 0 {
        parts.push(Part {
            observation: Observation {
                count,
                ..observation.clone()
            },
            role,
        });
    }
}

/// Whether both checks were made by the same process at the same place.
fn same_place(one: &Case, other: &Case) -> bool {
    one.program == other.program
        && one.pid == other.pid
        && one.caller_symbol() == other.caller_symbol()
        && one.syscall == other.syscall
        && one.facts.owner == other.facts.owner
        && one.facts.target == other.facts.target
        && one.target_is_home == other.target_is_home
        && one.facts.task == other.facts.task
        && one.phase == other.phase
}

/// The narrow capability that the kernel would have accepted if it had got as far as asking for it:
/// since 5.16 `ioprio_check_cap` asks for CAP_SYS_ADMIN first, so that security modules log no
/// denial of CAP_SYS_NICE (block/ioprio.c).
fn asked_first(case: &Case) -> Option<Capability> {
    let place = case.place.as_ref()?;
    let granted = case.facts.is_granted_by_bit();
    granted
        .then(|| place.takes_as_well_as(case.facts.capability))
        .flatten()
}

/// The ruling for a role in a chain.
pub(super) fn ruling(case: &Case, role: Role) -> Ruling {
    let at = |asked: &'static str| Why::from(asked).origin(case);
    match role {
        Role::Listed => listing::ruling(case),
        Role::NarrowInsteadOf(wide) => Ruling::Counts(Finding {
            class: Class::Needed,
            rule: Rule::OrChain,
            certain: case.caller_symbol().is_some(),
            why: at("denied ")
                .text(", after which ")
                .capability(wide)
                .text(" was granted: this narrower capability is enough"),
            alternative: Some(wide),
        }),
        Role::NarrowNeverAsked(wide) => Ruling::Counts(Finding {
            class: Class::Needed,
            rule: Rule::OrChain,
            certain: case.caller_symbol().is_some(),
            why: at("never asked for ")
                .text(", because ")
                .capability(wide)
                .text(" was granted first: this narrower capability is enough"),
            alternative: Some(wide),
        }),
        Role::WideInsteadOf(narrow) => Finding::sure_of_caller(
            case,
            Class::AskedNotNeeded,
            Rule::OrChain,
            at("granted ")
                .text(" only because ")
                .capability(narrow)
                .text(" was not held, which is enough"),
        ),
        Role::WideInVain(narrow) => Finding::sure_of_caller(
            case,
            Class::AskedNotNeeded,
            Rule::OrChain,
            at("denied ")
                .text(" after ")
                .capability(narrow)
                .text(" was denied: if either is needed, that narrower one is enough"),
        ),
        Role::WideBefore(narrow) => Finding::sure_of_caller(
            case,
            Class::AskedNotNeeded,
            Rule::OrChain,
            at("granted ")
                .text(", where the kernel also accepts ")
                .capability(narrow)
                .text(" but asks for it second"),
        ),
    }
}

#[cfg(test)]
mod tests;
