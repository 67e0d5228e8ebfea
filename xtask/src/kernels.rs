//! The kernels of the tests: Debian's, as its users run them.
//!
//! Each row is a suite; its kernel is the one that the suite's `linux-image-cloud-ARCHITECTURE`
//! depends on. It is fetched once and stays in the cache until it is fetched again on demand.

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, bail};

use crate::apt::{self, Apt};
use crate::initramfs::Archive;
use crate::system::{BOOKWORM, BULLSEYE, Suite, TRIXIE};
use crate::{arch, modules, places, process};

/// A row of the table.
#[derive(Debug, PartialEq, Eq)]
pub struct Kernel {
    /// What the user calls it.
    pub name: &'static str,
    /// The releases that are searched; the first gives the suite its name.
    pub releases: &'static [&'static str],
    /// The suite of Debian that is installed to run with this kernel.
    pub installed: &'static Suite,
}

/// The file of a kernel in the cache that tells which modules were chosen.
const CHOSEN: &str = "chosen";

/// The kernels that everything is tested on, the oldest first.
pub const TABLE: [Kernel; 4] = [
    Kernel {
        name: "5.10",
        releases: BULLSEYE.releases,
        installed: &BULLSEYE,
    },
    Kernel {
        name: "6.1",
        releases: BOOKWORM.releases,
        installed: &BOOKWORM,
    },
    Kernel {
        name: "6.12",
        releases: TRIXIE.releases,
        installed: &TRIXIE,
    },
    Kernel {
        name: "newest",
        releases: &["trixie-backports"],
        installed: &TRIXIE,
    },
];

