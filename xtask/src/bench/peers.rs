//! The peers, from Debian's packages.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use crate::kernels::Installed;
use crate::{arch, packages};

/// The packages of `capable`, `capable.bt` and `capable-bpfcc`.
const PACKAGES: [&str; 3] = ["libbpf-tools", "bpftrace", "bpfcc-tools"];

/// An archive with the peers for a kernel, from its own suite, because its users have these
/// versions. The oldest suite lacks libbpf-tools, so its kernel gets those of the next suite.
pub fn fetch(kernel: &Installed) -> Result<PathBuf> {
    let releases = match kernel.name {
        "5.10" | "6.1" => ["bookworm", "bookworm-security"],
        _ => ["trixie", "trixie-security"],
    };
    // bcc compiles against the headers of the running kernel, which are in its own suite only.
    let alone = match kernel.name {
        "6.1" | "6.12" => headers(&kernel.release),
        _ => Vec::new(),
    };
    packages::root_filesystem_of(&releases, &PACKAGES, &alone)
}

/// The prefix of a line by which a guest reports the version of a package: this, then
/// `name=version`.
pub const VERSION: &str = "package: ";

/// In a guest: the versions of the packages.
pub fn versions() -> Vec<String> {
    let text = fs::read_to_string("/vm/packages").unwrap_or_default();
    let named = |line: &&str| {
        PACKAGES
            .iter()
            .any(|name| line.split('=').next() == Some(name))
    };
    text.lines().filter(named).map(str::to_owned).collect()
}

/// The packages with the headers for a release such as `6.1.0-56-cloud-amd64`: its own and the
/// common ones.
fn headers(release: &str) -> Vec<String> {
    let common = release.trim_end_matches(&arch::THIS.cloud_kernel());
    vec![
        format!("linux-headers-{release}"),
        format!("linux-headers-{common}-common"),
    ]
}
