//! Checks that the committed eBPF objects belong to the sources beside them, tells the program where
//! they are, and puts the atlas into one file.

#[path = "build/digest.rs"]
mod digest;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

fn main() -> ExitCode {
    match check() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={error}");
            ExitCode::FAILURE
        }
    }
}

fn check() -> Result<(), Box<dyn Error>> {
    let package = env::var("CARGO_MANIFEST_DIR")?;
    let package = Path::new(&package);
    let workspace = package.parent().unwrap_or(package);
    let architecture = env::var("CARGO_CFG_TARGET_ARCH")?;
    let known = ["", ".rs"].map(|end| format!("src/arch/{architecture}{end}"));
    if !known.iter().any(|module| package.join(module).exists()) {
        return Err(format!(
            "the processor {architecture} is not supported: add capable/src/arch/{architecture}.rs, \
             with the names that capable/src/arch/mod.rs takes from the others, and choose it there"
        )
        .into());
    }

    println!("cargo::rerun-if-changed=build/digest.rs");
    let sources = digest::of_sources(workspace)?;
    if sources.is_some() {
        for source in digest::SOURCES {
            println!(
                "cargo::rerun-if-changed={}",
                workspace.join(source).display()
            );
        }
    }

    for transport in ["ring", "perf"] {
        let path = package.join(format!("ebpf/{transport}.{architecture}.o"));
        println!("cargo::rerun-if-changed={}", path.display());
        let object = fs::read(&path).map_err(|error| {
            format!(
                "there is no eBPF object for {architecture} ({}: {error}); run: cargo xtask build-ebpf",
                path.display()
            )
        })?;
        if sources.is_some() && sources.as_deref() != digest::in_object(&object) {
            return Err(
                "the eBPF objects are older than their sources; run: cargo xtask build-ebpf".into(),
            );
        }
        println!(
            "cargo::rustc-env=CAPABLE_{}_OBJECT={}",
            transport.to_uppercase(),
            path.display()
        );
    }
    atlas(package)
}

/// Puts all lines of the atlas into one file, in the order of their files.
fn atlas(package: &Path) -> Result<(), Box<dyn Error>> {
    let folder = package.join("atlas");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    let mut open = vec![folder];
    while let Some(folder) = open.pop() {
        let entries =
            fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|it| it == "sites") {
                files.push(path);
            }
        }
    }
    files.sort();
    let mut text = String::new();
    for file in files {
        text.push_str(&fs::read_to_string(file)?);
        text.push('\n');
    }
    let out = env::var_os("OUT_DIR").ok_or("there is no OUT_DIR")?;
    fs::write(Path::new(&out).join("atlas.sites"), text)?;
    Ok(())
}
