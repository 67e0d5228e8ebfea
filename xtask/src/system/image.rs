//! Makes the image of a disk with a suite of Debian on it.
//!
//! mmdebstrap installs the packages, maintainer scripts included, and a hook of ours completes the
//! system. The image stays in the cache until its recipe changes or it is made anew on demand.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use super::{Role, Suite};
use crate::{apt, places, process};

/// What every system has in addition to the packages that are essential.
const PACKAGES: [&str; 13] = [
    "cron",
    "dbus",
    "dbus-user-session",
    "iproute2",
    "kmod",
    "libnss-systemd",
    "libpam-systemd",
    "passwd",
    "procps",
    "sudo",
    "systemd",
    "systemd-sysv",
    "udev",
];

/// What dpkg need not do: wait for the disk, and install what no program reads.
const DPKG: [&str; 4] = [
    "force-unsafe-io",
    "path-exclude=/usr/share/doc/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/man/*",
];

/// Writes the image.
const IMAGE: &str = include_str!("image.sh");

/// Completes every system.
const COMPLETE: &str = include_str!("complete.sh");

/// The image of a suite, from the cache or else made of packages; with `anew`, always made.
pub fn image(suite: &Suite, role: Role, anew: bool) -> Result<PathBuf> {
    let name = format!("{}{}", suite.name, role.suffix());
    let folder = places::cache("systems")?.join(name);
    places::create(&folder)?;
    let _lock = places::lock(&folder.with_extension("lock"))?;
    let image = folder.join(format!("{}.ext4", recipe(suite, role)));
    if anew || !image.is_file() {
        eprintln!("installing Debian {} for a guest ...", suite.name);
        places::remove(&folder)?;
        places::create(&folder)?;
        make(suite, role, &folder, &image)
            .with_context(|| format!("cannot install Debian {}", suite.name))?;
    }
    Ok(image)
}

/// A name for everything that an image is made from.
fn recipe(suite: &Suite, role: Role) -> String {
    let scripts = [COMPLETE, role.complete(), IMAGE];
    let parts =
        [suite.releases, &PACKAGES, role.packages(), &DPKG, &scripts].map(|part| part.join("\n"));
    format!("{:x}", Sha256::digest(parts.join("\n\n")))[..16].to_owned()
}

fn make(suite: &Suite, role: Role, folder: &Path, image: &Path) -> Result<()> {
    let sources = folder.join("sources.list");
    fs::write(&sources, apt::sources(suite.releases)?)?;
    let complete = folder.join("complete");
    fs::write(&complete, format!("{COMPLETE}{}", role.complete()))?;
    fs::set_permissions(&complete, Permissions::from_mode(0o755))?;
    let root = folder.join("root");
    let packages = [&PACKAGES, role.packages()].concat();

    let mut install = as_root("mmdebstrap")?;
    install
        .args(["--mode=root", "--variant=minbase", "--format=directory"])
        .arg(format!("--include={}", packages.join(",")))
        .arg("--aptopt=Acquire::Languages \"none\"")
        .args(DPKG.map(|option| format!("--dpkgopt={option}")))
        .arg(format!("--customize-hook={}", complete.display()))
        .arg(suite.name)
        .args([&root, &sources]);
    process::output(&mut install).context("is mmdebstrap there? run: cargo xtask setup")?;

    let unfinished = folder.join("unfinished");
    let mut write = as_root("sh")?;
    write
        .args(["-c", IMAGE, "image"])
        .args([&root, &unfinished]);
    process::output(&mut write)?;
    fs::rename(&unfinished, image)?;
    Ok(())
}

fn as_root(program: &str) -> Result<Command> {
    process::as_root(program)
        .context("not root, and there is no sudo: files of many owners are installed")
}
