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

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        fs,
        path::{Path, PathBuf},
    };

    use super::*;
    use crate::{
        filter::{Condition, Expression, lower},
        kernel::trace::settings::{Output, Settings},
        session::Builder,
    };

    /// Names that are, and names that are almost, those of units, slices and users' managers; those
    /// first that units can be in.
    const NAMES: [&str; 20] = [
        "a.slice",
        "a-b.slice",
        "a:b.slice",
        "_a.slice",
        "user@1000.service",
        "user@0123456789.service",
        ".slice",
        "slice",
        "a.service",
        "_a.service",
        "__a.service",
        "a.servicex",
        "xa.service",
        "a@.service",
        "a@i.service",
        "a@service",
        "a@i.socket",
        "user@01234567890.service",
        "user@1x.service",
        "user@.service",
    ];

    /// A tree of cgroups, which is removed when it is dropped.
    struct Tree {
        root: PathBuf,
        made: Vec<PathBuf>,
    }

    impl Tree {
        fn new(cgroups: &Cgroups) -> Self {
            let name = format!("capable-names-{}.slice", std::process::id());
            let root = cgroups.directory(&name);
            fs::create_dir(&root).unwrap();
            Self {
                made: vec![root.clone()],
                root,
            }
        }

        /// Makes cgroups in those that there are already.
        fn grow(&mut self, random: &mut fastrand::Rng, count: usize) {
            for _ in 0..count {
                let around = &self.made[random.usize(..self.made.len())];
                let names = if random.bool() { &NAMES[..6] } else { &NAMES };
                let path = around.join(names[random.usize(..names.len())]);
                if fs::create_dir(&path).is_ok() {
                    self.made.push(path);
                }
            }
        }

        fn remove_half(&mut self) {
            let half = self.made.len() / 2;
            for path in self.made.drain(half..).rev() {
                fs::remove_dir(path).unwrap();
            }
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            for path in self.made.drain(..).rev() {
                let _ = fs::remove_dir(path);
            }
        }
    }

    /// The ids of the cgroups in a tree that filters keep, as user space finds them.
    fn expected(cgroups: &Cgroups, filters: &Filters, root: &Path) -> BTreeSet<u64> {
        let patterns: Vec<Pattern> = filters.followed.iter().flat_map(patterns).collect();
        let (mut kept, mut ids) = (HashSet::new(), BTreeSet::new());
        cgroups.walk(|id, path| {
            let around = path.rsplit_once('/').map_or("", |(around, _)| around);
            if patterns.iter().any(|pattern| pattern.matches(path)) || kept.contains(around) {
                kept.insert(path.to_owned());
                if cgroups.directory(path).starts_with(root) {
                    ids.insert(id);
                }
            }
        });
        ids
    }

    #[test]
    #[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
    fn a_new_cgroup_is_kept_by_its_name_exactly_where_one_that_exists_is() {
        let cgroups = Cgroups::open().unwrap();
        let units = ["a", "a@", "a-b.slice"].map(|unit| Condition::Unit(unit.to_owned()));
        let of_users = ["a", "a@", "a.slice"].map(|unit| Condition::UserUnit(unit.to_owned()));
        for (seed, conditions) in (1..).zip([units, of_users]) {
            let filters = lower(&Expression::any(conditions)).unwrap();
            let plan = Builder::new().plan().unwrap();
            let settings = Settings {
                filters: filters.clone(),
                output: Output::Nothing,
                ..Settings::of(plan.plan())
            };
            let random = &mut fastrand::Rng::with_seed(seed);
            let mut tree = Tree::new(&cgroups);
            tree.grow(random, 300);
            let mut ready = Ready::new(settings).unwrap();
            let table = ready.follow_cgroups().unwrap().unwrap();
            // Some are made while those that exist are looked for.
            tree.grow(random, 300);
            keep_existing(table).unwrap();
            tree.grow(random, 300);
            let kept = expected(&cgroups, &filters, &tree.root);
            let made = tree.made.len();
            assert!(
                (20..made * 3 / 4).contains(&kept.len()),
                "{} of {made}",
                kept.len()
            );
            assert!(table.ids().is_superset(&kept), "seed {seed}");
            let others: BTreeSet<u64> = all(&cgroups, &tree.root)
                .difference(&kept)
                .copied()
                .collect();
            assert!(table.ids().is_disjoint(&others), "seed {seed}");
            tree.remove_half();
            let left = all(&cgroups, &tree.root);
            let gone: BTreeSet<u64> = kept.difference(&left).copied().collect();
            assert!(!gone.is_empty() && table.ids().is_disjoint(&gone));
        }
    }

    /// The ids of all cgroups in a tree.
    fn all(cgroups: &Cgroups, root: &Path) -> BTreeSet<u64> {
        let mut ids = BTreeSet::new();
        cgroups.walk(|id, path| {
            if cgroups.directory(path).starts_with(root) {
                ids.insert(id);
            }
        });
        ids
    }
}
