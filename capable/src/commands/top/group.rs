//! What a row of the table stands for.

use std::collections::{BTreeMap, HashMap};

use clap::ValueEnum;

use super::sample::{Checks, Sample};
use crate::{
    capability::Capability,
    commands::alike::Alike,
    event::{Decision, comm_bytes},
    session::Who,
};

/// What is taken together in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Group {
    /// Checks with the same process, capability and result
    Check,
    /// Checks of the same process
    Process,
    /// Checks for the same capability
    Capability,
    /// Checks with the same result
    Result,
    /// Checks of the same cgroup
    Cgroup,
}

impl Group {
    /// The next one, starting over after the last.
    pub fn next(self) -> Self {
        let all = Self::value_variants();
        let at = all.iter().position(|&group| group == self).unwrap_or(0);
        all[(at + 1) % all.len()]
    }

    /// As part of a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Process => "process",
            Self::Capability => "capability",
            Self::Result => "result",
            Self::Cgroup => "cgroup",
        }
    }

    /// What the checks of a row have in common.
    fn key(self, alike: &Alike) -> Key {
        let &Alike {
            who,
            cgroup,
            capability,
            decision,
        } = alike;
        let (who, capability, decision) = (Some(who), Some(capability), Some(decision));
        match self {
            Self::Check => Key {
                who,
                capability,
                decision,
            },
            Self::Process => Key {
                who,
                ..Key::default()
            },
            Self::Cgroup => Key {
                who: cgroup.map(Who::Cgroup),
                ..Key::default()
            },
            Self::Capability => Key {
                capability,
                ..Key::default()
            },
            Self::Result => Key {
                decision,
                ..Key::default()
            },
        }
    }

    /// What a row tells about its checks besides their number.
    fn part(self, alike: &Alike) -> Option<Part> {
        match (self, alike.who) {
            (Self::Check, _) => None,
            (Self::Capability, Who::Process(_, comm) | Who::Ended(comm)) => Some(Part::Comm(comm)),
            _ => Some(Part::Capability(alike.capability)),
        }
    }
}

/// What the checks of a row have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Key {
    /// Who asked.
    pub who: Option<Who>,
    /// The capability.
    pub capability: Option<Capability>,
    /// The result.
    pub decision: Option<Decision>,
}

/// Something that the checks of a row consist of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Those for a capability.
    Capability(Capability),
    /// Those of tasks with a name.
    Comm([u8; 16]),
}

/// A row of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What its checks have in common.
    pub key: Key,
    /// Its name, by which it sorts and which is printed escaped: of the task, the capability or the
    /// cgroup.
    pub name: Vec<u8>,
    /// How many checks.
    pub checks: Checks,
    /// Checks per second.
    pub rate: f64,
    /// How many were denied; `None` if no result is known.
    pub denied: Option<u64>,
    /// What it consists of, the most frequent first.
    pub parts: Vec<(Part, u64)>,
}

/// Groups a reading into rows, in no particular order. `cgroup` names a cgroup by its id.
pub fn rows(sample: &Sample, group: Group, mut cgroup: impl FnMut(u64) -> Vec<u8>) -> Vec<Row> {
    #[derive(Default)]
    struct Sum {
        checks: Checks,
        denied: Option<u64>,
        parts: BTreeMap<Part, u64>,
    }
    let mut sums: HashMap<Key, Sum> = HashMap::new();
    for (alike, &checks) in &sample.checks {
        let sum = sums.entry(group.key(alike)).or_default();
        sum.checks += checks;
        match alike.decision {
            Decision::Denied => *sum.denied.get_or_insert(0) += checks.total,
            Decision::Granted => {
                sum.denied.get_or_insert(0);
            }
            Decision::Unknown => {}
        }
        if let Some(part) = group.part(alike) {
            *sum.parts.entry(part).or_default() += checks.total;
        }
    }
    sums.into_iter()
        .map(|(key, sum)| {
            let mut parts: Vec<(Part, u64)> = sum.parts.into_iter().collect();
            parts.sort_by_key(|&(part, checks)| (std::cmp::Reverse(checks), part));
            Row {
                key,
                name: match key {
                    Key {
                        who: Some(Who::Process(_, comm) | Who::Ended(comm)),
                        ..
                    } => comm_bytes(&comm).to_vec(),
                    Key {
                        who: Some(Who::Cgroup(id)),
                        ..
                    } => cgroup(id),
                    Key {
                        capability: Some(capability),
                        ..
                    } => capability.to_string().into_bytes(),
                    Key { decision, .. } => decision.map_or("", Decision::word).as_bytes().to_vec(),
                },
                checks: sum.checks,
                rate: sample.rate(sum.checks),
                denied: sum.denied,
                parts,
            }
        })
        .collect()
}
