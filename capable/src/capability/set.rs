//! Sets of capabilities.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::{Capability, UnknownCapability};

/// A set of capabilities, a bit each.
///
/// A number outside [`Capability::NUMBERS`] has no bit: no set holds it, and inserting it does
/// nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CapabilitySet(u64);

/// The bit of a capability; none for a number that no set can hold.
fn bit(capability: Capability) -> u64 {
    u32::try_from(capability.number())
        .ok()
        .and_then(|number| 1u64.checked_shl(number))
        .unwrap_or(0)
}

impl CapabilitySet {
    /// The set without any.
    pub const EMPTY: Self = Self(0);

    /// Every capability that has a name here: what `all` means.
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

    /// Adds the capability; tells whether that changed the set.
    pub fn insert(&mut self, capability: Capability) -> bool {
        let before = self.0;
        self.0 |= bit(capability);
        self.0 != before
    }

    /// Takes the capability away; tells whether that changed the set.
    pub fn remove(&mut self, capability: Capability) -> bool {
        let before = self.0;
        self.0 &= !bit(capability);
        self.0 != before
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in this one and not in the other.
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether it holds none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many it holds.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Those it holds, by number.
    pub const fn iter(self) -> Iter {
        Iter(self.0)
    }
}

/// The capabilities of a set, by number.
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
    /// `CAP_CHOWN,CAP_KILL`, or `none`; with `{:#}`, exactly the named ones are `all`. Padded as
    /// asked.
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

/// What was typed is no set of capabilities.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseSetError {
    /// Nothing was given.
    #[error("no capability given; name some, separated by commas, or write 'none'")]
    Empty,
    /// An item is no capability.
    #[error(transparent)]
    Unknown(#[from] UnknownCapability),
    /// An item that begins with 0x is no mask.
    #[error("'{0}' is no mask: 0x and 1 to 16 hexadecimal digits, as in /proc/PID/status")]
    Mask(String),
}

/// Digits of a mask as /proc/PID/status prints it (`render_cap_t`, fs/proc/array.c).
const STATUS_DIGITS: usize = 16;

/// The mask that an item is; `None` for an item that does not look like one.
fn mask(item: &str) -> Option<Result<u64, ParseSetError>> {
    let all_hex = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digits = match item.strip_prefix("0x").or_else(|| item.strip_prefix("0X")) {
        Some(digits) => digits,
        None if item.len() == STATUS_DIGITS && all_hex(item) => item,
        None => return None,
    };
    let bits = Some(digits)
        .filter(|digits| all_hex(digits))
        .and_then(|digits| u64::from_str_radix(digits, 16).ok());
    Some(bits.ok_or_else(|| ParseSetError::Mask(item.to_owned())))
}

impl FromStr for CapabilitySet {
    type Err = ParseSetError;

    /// Reads items separated by commas or spaces: capabilities by name or number, `all`, `none`,
    /// and masks (`0x3000`, or 16 digits as in /proc/PID/status).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut items = text
            .split(|separator: char| separator == ',' || separator.is_whitespace())
            .filter(|item| !item.is_empty())
            .peekable();
        if items.peek().is_none() {
            return Err(ParseSetError::Empty);
        }
        items.try_fold(Self::EMPTY, |set, item| {
            let more = if item.eq_ignore_ascii_case("all") {
                Self::ALL_NAMED
            } else if item.eq_ignore_ascii_case("none") {
                Self::EMPTY
            } else if let Some(bits) = mask(item) {
                Self(bits?)
            } else {
                item.parse::<Capability>()?.into()
            };
            Ok(set.union(more))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> CapabilitySet {
        text.parse().unwrap()
    }

    #[test]
    fn names_numbers_and_masks_mean_the_same() {
        let expected = CapabilitySet::from_bits(0x3000);
        for text in [
            "CAP_NET_ADMIN,CAP_NET_RAW",
            "net_admin net-raw",
            "12, 13",
            "0x3000",
            "0000000000003000",
            "0x1000,net_raw,none",
        ] {
            assert_eq!(set(text), expected, "{text}");
        }
    }

    #[test]
    fn all_and_none_read_back_what_they_print() {
        assert_eq!(set("all"), CapabilitySet::ALL_NAMED);
        assert_eq!(set("None"), CapabilitySet::EMPTY);
        assert_eq!(CapabilitySet::EMPTY.to_string(), "none");
        assert_eq!(format!("{:#}", CapabilitySet::ALL_NAMED), "all");
        assert_eq!(set(&CapabilitySet::ALL_NAMED.to_string()), set("all"));
        assert_eq!(set("all").bits(), 0x0000_01ff_ffff_ffff);
    }

    #[test]
    fn a_bad_item_is_named() {
        let message = |text: &str| text.parse::<CapabilitySet>().unwrap_err().to_string();
        assert_eq!(
            message("chown,sys_admn"),
            "unknown capability 'sys_admn'; did you mean CAP_SYS_ADMIN?"
        );
        assert!(message("0xzz").contains("'0xzz'"));
        assert!(message("0x").contains("'0x'"));
        assert!(message("0x+1").contains("'0x+1'"));
        assert!(message("0x10000000000000000").contains("0x10000000000000000"));
        assert_eq!(" , ".parse::<CapabilitySet>(), Err(ParseSetError::Empty));
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
