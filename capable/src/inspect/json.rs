//! How the values of this module are written in JSON.

use std::{
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use serde::{Serialize, Serializer};

use crate::{capability::CapabilitySet, escape::text_of};

/// A set as an array of names.
pub(super) fn names<S: Serializer>(set: &CapabilitySet, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(set.iter().map(|capability| capability.to_string()))
}

/// Bytes as text, from which they can be made again, as in the rows of a trace.
pub(super) fn bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    text_of(bytes).serialize(serializer)
}

/// A path, as [`bytes`].
pub(super) fn path<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    bytes(path.as_os_str().as_bytes(), serializer)
}

/// Paths, as [`bytes`].
pub(super) fn paths<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(
        paths
            .iter()
            .map(|path| text_of(path.as_os_str().as_bytes())),
    )
}

/// Bytes as [`bytes`], or null.
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
