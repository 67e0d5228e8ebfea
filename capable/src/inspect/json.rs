//! How values of this module look in JSON.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use super::printable;
use crate::capability::CapabilitySet;

/// A set as an array of names.
pub(super) fn names<S: Serializer>(set: &CapabilitySet, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(set.iter().map(|capability| capability.to_string()))
}

/// Bytes that need not be UTF-8, as [`super::printable`] writes them.
pub(super) fn bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    printable(bytes).serialize(serializer)
}

/// A path, as [`super::printable`] writes it.
pub(super) fn path<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    bytes(path.as_os_str().as_bytes(), serializer)
}

/// Paths, each as [`super::printable`] writes it.
pub(super) fn paths<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(
        paths
            .iter()
            .map(|path| printable(path.as_os_str().as_bytes())),
    )
}

/// Bytes as [`super::printable`] writes them, or null.
pub(super) fn optional_bytes<S: Serializer>(
    optional: &Option<Vec<u8>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match optional {
        Some(known) => bytes(known, serializer),
        None => serializer.serialize_none(),
    }
}

/// A number as octal digits, as chmod(1) takes a mode.
pub(super) fn octal<S: Serializer>(mode: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{mode:04o}"))
}
