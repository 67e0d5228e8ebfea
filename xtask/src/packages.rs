//! Debian's own programs for the guests.
//!
//! Packages are fetched with all their dependencies and unpacked, not installed: no maintainer
//! script runs. What such scripts would have created (users, PAM's files) is in
//! [`crate::guest_root`]; file capabilities must be set by the test.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::apt::{self, Apt};
use crate::initramfs::Archive;
use crate::places;

/// The programs that the tests of profiles run.
pub const DEBIAN: [&str; 20] = [
    "bash",
    "chrony",
    "coreutils",
    "dash",
    "dnsmasq-base",
    "iputils-ping",
    "jq",
    "libcap2-bin",
    "login",
    "mount",
    "nginx-light",
    "openssh-client",
    "openssh-server",
    "passwd",
    "procps",
    "python3-minimal",
    "systemd",
    "tcpdump",
    "util-linux",
    "util-linux-extra",
];

/// Documentation and translations, which no program needs.
const LEFT_OUT: [&str; 7] = [
    "usr/share/doc",
    "usr/share/i18n",
    "usr/share/info",
    "usr/share/lintian",
    "usr/share/locale",
    "usr/share/man",
    "usr/lib/systemd/catalog",
];

/// An archive with these packages of Debian bookworm and all their dependencies, from the cache or
/// else from the mirror.
pub fn root_filesystem(packages: &[&str]) -> Result<PathBuf> {
    root_filesystem_of(&["bookworm", "bookworm-security"], packages, &[])
}

/// The same from another suite, given by its releases; the packages in `alone` come without their
/// dependencies.
pub fn root_filesystem_of(
    releases: &[&str],
    packages: &[&str],
    alone: &[String],
) -> Result<PathBuf> {
    let folder = places::cache("packages")?;
    let mut words = packages.to_vec();
    if releases != ["bookworm", "bookworm-security"] {
        words.extend(releases);
    }
    words.extend(alone.iter().map(String::as_str));
    let name = format!("{:x}", Sha256::digest(words.join("\n")));
    let archive = folder.join(format!("{}.cpio", &name[..16]));
    let _lock = places::lock(&folder.join("packages.lock"))?;
    if !archive.is_file() {
        eprintln!(
            "fetching {} packages of Debian and what they need ...",
            packages.len()
        );
        let work = folder.join("fetching");
        fetch(releases, packages, alone, &work, &archive)
            .context("cannot fetch Debian's packages")?;
        fs::remove_dir_all(&work)?;
    }
    Ok(archive)
}

fn fetch(
    releases: &[&str],
    packages: &[&str],
    alone: &[String],
    work: &Path,
    archive: &Path,
) -> Result<()> {
    let root = work.join("root");
    // For programs in a guest that report its package versions.
    let list = unpack(releases, packages, alone, work, &root)?;
    let mut whole = Archive::default();
    whole.tree(&root)?;
    whole.file("vm/packages", 0o644, list);
    let unfinished = work.join("archive");
    whole.save(&unfinished)?;
    fs::rename(unfinished, archive)?;
    Ok(())
}

/// Unpacks these packages and all their dependencies below `root`; returns one line for each,
/// `name=version`. The directory `work` is recreated.
pub fn unpack(
    releases: &[&str],
    packages: &[&str],
    alone: &[String],
    work: &Path,
    root: &Path,
) -> Result<String> {
    if work.exists() {
        fs::remove_dir_all(work)?;
    }
    let apt = Apt::update(releases)?;
    let mut wanted = apt.closure(packages)?;
    wanted.extend(alone.iter().cloned());
    let mut list = String::new();
    for package in &wanted {
        list += &format!("{package}\n");
    }
    let files = apt.download(wanted, &work.join("packages"))?;

    for (link, target) in [
        ("bin", "usr/bin"),
        ("sbin", "usr/sbin"),
        ("lib", "usr/lib"),
        ("lib64", "usr/lib64"),
    ] {
        places::create(&root.join(target))?;
        std::os::unix::fs::symlink(target, root.join(link))?;
    }
    for file in files {
        apt::unpack(&file, root)?;
    }
    for folder in LEFT_OUT {
        let folder = root.join(folder);
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
    }
    Ok(list)
}
