//! Checks that the committed eBPF objects belong to the sources beside them, and tells the
//! program where they are.

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
    Ok(())
}
