//! Names of cgroups, in the form in which the kernel side compares them with those that are made.
//!
//! Here the same is done with those that exist: one meaning on both sides, which a test compares on
//! a hierarchy of random names.

use capable_common::{CgroupPattern, CgroupPlace, MAX_CGROUP_DEPTH, MAX_CGROUP_NAME, NAME_WORDS};

use super::names::{is_slice, unescape_cgroup};
use super::path::is_user_manager;

/// Names that have these characters and lie in these places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(CgroupPattern);

impl Pattern {
    /// Every name in these places: where the others begin.
    fn any(places: CgroupPlace) -> Self {
        Self(CgroupPattern {
            text: [0; NAME_WORDS],
            mask: [0; NAME_WORDS],
            end: 0,
            end_mask: 0,
            made: 0,
            before_end: 0,
            shortest: 0,
            longest: MAX_CGROUP_NAME as u32,
            places,
        })
    }

    /// No name at all.
    pub(crate) fn never() -> Self {
        Self::any(CgroupPlace::default()).of_length(1, 0)
    }

    /// This name alone.
    pub(crate) fn exact(name: &str, places: CgroupPlace) -> Self {
        Self::any(places)
            .with_text(name)
            .of_length(name.len(), name.len())
    }

    /// The cgroup with this path alone. The kernel side cuts off longer ones.
    pub(crate) fn at(path: &str) -> Self {
        if path.len() < MAX_CGROUP_NAME {
            Self::exact(path, CgroupPlace::AT_PATH)
        } else {
            Self::never()
        }
    }

    /// Names that begin with some characters and end with at most eight others.
    pub(crate) fn around(begin: &str, end: &str, places: CgroupPlace) -> Self {
        let mut pattern = Self::any(places).with_text(begin);
        let (last, mask) = word(end.bytes().rev());
        // The last character is in the highest byte.
        pattern.0.end = last.swap_bytes();
        pattern.0.end_mask = mask.swap_bytes();
        pattern.of_length(begin.len() + end.len(), MAX_CGROUP_NAME)
    }

    /// Narrows it to names of this many bytes.
    pub(crate) fn of_length(mut self, shortest: usize, longest: usize) -> Self {
        let length = |bytes| u32::try_from(bytes).unwrap_or(u32::MAX);
        self.0.shortest = length(shortest);
        self.0.longest = length(longest);
        self
    }

    fn with_text(mut self, text: &str) -> Self {
        let characters = text.as_bytes().chunks(8);
        for ((text, mask), chunk) in self.0.text.iter_mut().zip(&mut self.0.mask).zip(characters) {
            (*text, *mask) = word(chunk.iter().copied());
        }
        self
    }

    /// One that the kernel side takes.
    pub(crate) fn from_kernel(pattern: CgroupPattern) -> Self {
        Self(pattern)
    }

    /// As the kernel side takes it.
    pub(crate) fn of_kernel(self) -> CgroupPattern {
        self.0
    }

    /// Whether it stands for the cgroup with this path.
    pub(crate) fn matches(&self, path: &str) -> bool {
        let components: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
        let Some((name, around)) = components.split_last() else {
            return false;
        };
        let matches =
            |place: CgroupPlace, name| place.intersects(self.0.places) && self.matches_name(name);
        place(around).is_some_and(|place| {
            matches(place, unescape_cgroup(name)) || matches(CgroupPlace::AT_PATH, path)
        })
    }

    fn matches_name(&self, name: &str) -> bool {
        let CgroupPattern {
            text,
            mask,
            end,
            end_mask,
            made: _,
            before_end,
            shortest,
            longest,
            places: _,
        } = self.0;
        let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
        if !(shortest..=longest).contains(&length) || length < before_end {
            return false;
        }
        let start = match before_end {
            0 => 0,
            before_end => (length - before_end) as usize,
        };
        let compared = name.as_bytes()[start..].chunks(8);
        let words = compared.map(|chunk| word(chunk.iter().copied()).0);
        let mut words = words.chain(std::iter::repeat(0));
        let (last, _) = word(name.bytes().rev().take(8));
        (last.swap_bytes() ^ end) & end_mask == 0
            && text
                .iter()
                .zip(mask)
                .all(|(text, mask)| words.next().is_some_and(|word| (word ^ text) & mask == 0))
    }
}

/// Where the cgroups inside these are; `None` if they are too deep for the kernel side.
fn place(around: &[&str]) -> Option<CgroupPlace> {
    if around.len() > MAX_CGROUP_DEPTH {
        return None;
    }
    let names = around.iter().map(|name| unescape_cgroup(name));
    let mut others = names.filter(|name| !is_slice(name));
    let in_manager = others.next().map(is_user_manager);
    let no_slices = match in_manager {
        None => 0,
        Some(_) if others.next().is_none() => 1,
        Some(_) => 2,
    };
    Some(CgroupPlace::of(no_slices, in_manager.unwrap_or(false)))
}

