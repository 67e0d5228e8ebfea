//! `cargo xtask setup`: installs what the other commands need, if it is missing.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use crate::toolchain::{self, Toolchain};
use crate::{arch, places, process};

/// Debian 12's packages: the compiler and the LLVM for the kernel side, and what boots guests.
const PACKAGES: [&str; 13] = [
    "busybox-static",
    "cargo-web",
    "e2fsprogs",
    "g++",
    "libcap2-bin",
    "libpolly-22-dev",
    "llvm-22",
    "llvm-22-dev",
    "mmdebstrap",
    arch::THIS.qemu.package,
    "rust-web-src",
    "rustc-web",
    "xz-utils",
];

/// Runs the subcommand.
pub fn run() -> Result<ExitCode> {
    install()?;
    Ok(ExitCode::SUCCESS)
}

/// Installs what is missing. Concurrent runs wait for each other.
pub fn install() -> Result<()> {
    let folder = places::cache("setup")?;
    let _lock = places::lock(&folder.join("setup.lock"))?;
    if !is_debian_12() {
        return other_distribution();
    }
    let missing = missing_packages()?;
    if !missing.is_empty() {
        install_packages(&missing)?;
    }
    install_linker()
}

fn is_debian_12() -> bool {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let has = |line: &str| release.lines().any(|other| other.replace('"', "") == line);
    has("ID=debian") && has("VERSION_ID=12")
}

fn missing_packages() -> Result<Vec<&'static str>> {
    let installed = process::output(
        Command::new("dpkg-query")
            .args(["--show", "--showformat=${db:Status-Status} ${Package}\n"]),
    )?;
    let installed: BTreeSet<&str> = installed
        .lines()
        .filter_map(|line| line.strip_prefix("installed "))
        .collect();
    Ok(PACKAGES
        .into_iter()
        .filter(|package| !installed.contains(package))
        .collect())
}

fn install_packages(packages: &[&str]) -> Result<()> {
    eprintln!("installing {}", packages.join(" "));
    // If one of the machine's mirrors fails, it may not be one that is needed.
    if let Err(error) = process::run(apt_get()?.arg("update")) {
        eprintln!("warning: {error:#}");
    }
    process::run(
        apt_get()?
            .args(["install", "--no-install-recommends"])
            .args(packages),
    )
}

/// apt-get, through sudo if we are not root.
fn apt_get() -> Result<Command> {
    let Some(mut command) = process::as_root("apt-get") else {
        bail!(
            "not root, and there is no sudo. As root run:\n    apt-get install {}",
            PACKAGES.join(" ")
        );
    };
    command
        .args([
            "--quiet=2",
            "--assume-yes",
            "--option",
            "DPkg::Lock::Timeout=600",
        ])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .stdout(io::stderr());
    Ok(command)
}

/// Builds bpf-linker with Debian's LLVM.
fn install_linker() -> Result<()> {
    let root = toolchain::linker_root()?;
    if root.join("bin/bpf-linker").is_file() {
        return Ok(());
    }
    eprintln!("building bpf-linker {}", toolchain::LINKER_VERSION);
    let llvm = toolchain::LLVM;
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        // Not in the workspace, which has settings of its own.
        .current_dir(&root)
        .args(["install", "--quiet", "--locked", "bpf-linker"])
        .args(["--version", toolchain::LINKER_VERSION])
        .args([
            "--no-default-features",
            "--features",
            &format!("llvm-{llvm}"),
        ])
        .arg("--root")
        .arg(&root)
        .env("LLVM_PREFIX", format!("/usr/lib/llvm-{llvm}"))
        .stdout(io::stderr());
    process::run(&mut command).context("cannot build bpf-linker")
}

/// Lists what is missing on a machine whose packages we don't know.
fn other_distribution() -> Result<()> {
    let mut missing = Vec::new();
    if let Err(error) = Toolchain::find() {
        let (version, llvm) = (toolchain::LINKER_VERSION, toolchain::LLVM);
        missing.push(format!(
            "to build the eBPF objects: {error:#}\n    \
             (rustup component add rust-src; cargo install bpf-linker --version {version}, with \
             LLVM {llvm} or newer; LLVM's llvm-strip and llvm-objcopy)"
        ));
    }
    for (program, needed) in [
        (arch::THIS.qemu.program, "to boot kernels: QEMU"),
        ("busybox", "to boot kernels: a statically linked busybox"),
        (
            "apt-get",
            "to fetch Debian's kernels: a Debian with its apt sources",
        ),
        ("dpkg-deb", "to unpack Debian's kernels: dpkg"),
        (
            "mmdebstrap",
            "to install Debian for guests: mmdebstrap and mkfs.ext4",
        ),
    ] {
        if places::on_path(program).is_none() {
            missing.push(needed.into());
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    bail!(
        "this is not Debian 12, so install by hand what is missing here:\n  {}",
        missing.join("\n  ")
    )
}
