//! Parses capabilities, and sets of capabilities, that a user typed.

use std::borrow::Cow;
use std::str::FromStr;

use thiserror::Error;

use super::{Capability, CapabilitySet};

/// The text is not a capability.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown capability '{given}'{}", hint(given, *nearest))]
pub struct UnknownCapability {
    /// What was typed.
    pub given: String,
    /// The capability with the most similar name, if one is similar.
    pub nearest: Option<Capability>,
}

impl UnknownCapability {
    fn new(given: &str, normal: &str) -> Self {
        Self {
            given: given.to_owned(),
            nearest: nearest(normal),
        }
    }
}

fn hint(given: &str, nearest: Option<Capability>) -> Cow<'static, str> {
    if let Some(nearest) = nearest {
        return format!("; did you mean {nearest}?").into();
    }
    if given.trim().is_empty() {
        return "; give a name such as CAP_NET_RAW or net_raw, or a number".into();
    }
    if given.parse::<i64>().is_ok() {
        let (first, last) = Capability::NUMBERS.into_inner();
        return format!("; numbers go from {first} to {last}").into();
    }
    "; 'capable list' lists them all".into()
}

/// The capability whose name is the fewest edits away, if the edits are few for its length.
fn nearest(short: &str) -> Option<Capability> {
    /// How many edits are few.
    const FEW: usize = 3;
    Capability::all()
        .map(|capability| (capability, capability.short_name().to_string()))
        // At least as many edits as one is longer; the text may be very long.
        .filter(|(_, name)| name.len().abs_diff(short.len()) <= FEW)
        .map(|(capability, name)| {
            let edits = strsim::damerau_levenshtein(&name, short);
            (capability, edits, name.len())
        })
        .filter(|&(_, edits, length)| edits <= (length / 3).clamp(1, FEW))
        .min_by_key(|&(_, edits, _)| edits)
        .map(|(capability, ..)| capability)
}

impl FromStr for Capability {
    type Err = UnknownCapability;

    /// Reads `CAP_NET_RAW`, `net_raw`, `net-raw`, `Cap_41` or `13`.
    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let normal = given.trim().to_ascii_lowercase().replace('-', "_");
        let short = normal.strip_prefix("cap_").unwrap_or(&normal);
        // Only digits: `parse` alone would take "+13" too.
        let number = Some(short)
            .filter(|short| short.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|short| short.parse::<i32>().ok());
        match number {
            Some(number) if Self::NUMBERS.contains(&number) => Ok(Self::from_number(number)),
            Some(_) => Err(UnknownCapability::new(given, short)),
            None => Self::all()
                .find(|capability| capability.short_name().to_string() == short)
                .ok_or_else(|| UnknownCapability::new(given, short)),
        }
    }
}

/// The text is not a set of capabilities.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseSetError {
    /// Nothing was given.
    #[error("no capability given; give names separated by commas, or 'none'")]
    Empty,
    /// An item is not a capability.
    #[error(transparent)]
    Unknown(#[from] UnknownCapability),
    /// An item that begins with 0x is not a mask.
    #[error(
        "'{0}' is not a mask; a mask is 0x and 1 to 16 hexadecimal digits, or 16 digits as in \
     /proc/PID/status"
    )]
    Mask(String),
}

/// Digits of a mask as /proc/PID/status prints it (`render_cap_t`, fs/proc/array.c).
const STATUS_DIGITS: usize = 16;

/// The item as a mask; `None` if it does not look like one.
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
                Self::from_bits(bits?)
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
    fn a_text_of_a_megabyte_is_refused_at_once() {
        let error = "a".repeat(1 << 20).parse::<Capability>().unwrap_err();
        assert_eq!(error.nearest, None);
    }

    #[test]
    fn every_name_reads_back_in_every_spelling() {
        for capability in Capability::all() {
            let name = capability.name().unwrap();
            let short = capability.short_name().to_string();
            for spelling in [
                name.to_owned(),
                name.to_lowercase(),
                short.clone(),
                short.to_uppercase(),
                short.replace('_', "-"),
                capability.number().to_string(),
                format!(" {name} "),
            ] {
                assert_eq!(spelling.parse(), Ok(capability), "{spelling:?}");
            }
        }
    }

    #[test]
    fn a_misspelt_name_gets_the_nearest_as_a_suggestion() {
        let message = |text: &str| text.parse::<Capability>().unwrap_err().to_string();
        assert_eq!(
            message("CAP_SYS_ADMN"),
            "unknown capability 'CAP_SYS_ADMN'; did you mean CAP_SYS_ADMIN?"
        );
        assert_eq!(
            message("net_rwa"),
            "unknown capability 'net_rwa'; did you mean CAP_NET_RAW?"
        );
        assert_eq!(
            message("frobnicate"),
            "unknown capability 'frobnicate'; 'capable list' lists them all"
        );
    }

    #[test]
    fn a_number_that_no_set_can_hold_is_refused() {
        for text in ["64", "-1", "99999999999999999999", "", "+13", "CAP_", "all"] {
            assert!(text.parse::<Capability>().is_err(), "{text:?}");
        }
        assert_eq!(
            "64".parse::<Capability>().unwrap_err().to_string(),
            "unknown capability '64'; numbers go from 0 to 63"
        );
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
}
