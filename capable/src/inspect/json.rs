//! How values of this module look in JSON.

use serde::{Serialize, Serializer};

use crate::capability::CapabilitySet;

/// A set as an array of names.
pub(super) fn names<S: Serializer>(set: &CapabilitySet, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(set.iter().map(|capability| capability.to_string()))
}

/// Bytes that need not be UTF-8, as [`super::printable`] writes them.
pub(super) fn bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    super::printable(bytes).serialize(serializer)
}

/// A number as octal digits, as chmod(1) takes a mode.
pub(super) fn octal<S: Serializer>(mode: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{mode:04o}"))
}
