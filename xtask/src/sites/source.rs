//! The kernels' sources, from Debian's `linux-source` packages.
//!
//! The rows are those of the guests' kernels. A package contains the source with Debian's patches
//! as one archive. Only C files are unpacked, and only the architectures that `capable` runs on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::kernels::Version;
use crate::apt::Apt;
use crate::kernels::Kernel;
use crate::{places, process};

/// What the atlas does not cover: programs that are built next to the kernel, examples, headers
/// with nothing but names of registers, and code for machines that `capable` does not run on.
const LEFT_OUT: [&str; 16] = [
    "Documentation",
    "drivers/dio",
    "drivers/gpu/drm/amd/include/asic_reg",
    "drivers/macintosh",
    "drivers/nubus",
    "drivers/parisc",
    "drivers/ps3",
    "drivers/s390",
    "drivers/sbus",
    "drivers/zorro",
    "net/iucv",
    "samples",
    "scripts",
    "sound/sparc",
    "tools",
    "usr",
];

/// The folders of `arch/` that are read.
pub const ARCHITECTURES: [&str; 2] = ["arm64", "x86"];

/// A kernel's source that has been unpacked.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name of its row.
    pub name: &'static str,
    /// Package and version: `linux-source-6.1 6.1.158-1`.
    pub package: String,
    /// The directory that contains `kernel/`, `fs/` and so on.
    pub root: PathBuf,
}

impl Source {
    /// The source of a row, from the cache or else from the mirror; with `anew`, always from the
    /// mirror.
    pub fn fetch(kernel: &'static Kernel, anew: bool) -> Result<Self> {
        let sources = places::cache("sources")?;
        let _lock = places::lock(&sources.join(format!("{}.lock", kernel.name)))?;
        let folder = sources.join(kernel.name);
        if anew || !folder.is_dir() {
            eprintln!("fetching the source of the kernel {} ...", kernel.name);
            let work = folder.with_file_name(format!("{}.fetching", kernel.name));
            places::remove(&work)?;
            fetch(kernel, &work)
                .with_context(|| format!("cannot fetch the source of {}", kernel.name))?;
            places::remove(&folder)?;
            fs::rename(&work, &folder)?;
        }
        let package = fs::read_to_string(folder.join("package"))
            .with_context(|| format!("{} is incomplete; remove it", folder.display()))?;
        Ok(Self {
            name: kernel.name,
            package: package.trim().into(),
            root: folder.join("linux"),
        })
    }

    /// The kernel's version: the package is named after it.
    pub fn version(&self) -> Result<Version> {
        let name = self.package.split(' ').next().unwrap_or_default();
        Version::parse(name.trim_start_matches("linux-source-"))
    }

    /// All C files and headers, as paths below the root, in order.
    pub fn files(&self) -> Result<Vec<String>> {
        let mut files = Vec::new();
        let mut open = vec![self.root.clone()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                let path = entry.path();
                if entry.file_type()?.is_dir() {
                    open.push(path);
                } else if let Ok(below) = path.strip_prefix(&self.root) {
                    files.push(below.to_string_lossy().into_owned());
                }
            }
        }
        files.sort();
        Ok(files)
    }
}

/// The source package in a suite.
fn package(apt: &Apt) -> Result<String> {
    apt.dependencies("linux-source")?
        .into_iter()
        .find(|package| package.starts_with("linux-source-"))
        .context("the suite's linux-source names no package")
}

/// The source package of a row that the mirror has now.
pub fn offered(kernel: &Kernel) -> Result<String> {
    package(&Apt::update(kernel.releases)?)
}

/// Downloads the package and unpacks the files that are needed.
fn fetch(kernel: &Kernel, work: &Path) -> Result<()> {
    let apt = Apt::update(kernel.releases)?;
    let name = package(&apt)?;
    let packages = apt.download([&name], &work.join("packages"))?;
    let [package] = packages.as_slice() else {
        bail!("{name} came as {} files", packages.len());
    };
    let version = process::output(
        Command::new("dpkg-deb")
            .args(["--field"])
            .arg(package)
            .arg("Version"),
    )?;
    let root = work.join("linux");
    places::create(&root)?;
    unpack(package, &name, &root)?;
    prune(&root)?;
    fs::remove_dir_all(work.join("packages"))?;
    fs::write(work.join("package"), format!("{name} {}\n", version.trim()))?;
    Ok(())
}

/// Unpacks the archive within the package into the directory in one pass, writing nothing else.
fn unpack(package: &Path, name: &str, root: &Path) -> Result<()> {
    let mut outer = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(package)
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run dpkg-deb")?;
    let Some(tar) = outer.stdout.take() else {
        bail!("dpkg-deb gives no output");
    };
    let mut inner = Command::new("tar")
        .args(["--extract", "--to-stdout"])
        .arg(format!("./usr/src/{name}.tar.xz"))
        .stdin(tar)
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run tar")?;
    let Some(archive) = inner.stdout.take() else {
        bail!("tar gives no output");
    };
    let mut command = Command::new("tar");
    command
        .args(["--extract", "--xz", "--no-same-owner", "--directory"])
        .arg(root)
        .args(["--strip-components=1", "--anchored", "--wildcards"]);
    for folder in LEFT_OUT {
        command.arg(format!("--exclude={name}/{folder}"));
    }
    let unpacked = process::run(command.args(["*.c", "*.h"]).stdin(archive));
    let (read, taken) = (outer.wait()?, inner.wait()?);
    unpacked?;
    if !read.success() || !taken.success() {
        bail!("cannot read {}", package.display());
    }
    Ok(())
}

/// Removes the architectures that `capable` does not run on.
fn prune(root: &Path) -> Result<()> {
    for entry in fs::read_dir(root.join("arch"))? {
        let entry = entry?;
        if !ARCHITECTURES.contains(&&*entry.file_name().to_string_lossy())
            && entry.file_type()?.is_dir()
        {
            places::remove(&entry.path())?;
        }
    }
    Ok(())
}
