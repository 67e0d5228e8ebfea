//! The programs that read what `capable --emit` writes, from Debian, unpacked in a folder.
//!
//! Container engines and the like should not be installed on the machine that the tests run on, so
//! they are only unpacked, and run in a chroot. The emitter tests get the directory through
//! [`VARIABLE`].

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest as _, Sha256};

use crate::{packages, places};

/// Tells `capable/tests/emitters.rs` where the folder is.
pub const VARIABLE: &str = "CAPABLE_CONSUMERS";

/// The consumers, what they need to start, and what runs in the container of podman.
const PACKAGES: [&str; 14] = [
    "apparmor",
    "bash",
    "busybox-static",
    "coreutils",
    "crun",
    "dash",
    "docker-compose",
    "kubernetes-client",
    "libcap2-bin",
    "lxc",
    "mount",
    "podman",
    "systemd",
    "systemd-container",
];

/// Packages taken without their dependencies: of docker only the client is run, which needs no
/// engine.
const ALONE: [&str; 1] = ["docker.io"];

/// The users and groups that maintainer scripts would have created.
const ACCOUNTS: [(&str, &str); 2] = [
    (
        "etc/passwd",
        "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/bin/sh\n",
    ),
    ("etc/group", "root:x:0:\nnogroup:x:65534:\n"),
];

/// The directory, from the cache or else from the mirror.
pub fn folder() -> Result<PathBuf> {
    let cache = places::cache("consumers")?;
    let words = [&PACKAGES[..], &ALONE[..]].concat().join("\n");
    let name = format!("{:x}", Sha256::digest(words));
    let folder = cache.join(&name[..16]);
    let _lock = places::lock(&cache.join("consumers.lock"))?;
    if !folder.is_dir() {
        eprintln!("fetching the programs that read what --emit writes ...");
        let work = cache.join("fetching");
        let root = work.join("root");
        make(&work, &root).context("cannot fetch Debian's packages")?;
        fs::rename(&root, &folder)?;
        fs::remove_dir_all(&work)?;
    }
    Ok(folder)
}

fn make(work: &Path, root: &Path) -> Result<()> {
    let alone = ALONE.map(str::to_owned);
    let releases = ["bookworm", "bookworm-security"];
    packages::unpack(&releases, &PACKAGES, &alone, work, root)?;
    fs::remove_file(root.join("usr/sbin/dockerd"))?;
    for (file, text) in ACCOUNTS {
        fs::write(root.join(file), text).with_context(|| format!("cannot write {file}"))?;
    }
    for name in ["dev", "proc", "run", "sys", "tmp", "var/tmp"] {
        places::create(&root.join(name))?;
    }
    fs::set_permissions(root, fs::Permissions::from_mode(0o755))?;
    Ok(())
}
