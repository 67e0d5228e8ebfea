//! `cargo xtask build-ebpf`: makes the committed eBPF objects from their sources.
//!
//! The same sources and toolchain give the same bytes in every directory and with every
//! `CARGO_HOME`, so that anyone can verify the committed objects.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use crate::arch::{self, Architecture};
use crate::digest;
use crate::toolchain::{self, Toolchain};
use crate::{places, process};

const TRANSPORTS: [&str; 2] = ["ring", "perf"];

/// Variables that change what cargo builds, besides those that begin with `CARGO_PROFILE_`,
/// `CARGO_BUILD_` or `CARGO_TARGET_`.
const FOREIGN_SETTINGS: [&str; 7] = [
    "CARGO",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_INCREMENTAL",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
    "RUSTUP_TOOLCHAIN",
];

/// Options of `cargo xtask build-ebpf`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Rebuild and compare with what is committed, and change nothing
    #[arg(long)]
    check: bool,
}

/// Runs the subcommand.
pub fn run(options: &Options) -> Result<ExitCode> {
    if options.check {
        check_committed()?;
    } else {
        write()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds the objects and puts them where `capable` includes them from.
fn write() -> Result<()> {
    let toolchain = Toolchain::find()?;
    for (name, object) in build(&toolchain, &digest()?)? {
        let path = committed(&name);
        put(&path, &object)?;
        eprintln!("{}: {} bytes", path.display(), object.len());
    }
    put(&recorded(), toolchain.versions.as_bytes())
}

/// Compares the committed objects with their sources: byte for byte if the recorded toolchain is
/// installed, otherwise only by the digest.
pub fn check_committed() -> Result<()> {
    let digest = digest()?;
    for name in arch::ALL.into_iter().flat_map(names) {
        let path = committed(&name);
        let object = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        if digest::in_object(&object) != Some(digest.as_str()) {
            bail!(
                "{} is older than its sources; run: cargo xtask build-ebpf",
                path.display()
            );
        }
    }

    let recorded = fs::read_to_string(recorded()).context("cannot read capable/ebpf/TOOLCHAIN")?;
    let toolchain = match Toolchain::find() {
        Ok(toolchain) if toolchain.versions == recorded => toolchain,
        other => {
            let found = match other {
                Ok(toolchain) => toolchain.versions,
                Err(error) => format!("{error:#}\n"),
            };
            eprintln!(
                "the eBPF objects hold the digest of their sources. They were not rebuilt: the \
                 recorded toolchain is\n{recorded}and here is\n{found}"
            );
            return Ok(());
        }
    };

    for (name, object) in build(&toolchain, &digest)? {
        let path = committed(&name);
        if fs::read(&path)? != object {
            let fresh = places::target().join("ebpf").join(&name);
            put(&fresh, &object)?;
            bail!(
                "{} is not what its sources and the versions in Cargo.lock give with the recorded \
                 toolchain; that is {}; to take it, run: cargo xtask build-ebpf",
                path.display(),
                fresh.display()
            );
        }
        eprintln!("{}: rebuilt, the same bytes", path.display());
    }
    Ok(())
}

/// The file names of the objects of an architecture.
fn names(architecture: &Architecture) -> [String; 2] {
    TRANSPORTS.map(|transport| architecture.object(transport))
}

/// Builds all objects, stripped and with the digest in them, each with its file name.
fn build(toolchain: &Toolchain, digest: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let target = places::target().join("ebpf");
    places::create(&target)?;
    let _lock = places::lock(&target.join("build-ebpf.lock"))?;
    let mark = target.join("digest");
    put(&mark, format!("{}{digest}\n", digest::MARK).as_bytes())?;
    let mut objects = Vec::new();
    for architecture in arch::ALL {
        compile(toolchain, &target, architecture)?;
        for transport in TRANSPORTS {
            let built = target.join("bpfel-unknown-none/ebpf").join(transport);
            let name = architecture.object(transport);
            let finished = target.join(format!("{name}.finished"));
            process::run(
                Command::new(&toolchain.strip)
                    .arg("-g")
                    .arg("-o")
                    .arg(&finished)
                    .arg(&built),
            )?;
            process::run(
                Command::new(&toolchain.objcopy)
                    .arg(format!("--add-section=.capable.digest={}", mark.display()))
                    .arg(&finished),
            )?;
            let object = fs::read(&finished)
                .with_context(|| format!("cannot read {}", finished.display()))?;
            objects.push((name, object));
        }
    }
    Ok(objects)
}

fn compile(toolchain: &Toolchain, target: &Path, architecture: &Architecture) -> Result<()> {
    let cargo_home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(env::home_dir()?.join(".cargo")))
        .context("neither CARGO_HOME nor HOME says where cargo keeps its sources")?;
    let flags = [
        format!("--cfg=bpf_target_arch=\"{}\"", architecture.name),
        format!("-Clinker={}", toolchain.linker.display()),
        format!("--remap-path-prefix={}=/cargo", cargo_home.display()),
        format!(
            "--remap-path-prefix={}=/library",
            toolchain.library.display()
        ),
        format!(
            "--remap-path-prefix={}=/capable",
            places::workspace().display()
        ),
    ];

    let mut command = Command::new(&toolchain.cargo);
    for (name, _) in env::vars_os() {
        let foreign = name.to_str().is_some_and(|name| {
            FOREIGN_SETTINGS.contains(&name)
                || ["CARGO_PROFILE_", "CARGO_BUILD_", "CARGO_TARGET_"]
                    .iter()
                    .any(|prefix| name.starts_with(prefix))
        });
        if foreign {
            command.env_remove(name);
        }
    }
    command
        .current_dir(places::workspace())
        .args(["build", "--quiet", "--locked", "--package", "capable-ebpf"])
        .args(["-Z", "build-std=core", "--target", "bpfel-unknown-none"])
        .args(["--profile", "ebpf"])
        .arg("--target-dir")
        .arg(target)
        .env("RUSTC", &toolchain.rustc)
        // Lets a stable compiler build `core` for a target that has no prebuilt one.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        .stderr(Stdio::piped());
    for setting in [
        "inherits='release'",
        "opt-level=3",
        // capable loads its programs without BTF of their own, which would be more than half of
        // each object.
        "debug=0",
        "lto=false",
        "codegen-units=1",
        "panic='abort'",
        "strip='none'",
        "debug-assertions=false",
        "overflow-checks=false",
    ] {
        command
            .arg("--config")
            .arg(format!("profile.ebpf.{setting}"));
    }

    let mut child = command
        .spawn()
        .with_context(|| format!("cannot run {}", toolchain.cargo.display()))?;
    let mut complaints = String::new();
    if let Some(stderr) = child.stderr.take() {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            eprintln!("{line}");
            complaints.push_str(&line);
            complaints.push('\n');
        }
    }
    if child.wait()?.success() {
        return Ok(());
    }
    if complaints.contains("Invalid record") || complaints.contains("Unknown attribute kind") {
        bail!(
            "bpf-linker could not read what the compiler wrote: its LLVM is older than the \
             compiler's.\nFound:\n{}Build bpf-linker {} with LLVM {} or newer",
            toolchain.versions,
            toolchain::LINKER_VERSION,
            toolchain::LLVM,
        );
    }
    bail!("the kernel side does not build")
}

/// The digest of the sources in this clone.
fn digest() -> Result<String> {
    digest::of_sources(places::workspace())?
        .context("there are no sources of the kernel side in this folder")
}

fn committed(name: &str) -> PathBuf {
    places::workspace().join("capable/ebpf").join(name)
}

fn recorded() -> PathBuf {
    places::workspace().join("capable/ebpf/TOOLCHAIN")
}

/// Writes a file that others may be reading: they see either the old content or the new.
fn put(path: &Path, content: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    places::create(folder)?;
    let fresh = path.with_extension(format!("{}.tmp", std::process::id()));
    fs::write(&fresh, content)
        .and_then(|()| fs::rename(&fresh, path))
        .with_context(|| format!("cannot write {}", path.display()))
}