/// The rows that an argument selects.
#[derive(Clone, Debug)]
pub struct Rows(pub Vec<&'static Kernel>);

/// The row of this name, or all rows.
pub fn rows(name: &str) -> Result<Rows> {
    let rows: Vec<_> = TABLE
        .iter()
        .filter(|kernel| name == "all" || kernel.name == name)
        .collect();
    if rows.is_empty() {
        let names: Vec<_> = TABLE.iter().map(|kernel| kernel.name).collect();
        bail!("there are {}, and all", names.join(", "));
    }
    Ok(Rows(rows))
}

/// A kernel that has been fetched, ready to boot.
#[derive(Clone, Debug)]
pub struct Installed {
    /// The name of its row.
    pub name: &'static str,
    /// The suite that is installed to run with it.
    pub suite: &'static Suite,
    /// What `uname -r` says in it.
    pub release: String,
    /// The kernel itself.
    pub image: PathBuf,
    /// An archive with its modules and its configuration.
    pub modules: PathBuf,
}

impl Kernel {
    /// The kernel, from the cache or else from the mirror; with `anew`, always from the mirror.
    pub fn install(&self, anew: bool) -> Result<Installed> {
        let kernels = places::cache("kernels")?;
        let _lock = places::lock(&kernels.join(format!("{}.lock", self.name)))?;
        let folder = kernels.join(self.name);
        let current =
            fs::read_to_string(folder.join(CHOSEN)).is_ok_and(|text| text == modules::chosen());
        if anew || !current {
            eprintln!("fetching the kernel {} ...", self.name);
            self.fetch(&folder)
                .with_context(|| format!("cannot fetch the kernel {}", self.name))?;
        }
        let release = fs::read_to_string(folder.join("release"))
            .with_context(|| format!("{} is incomplete; remove it", folder.display()))?;
        Ok(Installed {
            name: self.name,
            suite: self.installed,
            release: release.trim().into(),
            image: folder.join("vmlinuz"),
            modules: folder.join("modules.cpio"),
        })
    }

    fn fetch(&self, folder: &Path) -> Result<()> {
        let apt = Apt::update(self.releases)?;
        let work = folder.with_file_name(format!("{}.fetching", self.name));
        places::remove(&work)?;
        let root = work.join("root");
        places::create(&root)?;
        for package in apt.download(packages(&apt)?, &work.join("packages"))? {
            apt::unpack(&package, &root)?;
        }

        let finished = work.join("finished");
        places::create(&finished)?;
        assemble(&root, &finished)?;
        places::remove(folder)?;
        fs::rename(&finished, folder)?;
        places::remove(&work)
    }
}

/// The kernels of these rows, fetched in parallel.
pub fn install_all(rows: &[&'static Kernel], anew: bool) -> Result<Vec<Installed>> {
    thread::scope(|scope| {
        let running: Vec<_> = rows
            .iter()
            .map(|kernel| scope.spawn(move || kernel.install(anew)))
            .collect();
        running
            .into_iter()
            .map(|thread| match thread.join() {
                Ok(installed) => installed,
                Err(_) => bail!("fetching a kernel panicked"),
            })
            .collect()
    })
}

/// The packages that make up the suite's cloud kernel: one for most, several since 7.x.
fn packages(apt: &Apt) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let suffix = arch::THIS.cloud_kernel();
    let mut open = VecDeque::from([format!("linux-image{suffix}")]);
    while let Some(package) = open.pop_front() {
        for dependency in apt.dependencies(&package)? {
            let part_of_the_kernel = dependency.ends_with(&suffix)
                && [
                    "linux-base-",
                    "linux-binary-",
                    "linux-image-",
                    "linux-modules-",
                ]
                .iter()
                .any(|prefix| dependency.starts_with(prefix));
            if part_of_the_kernel && found.insert(dependency.clone()) {
                open.push_back(dependency);
            }
        }
    }
    Ok(found)
}

/// Takes what a guest needs from the unpacked packages.
fn assemble(root: &Path, finished: &Path) -> Result<()> {
    let modules = ["usr/lib/modules", "lib/modules"]
        .iter()
        .map(|path| root.join(path))
        .find(|path| path.is_dir())
        .context("the packages hold no modules")?;
    let release = fs::read_dir(&modules)?
        .next()
        .context("the packages hold no modules")??
        .file_name()
        .to_string_lossy()
        .into_owned();
    let modules = modules.join(&release);

    // Up to 6.x in /boot, later next to the modules.
    let part = |name: &str| {
        [
            root.join(format!("boot/{name}-{release}")),
            modules.join(name),
        ]
        .into_iter()
        .find(|path| path.is_file())
    };
    let image = part("vmlinuz").context("the packages hold no vmlinuz")?;
    fs::copy(image, finished.join("vmlinuz"))?;

    let mut archive = Archive::default();
    if let Some(configuration) = part("config") {
        fs::copy(&configuration, finished.join("config"))?;
        archive.copy(&format!("boot/config-{release}"), 0o644, &configuration);
    }
    let chosen = finished.join("modules");
    modules::choose(&modules, &chosen.join("lib/modules").join(&release))?;
    process::run(
        Command::new("busybox")
            .args(["depmod", "-b"])
            .arg(&chosen)
            .arg(&release),
    )?;
    let merged = chosen.join("usr");
    places::create(&merged)?;
    fs::rename(chosen.join("lib"), merged.join("lib"))?;
    archive.tree(&chosen)?;
    archive.save(&finished.join("modules.cpio"))?;
    fs::write(finished.join("release"), format!("{release}\n"))?;
    fs::write(finished.join(CHOSEN), modules::chosen())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_is_found_by_its_name_and_a_wrong_name_is_answered_with_the_right_ones() {
        let names = |rows: Rows| rows.0.iter().map(|row| row.name).collect::<Vec<_>>();
        assert_eq!(names(rows("6.1").unwrap()), ["6.1"]);
        assert_eq!(
            names(rows("all").unwrap()),
            ["5.10", "6.1", "6.12", "newest"]
        );
        let error = rows("6.2").unwrap_err().to_string();
        assert_eq!(error, "there are 5.10, 6.1, 6.12, newest, and all");
    }
}
