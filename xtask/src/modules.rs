//! The kernel modules that guests get.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::places;

/// Modules that guests get, with all modules that these need. If a module is built into a kernel,
/// or does not exist for it, there is nothing to copy.
const MODULES: [&str; 19] = [
    "af_packet_diag",
    "autofs4",
    "bridge",
    "dummy",
    "fuse",
    "inet_diag",
    "ip_tables",
    "iptable_filter",
    "ipvlan",
    "loop",
    "macvlan",
    "nf_tables",
    "overlay",
    "squashfs",
    "tun",
    "unix_diag",
    "veth",
    "virtio_blk",
    "virtio_pci",
];

/// What decides which modules are taken: a kernel in the cache is as old as this.
pub fn chosen() -> String {
    MODULES.join("\n") + "\n"
}

/// Copies [`MODULES`] and what they depend on, uncompressed.
pub fn choose(from: &Path, to: &Path) -> Result<()> {
    places::create(to)?;
    let mut available = BTreeMap::new();
    index(from, &mut available)?;
    let mut open: VecDeque<String> = MODULES.iter().map(|name| (*name).into()).collect();
    let mut taken = BTreeSet::new();
    while let Some(name) = open.pop_front() {
        let Some(path) = available.get(&name).filter(|_| taken.insert(name.clone())) else {
            continue;
        };
        let module = if path.extension().is_some_and(|extension| extension == "xz") {
            let output = Command::new("busybox").arg("xzcat").arg(path).output()?;
            if !output.status.success() {
                bail!("cannot uncompress {}", path.display());
            }
            output.stdout
        } else {
            fs::read(path)?
        };
        open.extend(dependencies(&module));
        fs::write(to.join(format!("{name}.ko")), module)?;
    }
    Ok(())
}

/// Finds the module files below a folder, by module name.
fn index(folder: &Path, found: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            index(&path, found)?;
        } else if let Some(name) = path.file_name().and_then(|name| name.to_str())
            && let Some((name, _)) = name.split_once(".ko")
        {
            found.insert(name.replace('-', "_"), path);
        }
    }
    Ok(())
}

/// The modules that a module says it depends on: `depends=a,b`, closed by NUL, in its `.modinfo`
/// (scripts/mod/modpost.c, `add_depends`).
fn dependencies(module: &[u8]) -> Vec<String> {
    const FIELD: &[u8] = b"\0depends=";
    let Some(start) = module
        .windows(FIELD.len())
        .position(|window| window == FIELD)
    else {
        return Vec::new();
    };
    let value = &module[start + FIELD.len()..];
    let value = value.split(|&byte| byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(value)
        .split(',')
        .filter(|name| !name.is_empty())
        .map(|name| name.replace('-', "_"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dependencies_of_a_module_are_read_from_it() {
        let module = b"license=GPL\0depends=nf-conntrack,libcrc32c\0retpoline=Y\0";
        assert_eq!(dependencies(module), ["nf_conntrack", "libcrc32c"]);
        assert!(dependencies(b"license=GPL\0depends=\0").is_empty());
        assert!(dependencies(b"").is_empty());
    }
}
