//! What others may call cgroups and mounts, for [`crate::fuzzing`].

use super::{Cgroup, names, tree};
use crate::escape::{bytes_of, text_of};

/// The path of a cgroup.
pub(crate) fn path(data: &[u8]) {
    let text = text_of(data);
    let cgroup = Cgroup::from_path(&text);
    let _ = cgroup.innermost_unit();
    if let Some(container) = &cgroup.container {
        let _ = (container.short_id(), container.short_pod());
    }
    let unescaped = names::unescape_unit(&text);
    assert!(bytes_of(&unescaped).len() <= data.len());
}

/// A table of mounts, whose places have names of others' choice.
pub(crate) fn mounts(data: &[u8]) {
    let _ = tree::find_mount(&String::from_utf8_lossy(data));
}
