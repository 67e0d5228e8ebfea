//! The compiler and the linker for the kernel side.
//!
//! `core` for `bpfel-unknown-none` is built from source, so the compiler needs its own library
//! sources. Debian's packages and rustup's `rust-src` component both have them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow};

use crate::{places, process};

/// The release of bpf-linker that `setup` builds.
pub const LINKER_VERSION: &str = "0.13.0";
/// The LLVM that `setup` links it with, which is that of Debian's compiler.
pub const LLVM: &str = "22";

/// The oldest compiler that builds the workspace, as its `rust-version` says.
const MINIMUM_RUST: &str = env!("CARGO_PKG_RUST_VERSION");

/// What builds the kernel side.
pub struct Toolchain {
    /// The compiler.
    pub rustc: PathBuf,
    /// Where the compiler's library sources are.
    pub library: PathBuf,
    /// The cargo that came with the compiler.
    pub cargo: PathBuf,
    /// bpf-linker.
    pub linker: PathBuf,
    /// llvm-strip.
    pub strip: PathBuf,
    /// llvm-objcopy.
    pub objcopy: PathBuf,
    /// The versions of all of them, as recorded beside the objects.
    pub versions: String,
}

impl Toolchain {
    /// Finds what is installed; the error says what is missing.
    pub fn find() -> Result<Self> {
        let (rustc, library) = compiler()?;
        let linker = linker()?;
        let rustc_version = process::output(Command::new(&rustc).arg("-vV"))?;
        let llvm = field(&rustc_version, "LLVM version: ").unwrap_or("unknown");
        let strip = llvm_tool("llvm-strip", llvm)?;
        let objcopy = llvm_tool("llvm-objcopy", llvm)?;
        let strip_version = process::output(Command::new(&strip).arg("--version"))?;
        let versions = format!(
            "{}, LLVM {llvm}\n{}, LLVM {}\nllvm-strip {}\n",
            rustc_version.lines().next().unwrap_or_default(),
            process::output(Command::new(&linker).arg("--version"))?.trim(),
            llvm_of(&linker).unwrap_or_else(|| "unknown".into()),
            strip_version
                .split_once("LLVM version ")
                .and_then(|(_, rest)| rest.split_whitespace().next())
                .unwrap_or("unknown"),
        );
        Ok(Self {
            cargo: rustc.with_file_name("cargo"),
            rustc,
            library,
            linker,
            strip,
            objcopy,
            versions,
        })
    }
}

/// Where `setup` puts its bpf-linker.
pub fn linker_root() -> Result<PathBuf> {
    places::cache(&format!("bpf-linker-{LINKER_VERSION}-llvm{LLVM}"))
}

fn linker() -> Result<PathBuf> {
    let ours = linker_root()?.join("bin/bpf-linker");
    if ours.is_file() {
        return Ok(ours);
    }
    places::on_path("bpf-linker").context("there is no bpf-linker; run: cargo xtask setup")
}

/// A compiler that is new enough and has its library sources: Debian's, that of this workspace,
/// or rustup's nightly.
fn compiler() -> Result<(PathBuf, PathBuf)> {
    let candidates: [&[&str]; 3] = [&["/usr/bin/rustc"], &["rustc"], &["rustc", "+nightly"]];
    candidates
        .iter()
        .find_map(|words| {
            let mut command = Command::new(words[0]);
            // rustup's proxy must use the workspace's choice, not that of the environment that
            // started cargo.
            command
                .args(&words[1..])
                .env_remove("RUSTUP_TOOLCHAIN")
                .current_dir(places::workspace());
            let sysroot = process::output(command.args(["--print", "sysroot"])).ok()?;
            let sysroot = Path::new(sysroot.trim());
            let rustc = sysroot.join("bin/rustc");
            let library = sysroot.join("lib/rustlib/src/rust/library");
            let fits = library.join("Cargo.lock").is_file()
                && rustc.with_file_name("cargo").is_file()
                && new_enough(&rustc);
            fits.then_some((rustc, library))
        })
        .ok_or_else(|| {
            anyhow!(
                "no compiler has what the kernel side needs: Rust {MINIMUM_RUST} or newer with its \
                 library sources.\nOn Debian 12 run: cargo xtask setup\n\
                 Elsewhere run: rustup component add rust-src"
            )
        })
}

fn new_enough(rustc: &Path) -> bool {
    let Ok(version) = process::output(Command::new(rustc).arg("-vV")) else {
        return false;
    };
    let numbers = |text: &str| -> Vec<u32> {
        text.split(['.', '-'])
            .map_while(|number| number.parse().ok())
            .collect()
    };
    field(&version, "release: ").is_some_and(|release| numbers(release) >= numbers(MINIMUM_RUST))
}

/// A tool from the LLVM with the compiler's major version, or any that is in the PATH.
fn llvm_tool(name: &str, llvm: &str) -> Result<PathBuf> {
    let major = llvm.split('.').next().unwrap_or(llvm);
    places::on_path(&format!("{name}-{major}"))
        .or_else(|| places::on_path(name))
        .with_context(|| {
            format!(
                "there is no {name}. On Debian 12 run: cargo xtask setup\n\
                 Elsewhere install the tools of LLVM {major}"
            )
        })
}

/// The version of the LLVM library that bpf-linker uses; `None` if it is linked statically.
pub fn llvm_of(linker: &Path) -> Option<String> {
    let libraries = process::output(Command::new("ldd").arg(linker)).ok()?;
    let library = libraries
        .split_whitespace()
        .find(|word| word.starts_with('/') && word.contains("libLLVM"))?;
    let config = Path::new(library)
        .parent()?
        .with_file_name("bin/llvm-config");
    match process::output(Command::new(config).arg("--version")) {
        Ok(version) => Some(version.trim().into()),
        Err(_) => Some(Path::new(library).file_name()?.to_string_lossy().into()),
    }
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name))
}
