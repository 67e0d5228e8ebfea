//! Sets of capabilities.

use std::fmt;

use super::Capability;

/// A set of capabilities, one bit each.
///
/// A number outside [`Capability::NUMBERS`] has no bit: no set holds it, and inserting it does
/// nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CapabilitySet(u64);

/// The bit of a capability; 0 for a number that no set can hold.
fn bit(capability: Capability) -> u64 {
    u32::try_from(capability.number())
        .ok()
        .and_then(|number| 1u64.checked_shl(number))
        .unwrap_or(0)
}

impl CapabilitySet {
    /// The empty set.
    pub const EMPTY: Self = Self(0);

    /// Every capability that has a name here, which is what `all` means.
    pub const ALL_NAMED: Self = Self((1 << (Capability::LAST_NAMED.number() + 1)) - 1);

    /// The set with these bits.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The bits.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether the set holds the capability.
    pub fn contains(self, capability: Capability) -> bool {
        self.0 & bit(capability) != 0
    }

    /// Whether the set holds every capability of the other.
    pub const fn contains_all(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Adds the capability; returns whether this changed the set.
    pub fn insert(&mut self, capability: Capability) -> bool {
        let before = self.0;
        self.0 |= bit(capability);
        self.0 != before
    }

    /// Removes the capability; returns whether this changed the set.
    pub fn remove(&mut self, capability: Capability) -> bool {
        let before = self.0;
        self.0 &= !bit(capability);
        self.0 != before
    }

    /// The union of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The intersection of both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The capabilities of this set that are not in the other.
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The number of capabilities in the set.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The capabilities of the set, in the order of their numbers.
    pub const fn iter(self) -> Iter {
        Iter(self.0)
    }
}

/// The capabilities of a set, in the order of their numbers.
#[derive(Clone, Debug)]
pub struct Iter(u64);

impl Iterator for Iter {
    type Item = Capability;

    fn next(&mut self) -> Option<Capability> {
        let number = i32::try_from(self.0.trailing_zeros()).ok()?;
        if !Capability::NUMBERS.contains(&number) {
            return None;
        }
        self.0 &= self.0 - 1;
        Some(Capability::from_number(number))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.0.count_ones() as usize;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Iter {}

impl IntoIterator for CapabilitySet {
    type Item = Capability;
    type IntoIter = Iter;

    fn into_iter(self) -> Iter {
        self.iter()
    }
}

impl FromIterator<Capability> for CapabilitySet {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        Self(capabilities.into_iter().map(bit).fold(0, |a, b| a | b))
    }
}

impl Extend<Capability> for CapabilitySet {
    fn extend<I: IntoIterator<Item = Capability>>(&mut self, capabilities: I) {
        *self = self.union(capabilities.into_iter().collect());
    }
}

impl From<Capability> for CapabilitySet {
    fn from(capability: Capability) -> Self {
        Self(bit(capability))
    }
}

impl fmt::Display for CapabilitySet {
    /// `CAP_CHOWN,CAP_KILL`, or `none`. With `{:#}`, the set of all named capabilities is `all`.
    /// Honours width and alignment.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.pad("none");
        }
        if f.alternate() && *self == Self::ALL_NAMED {
            return f.pad("all");
        }
        let names: Vec<_> = self.iter().map(|each| each.to_string()).collect();
        f.pad(&names.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> CapabilitySet {
        text.parse().unwrap()
    }

    #[test]
    fn a_set_lists_what_was_put_in() {
        let mut some = CapabilitySet::EMPTY;
        assert!(some.insert(Capability::KILL));
        assert!(!some.insert(Capability::KILL));
        some.extend([Capability::CHOWN, Capability::from_number(63)]);
        assert_eq!(some.to_string(), "CAP_CHOWN,CAP_KILL,CAP_63");
        assert_eq!(some.len(), some.iter().len());
        assert!(some.remove(Capability::CHOWN));
        assert!(!some.contains(Capability::CHOWN));
        assert_eq!(some.iter().collect::<CapabilitySet>(), some);
        assert_eq!(CapabilitySet::from_bits(u64::MAX).iter().count(), 64);
    }

    #[test]
    fn a_number_that_has_no_bit_is_in_no_set() {
        let mut full = CapabilitySet::from_bits(u64::MAX);
        for number in [-1, 64, i32::MAX, i32::MIN] {
            let odd = Capability::from_number(number);
            assert!(!full.contains(odd) && !full.insert(odd) && !full.remove(odd));
        }
    }

    #[test]
    fn sets_combine_as_sets_do() {
        let (a, b) = (set("chown,kill"), set("kill,setuid"));
        assert_eq!(a.union(b), set("chown,kill,setuid"));
        assert_eq!(a.intersection(b), set("kill"));
        assert_eq!(a.difference(b), set("chown"));
        assert!(a.union(b).contains_all(a) && !a.contains_all(b));
        assert_eq!(format!("{:10}|", set("kill")), "CAP_KILL  |");
    }
}
