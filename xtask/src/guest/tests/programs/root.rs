//! The same programs on this machine: Debian's own, as in the guests, in namespaces of their own.
//!
//! A process with its own mounts, network, host name and System V objects creates a root in memory,
//! unpacks into it what guests have, and enters it. All of it ends with the process. Process ids
//! remain those of the machine, because `capable run` uses them.

use std::fs::{self, File};
use std::os::unix::fs::chroot;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, ensure};

use crate::guest::syscall::call;
use crate::guest::tests::Scope;
use crate::tally::Tally;

/// Where the root is made, out of the way of the archives and of this program.
const ROOT: &str = "/mnt";
/// The environment of a guest.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Creates a root from these archives and enters it; without any, tests the programs that are
/// installed here, if they change nothing on this machine.
///
/// # Errors
/// If the root cannot be created.
pub fn command(archives: &[PathBuf], only: &[String]) -> Result<ExitCode> {
    if !archives.is_empty() {
        enter(archives)?;
        let mut command = Command::new("/usr/bin/xtask");
        command
            .env_clear()
            .env("PATH", PATH)
            .args(["guest", "programs"]);
        for part in only {
            command.args(["--only", part]);
        }
        return Err(command.exec()).context("cannot run xtask in its new root");
    }
    let wanted =
        |name: &str| only.is_empty() || only.iter().any(|only| name.contains(only.as_str()));
    let mut tally = Tally::default();
    super::run(Scope::Anywhere, wanted, &mut tally)?;
    Ok(tally.finish())
}

/// Creates namespaces and a root, and enters them.
fn enter(archives: &[PathBuf]) -> Result<()> {
    let spaces = libc::CLONE_NEWNS | libc::CLONE_NEWNET | libc::CLONE_NEWUTS | libc::CLONE_NEWIPC;
    call!(SYS_unshare, spaces)
        .map_err(std::io::Error::from_raw_os_error)
        .context("cannot make namespaces")?;
    // Mounts of this process must not be visible outside.
    run("mount", &["--make-rprivate", "/"])?;
    run("mount", &["-t", "tmpfs", "-o", "mode=755", "capable", ROOT])?;
    for archive in archives {
        unpack(archive, Path::new(ROOT))?;
    }
    for folder in ["proc", "sys", "dev"] {
        let (from, to) = (format!("/{folder}"), format!("{ROOT}/{folder}"));
        run("mount", &["--rbind", &from, &to])?;
    }
    chroot(ROOT)?;
    std::env::set_current_dir("/")?;
    for (folder, mode) in [("/run", "mode=755"), ("/tmp", "mode=1777")] {
        run(
            "busybox",
            &["mount", "-t", "tmpfs", "-o", mode, "capable", folder],
        )?;
    }
    run("busybox", &["ip", "link", "set", "lo", "up"])
}

fn unpack(archive: &Path, root: &Path) -> Result<()> {
    let file = File::open(archive).with_context(|| format!("cannot open {}", archive.display()))?;
    let status = Command::new("busybox")
        .args(["cpio", "-i", "-d", "-u", "-m"])
        .current_dir(root)
        .stdin(file)
        .status()
        .context("cannot run busybox")?;
    ensure!(status.success(), "cannot unpack {}", archive.display());
    fs::metadata(root.join("etc")).context("the archive holds no system")?;
    Ok(())
}

fn run(program: &str, arguments: &[&str]) -> Result<()> {
    let status = Command::new(program)
        .args(arguments)
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    ensure!(
        status.success(),
        "{program} {arguments:?} ended with {status}"
    );
    Ok(())
}
