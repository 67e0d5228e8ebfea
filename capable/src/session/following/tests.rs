//! New cgroups against those that exist, on this kernel.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::*;
use crate::{
    filter::{Condition, Expression, lower},
    kernel::trace::settings::{Output, Settings},
    session::{Builder, Cause, CountBy, Counting, Session},
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
    fn new(cgroups: &Cgroups, name: &str) -> Self {
        let name = format!("capable-{name}-{}.slice", std::process::id());
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
        let mut filters = lower(&Expression::any(conditions)).unwrap();
        let mut tree = Tree::new(&cgroups, "names");
        for below in ["slice", "a.servicex/slice", "a.slice/xa.service"] {
            let path = cgroups.inside(&tree.root.join(below)).unwrap();
            let pattern = Pattern::at(&path).of_kernel();
            filters.followed[0].patterns.push(pattern);
        }
        let plan = Builder::new().plan().unwrap();
        let settings = Settings {
            filters: filters.clone(),
            output: Output::Nothing,
            ..Settings::of(plan.plan())
        };
        let random = &mut fastrand::Rng::with_seed(seed);
        tree.grow(random, 100);
        let mut ready = Ready::new(settings).unwrap();
        let table = ready.follow_cgroups().unwrap().unwrap();
        // Some are made while those that exist are looked for.
        tree.grow(random, 100);
        keep_existing(table).unwrap();
        tree.grow(random, 3000);
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

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn cgroups_that_find_no_room_are_counted_whether_they_exist_or_are_made() {
    /// The size of the table (capable-ebpf/src/maps.rs).
    const ROOM: usize = 1 << 14;
    /// How many more there are of either kind.
    const MORE: usize = 5;
    let cgroups = Cgroups::open().unwrap();
    let mut tree = Tree::new(&cgroups, "room");
    let root = tree.root.clone();
    let mut make = |numbers: std::ops::Range<usize>| {
        for number in numbers {
            let path = root.join(number.to_string());
            fs::create_dir(&path).unwrap();
            tree.made.push(path);
        }
    };
    // The slice itself is in the table too.
    make(1..ROOM + MORE);
    let slice = root.file_name().unwrap().to_str().unwrap().to_owned();
    let builder = Builder::new().filter(Condition::Unit(slice)).unwrap();
    let session = builder.counts(CountBy::PROCESS).unwrap();
    let lost = |session: &Session<Counting>| session.losses().unwrap().by(Cause::CgroupsFull);
    assert_eq!(lost(&session), MORE as u64);
    make(ROOM + MORE..ROOM + 2 * MORE);
    assert_eq!(lost(&session), 2 * MORE as u64);
}
