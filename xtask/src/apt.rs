//! Debian packages of other suites, through a private apt directory.
//!
//! The machine's own apt is only asked for its mirror. The private directory has its own sources,
//! lists and package state (an empty one), so nothing on the machine changes and no privilege is
//! needed; apt verifies the signatures of everything that it fetches.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{arch, places, process};

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A suite of Debian as this machine can fetch it.
pub struct Apt {
    configuration: PathBuf,
}

impl Apt {
    /// Prepares the suite with these releases of it (`bookworm`, `bookworm-security`) and fetches
    /// their lists.
    pub fn update(releases: &[&str]) -> Result<Self> {
        let name = releases.first().copied().unwrap_or("none");
        let folder = places::cache(&format!("apt/{name}"))?;
        for part in ["lists/partial", "cache/archives/partial"] {
            places::create(&folder.join(part))?;
        }
        let _lock = places::lock(&folder.join("update.lock"))?;

        let mirrors = Mirrors::of_this_machine()?;
        let configuration = folder.join("apt.conf");
        write(&folder.join("sources.list"), &mirrors.sources(releases))?;
        write(&folder.join("status"), "")?;
        write(&configuration, &configuration_text(&folder))?;

        let apt = Self { configuration };
        process::output(apt.command("apt-get").arg("update")).with_context(|| {
            format!(
                "cannot fetch the package lists of Debian {name} from {}",
                mirrors.main
            )
        })?;
        Ok(apt)
    }

    /// What a package depends on: names only, the first of each alternative.
    pub fn dependencies(&self, package: &str) -> Result<Vec<String>> {
        let text = process::output(self.command("apt-cache").args([
            "show",
            "--no-all-versions",
            package,
        ]))?;
        let depends = text.lines().find_map(|line| line.strip_prefix("Depends: "));
        Ok(depends
            .unwrap_or_default()
            .split(',')
            .filter_map(|dependency| dependency.split_whitespace().next())
            .map(str::to_owned)
            .collect())
    }

    /// These packages and all that they depend on, each as `name=version`.
    pub fn closure(&self, packages: &[&str]) -> Result<BTreeSet<String>> {
        let plan = process::output(
            self.command("apt-get")
                .args(["install", "--simulate", "--no-install-recommends"])
                .args(packages),
        )?;
        // Inst NAME (VERSION RELEASE [ARCHITECTURE])
        Ok(plan
            .lines()
            .filter_map(|line| line.strip_prefix("Inst "))
            .filter_map(|line| line.split_once(" ("))
            .filter_map(|(name, rest)| {
                let version = rest.split_whitespace().next()?;
                Some(format!("{name}={version}"))
            })
            .collect())
    }

    /// Fetches packages into a folder and returns their files.
    pub fn download(
        &self,
        packages: impl IntoIterator<Item = impl AsRef<str>>,
        folder: &Path,
    ) -> Result<Vec<PathBuf>> {
        places::create(folder)?;
        let mut command = self.command("apt-get");
        command.arg("download").current_dir(folder);
        for package in packages {
            command.arg(package.as_ref());
        }
        process::output(&mut command)?;
        let mut files = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "deb") {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .arg("--config-file")
            .arg(&self.configuration)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("LC_ALL", "C.UTF-8");
        command
    }
}

/// The lines of a sources.list(5) with these releases, from the mirror of this machine.
pub fn sources(releases: &[&str]) -> Result<String> {
    Ok(Mirrors::of_this_machine()?.sources(releases))
}

/// Unpacks a package into a directory in which `bin`, `sbin` and `lib` are links into `usr`, as on
/// every Debian since 12.
pub fn unpack(package: &Path, root: &Path) -> Result<()> {
    let archive = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(package)
        .stdout(std::process::Stdio::piped())
        .spawn();
    let mut archive = archive.context("cannot run dpkg-deb")?;
    let Some(tar) = archive.stdout.take() else {
        bail!("dpkg-deb gives no output");
    };
    let unpacked = process::run(
        Command::new("tar")
            .args(["--extract", "--keep-directory-symlink", "--no-same-owner"])
            .args(["--preserve-permissions", "--directory"])
            .arg(root)
            .stdin(tar),
    );
    let read = archive.wait()?;
    unpacked?;
    if !read.success() {
        bail!("cannot read {}", package.display());
    }
    Ok(())
}

/// The mirror from which this machine fetches Debian.
struct Mirrors {
    main: String,
    security: String,
}

impl Mirrors {
    fn of_this_machine() -> Result<Self> {
        let targets = process::output(Command::new("apt-get").args([
            "indextargets",
            "--format",
            "$(RELEASE) $(REPO_URI)",
            "Created-By: Packages",
        ]))
        .context("cannot ask apt for the mirror; test kernels are fetched on Debian only")?;
        let codename = codename()?;
        let mirror = |wanted: &[String]| {
            targets
                .lines()
                .filter_map(|line| line.split_once(' '))
                .find(|(release, _)| wanted.iter().any(|name| name == release))
                .map(|(_, address)| address.to_owned())
        };
        let main = mirror(&[codename.clone(), "stable".into()]).with_context(|| {
            format!("apt has no source for Debian {codename}; test kernels are fetched from there")
        })?;
        let security = mirror(&[format!("{codename}-security"), "stable-security".into()])
            .with_context(|| format!("apt has no source for {codename}-security"))?;
        Ok(Self { main, security })
    }

    fn sources(&self, releases: &[&str]) -> String {
        releases
            .iter()
            .map(|release| {
                let mirror = if release.ends_with("-security") {
                    &self.security
                } else {
                    &self.main
                };
                format!("deb [signed-by={KEYRING}] {mirror} {release} main\n")
            })
            .collect()
    }
}

fn codename() -> Result<String> {
    let text = fs::read_to_string("/etc/os-release").context("cannot read /etc/os-release")?;
    text.lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
        .map(|name| name.trim_matches('"').to_owned())
        .context("/etc/os-release has no VERSION_CODENAME")
}

fn configuration_text(folder: &Path) -> String {
    let folder = folder.display();
    let architecture = arch::THIS.debian;
    format!(
        "// What the machine does after an update concerns its own lists.\n\
         #clear APT::Update::Post-Invoke;\n\
         #clear APT::Update::Post-Invoke-Success;\n\
         #clear APT::Architectures;\n\
         APT::Architecture \"{architecture}\";\n\
         APT::Sandbox::User \"\";\n\
         APT::Get::List-Cleanup \"false\";\n\
         Acquire::Languages \"none\";\n\
         Acquire::Retries \"3\";\n\
         Acquire::IndexTargets::deb::DEP-11::DefaultEnabled \"false\";\n\
         Dir::Etc::sourcelist \"{folder}/sources.list\";\n\
         Dir::Etc::sourceparts \"/dev/null\";\n\
         Dir::Etc::preferences \"/dev/null\";\n\
         Dir::Etc::preferencesparts \"/dev/null\";\n\
         Dir::State \"{folder}\";\n\
         Dir::State::lists \"{folder}/lists\";\n\
         Dir::State::status \"{folder}/status\";\n\
         Dir::Cache \"{folder}/cache\";\n"
    )
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