/// Up to eight characters as a word, and all bits of these.
fn word(characters: impl Iterator<Item = u8>) -> (u64, u64) {
    let (mut bytes, mut mask) = ([0; 8], [0; 8]);
    for ((byte, mask), character) in bytes.iter_mut().zip(&mut mask).zip(characters) {
        (*byte, *mask) = (character, u8::MAX);
    }
    (u64::from_le_bytes(bytes), u64::from_le_bytes(mask))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANAGER: &str = "/user.slice/user-1000.slice/user@1000.service";

    #[test]
    fn a_name_is_compared_whole() {
        let ssh = Pattern::exact("ssh.service", CgroupPlace::OF_SYSTEM);
        assert!(ssh.matches("/system.slice/ssh.service"));
        assert!(ssh.matches("/ssh.service"));
        for other in [
            "/",
            "/system.slice/ssh.service2",
            "/system.slice/sshservice",
            "/system.slice/ssh.servicd",
            "/system.slice/ssh.service/ssh.service",
            "/docker/ssh.service",
            &format!("{MANAGER}/app.slice/ssh.service"),
        ] {
            assert!(!ssh.matches(other), "{other}");
        }
        let longest = "x".repeat(MAX_CGROUP_NAME);
        let pattern = Pattern::exact(&longest, CgroupPlace::OF_SYSTEM);
        assert!(pattern.matches(&format!("/{longest}")));
        assert!(!pattern.matches(&format!("/{}y", &longest[1..])));
    }

    #[test]
    fn a_beginning_and_an_end_do_not_overlap() {
        let template = Pattern::around("a@", ".service", CgroupPlace::OF_USER);
        let inside = |name: &str| format!("{MANAGER}/app.slice/{name}");
        for name in ["a@.service", "a@b.service", "a@b.c.service"] {
            assert!(template.matches(&inside(name)), "{name}");
        }
        for name in ["a@service", "a@b.socket", "b@b.service", "a.service"] {
            assert!(!template.matches(&inside(name)), "{name}");
        }
        assert!(!template.matches("/system.slice/a@b.service"));
    }

    #[test]
    fn a_path_is_compared_whole() {
        let container = Pattern::at("/docker/x");
        assert!(container.matches("/docker/x"));
        for other in [
            "/",
            "/x",
            "/docker",
            "/docker/y",
            "/docker/x/x",
            "/a.service/docker/x",
            "/a.slice/docker/x",
        ] {
            assert!(!container.matches(other), "{other}");
        }
        let longest = format!("/{}", "x".repeat(MAX_CGROUP_NAME - 2));
        assert!(Pattern::at(&longest).matches(&longest));
        let too_long = format!("{longest}x");
        assert!(!Pattern::at(&too_long).matches(&too_long));
    }

    #[test]
    fn an_underscore_that_systemd_prefixes_is_no_part_of_a_name() {
        let cgroup = Pattern::exact("cgroup.service", CgroupPlace::OF_SYSTEM);
        assert!(cgroup.matches("/system.slice/_cgroup.service"));
        assert!(!cgroup.matches("/system.slice/__cgroup.service"));
    }

    #[test]
    fn where_a_cgroup_is_tells_whose_it_is() {
        let place = |path: &str| {
            let around: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
            place(&around)
        };
        for (around, expected) in [
            ("/", CgroupPlace::OF_SYSTEM),
            ("/a.slice/a-b.slice", CgroupPlace::OF_SYSTEM),
            (MANAGER, CgroupPlace::OF_USER),
            (&format!("{MANAGER}/app.slice"), CgroupPlace::OF_USER),
            ("/docker", CgroupPlace::BELOW),
            ("/system.slice/containerd.service/x", CgroupPlace::BELOW),
            (&format!("{MANAGER}/a.service"), CgroupPlace::BELOW_USER),
            (
                &format!("{MANAGER}/user@1.service"),
                CgroupPlace::BELOW_USER,
            ),
            // Whoever is not the manager may call what it makes so.
            ("/a.service/user@1000.service", CgroupPlace::BELOW),
            ("/user@x.service", CgroupPlace::BELOW),
            ("/user@01234567890.service", CgroupPlace::BELOW),
        ] {
            assert_eq!(place(around), Some(expected), "{around}");
        }
        let deep = |levels| place(&"/a.slice".repeat(levels));
        assert_eq!(deep(MAX_CGROUP_DEPTH), Some(CgroupPlace::OF_SYSTEM));
        assert_eq!(deep(MAX_CGROUP_DEPTH + 1), None);
    }
}
