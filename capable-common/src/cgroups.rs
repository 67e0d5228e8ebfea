//! What the kernel side compares with the name of a cgroup when it is made.

/// The most patterns that cgroups can be followed by.
pub const MAX_CGROUP_PATTERNS: usize = 32;

/// The most characters of a cgroup's name (`NAME_MAX`, include/uapi/linux/limits.h).
pub const MAX_CGROUP_NAME: usize = 255;

/// The most cgroups that may lead to one that is followed by its name.
pub const MAX_CGROUP_DEPTH: usize = 32;

/// The words that hold a cgroup's name and its end.
pub const NAME_WORDS: usize = (MAX_CGROUP_NAME + 1) / 8;

/// Where a cgroup is, which proves who made it: one of these constants, or a set of them.
///
/// Only root may make cgroups in the slices of the system's manager. Below a unit, whoever it is
/// delegated to names cgroups at will.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct CgroupPlace(u32);

impl CgroupPlace {
    /// Only slices lead to it: it is a unit of the system's manager.
    pub const OF_SYSTEM: Self = Self(1 << 0);
    /// Slices lead to the unit of a user's manager (`user@UID.service`), and only slices from there
    /// to it: it is a unit of that manager.
    pub const OF_USER: Self = Self(1 << 1);
    /// Something else is around it, but not the manager of a user.
    pub const BELOW: Self = Self(1 << 2);
    /// It is below what the manager of a user runs.
    pub const BELOW_USER: Self = Self(1 << 3);
    /// It has one path, which is compared instead of its name.
    pub const AT_PATH: Self = Self(1 << 4);

    /// The place by the cgroups around: how many are no slices, and whether the outermost of these
    /// is the manager of a user.
    #[inline(always)]
    pub const fn of(no_slices: u32, in_manager: bool) -> Self {
        match (no_slices, in_manager) {
            (0, _) => Self::OF_SYSTEM,
            (1, true) => Self::OF_USER,
            (_, false) => Self::BELOW,
            (_, true) => Self::BELOW_USER,
        }
    }

    /// The set of these bits.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The set as bits.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// This set and another.
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the two have one in common.
    #[inline(always)]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Names of cgroups, or paths: all that have these characters at these positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct CgroupPattern {
    /// The characters.
    pub text: [u64; NAME_WORDS],
    /// Which of them are compared: all bits of those.
    pub mask: [u64; NAME_WORDS],
    /// The last eight characters, the last one in the highest byte.
    pub end: u64,
    /// Which of them are compared.
    pub end_mask: u64,
    /// How many cgroups were made that it matches: the kernel side counts them.
    pub made: u64,
    /// 0: the text is compared with the beginning of a name. Otherwise with what begins this many
    /// characters before its end.
    pub before_end: u32,
    /// The least characters of a name.
    pub shortest: u32,
    /// The most characters of a name.
    pub longest: u32,
    /// Where the cgroup must be.
    pub places: CgroupPlace,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_has_the_size_that_the_kernel_side_was_built_with() {
        assert_eq!(size_of::<CgroupPattern>(), 2 * 256 + 3 * 8 + 4 * 4);
    }

    #[test]
    fn what_is_around_a_cgroup_tells_whose_it_is() {
        assert_eq!(CgroupPlace::of(0, false), CgroupPlace::OF_SYSTEM);
        assert_eq!(CgroupPlace::of(1, true), CgroupPlace::OF_USER);
        assert_eq!(CgroupPlace::of(1, false), CgroupPlace::BELOW);
        assert_eq!(CgroupPlace::of(2, false), CgroupPlace::BELOW);
        assert_eq!(CgroupPlace::of(2, true), CgroupPlace::BELOW_USER);
    }
}
