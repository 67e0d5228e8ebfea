//! What can be learned from files and from the process's own state.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::support::{Lack, OUTSIDE, Support};
use crate::capability::CapabilitySet;

/// How far the kernel is locked down, kernel_lockdown(7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lockdown {
    /// Not at all, or not built in.
    None,
    /// Against changes: tracing works.
    Integrity,
    /// Against reading it too: no kprobes, and no reads of kernel memory by BPF programs.
    Confidentiality,
    /// That is not known, and why.
    Unknown(Lack),
}

/// Reads the lockdown mode out of securityfs (security/lockdown/lockdown.c).
pub(super) fn lockdown(security: &Path) -> Lockdown {
    let path = security.join("lockdown");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        // The list of security modules exists whenever securityfs is mounted (security/inode.c), so
        // if it exists and this file does not, the kernel has no lockdown.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return match security.join("lsm").exists() {
                true => Lockdown::None,
                false => Lockdown::Unknown(Lack::with_remedy(
                    format!("securityfs is not mounted at {}", security.display()),
                    format!("mount -t securityfs securityfs {}", security.display()),
                )),
            };
        }
        Err(error) => {
            return Lockdown::Unknown(Lack::new(format!(
                "cannot read {}: {error}",
                path.display()
            )));
        }
    };
    let mode = text.split(['[', ']']).nth(1);
    match mode {
        Some("none") => Lockdown::None,
        Some("integrity") => Lockdown::Integrity,
        Some("confidentiality") => Lockdown::Confidentiality,
        _ => Lockdown::Unknown(Lack::new(format!("cannot parse {text:?}"))),
    }
}

/// A number in `/proc/sys`; `None` if it cannot be read.
pub(super) fn setting(name: &str) -> Option<i64> {
    let path = Path::new("/proc/sys").join(name);
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// The effective capabilities of this process; none if `/proc` does not tell.
pub(super) fn effective() -> CapabilitySet {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let bits = line.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
    CapabilitySet::from_bits(bits.unwrap_or(0))
}

/// Is this process in the initial namespace of a kind?
///
/// Its inode number is fixed (include/linux/proc_ns.h, `PROC_*_INIT_INO`).
pub(super) fn is_initial_namespace(kind: &str, initial: u32) -> Support {
    let path = format!("/proc/self/ns/{kind}");
    match fs::read_link(&path) {
        Ok(link) if link.as_os_str() == format!("{kind}:[{initial}]").as_str() => Support::Yes,
        Ok(link) => Support::no(format!(
            "this process is in the namespace {}",
            link.display()
        )),
        Err(error) => Support::unknown(format!("cannot read {path}: {error}")),
    }
}

/// Can addresses of kernel functions be read?
///
/// With `kptr_restrict`, processes without CAP_SYSLOG, or all processes, see zeros
/// (kernel/ksyms_common.c, `kallsyms_show_value`).
pub(super) fn symbols(kptr_restrict: Option<i64>, initial_user_namespace: &Support) -> Support {
    let mut begin = [0; 8192];
    let read = fs::File::open("/proc/kallsyms").and_then(|mut file| file.read(&mut begin));
    let length = match read {
        Ok(length) => length,
        Err(error) => return Support::no(format!("cannot read /proc/kallsyms: {error}")),
    };
    // The first symbols can be offsets into per-processor memory, of which the first is 0.
    let text = String::from_utf8_lossy(&begin[..length]);
    let mut addresses = text.lines().filter_map(|line| line.split(' ').next());
    if addresses.any(|address| address.bytes().any(|digit| digit != b'0')) {
        return Support::Yes;
    }
    Support::No(match kptr_restrict {
        Some(2) => Lack::with_remedy(
            "kernel.kptr_restrict is 2, which hides kernel addresses from every process",
            "run `sysctl kernel.kptr_restrict=1`",
        ),
        _ => Lack::with_remedy(
            "the kernel hides its addresses from this process",
            match initial_user_namespace {
                Support::No(_) => OUTSIDE,
                _ => "give it CAP_SYSLOG too",
            },
        ),
    })
}

/// Is the BPF compiler on? Without it programs are interpreted, several times slower.
pub(super) fn jit() -> Support {
    match fs::read_to_string("/proc/sys/net/core/bpf_jit_enable") {
        Ok(value) if value.trim() == "0" => Support::No(Lack::with_remedy(
            "net.core.bpf_jit_enable is 0: programs are interpreted, which is slower",
            "run `sysctl net.core.bpf_jit_enable=1`",
        )),
        Ok(_) => Support::Yes,
        Err(error) => Support::unknown(format!("cannot read net.core.bpf_jit_enable: {error}")),
    }
}

/// Where the version 2 hierarchy of control groups is mounted.
pub(super) fn cgroup_mount() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    mounts.lines().find_map(|line| {
        let mut fields = line.split(' ');
        let path = fields.nth(1)?;
        // A space in a path is written as \040 (proc(5)).
        (fields.next() == Some("cgroup2")).then(|| PathBuf::from(path.replace("\\040", " ")))
    })
}

/// Are kprobes built in and switched on?
pub(super) fn kprobe(lockdown: &Lockdown) -> Support {
    const DEVICES: &str = "/sys/bus/event_source/devices";
    if !Path::new(DEVICES).exists() {
        return Support::Unknown(Lack::with_remedy(
            format!("{DEVICES} does not exist"),
            "mount sysfs at /sys",
        ));
    }
    if !Path::new(DEVICES).join("kprobe/type").exists() {
        return Support::No(Lack::with_remedy(
            "this kernel is built without kprobes",
            "use a kernel with CONFIG_KPROBE_EVENTS=y",
        ));
    }
    if *lockdown == Lockdown::Confidentiality {
        return confidentiality("kprobes");
    }
    // kernel/kprobes.c, `debugfs_kprobe_init`. Usually only root can read it.
    match fs::read_to_string("/sys/kernel/debug/kprobes/enabled") {
        Ok(enabled) if enabled.trim() == "0" => Support::No(Lack::with_remedy(
            "kprobes are switched off",
            "run `echo 1 > /sys/kernel/debug/kprobes/enabled`",
        )),
        _ => Support::Yes,
    }
}

/// Can a kprobe be set at a function's return?
pub(super) fn kretprobe(kprobe: &Support) -> Support {
    let format = "/sys/bus/event_source/devices/kprobe/format/retprobe";
    match kprobe {
        Support::Yes if !Path::new(format).exists() => Support::No(Lack::with_remedy(
            "this kernel is built without kretprobes (CONFIG_KRETPROBES)",
            "use another hook",
        )),
        other => other.clone(),
    }
}

/// What lockdown=confidentiality takes away.
pub(super) fn confidentiality(what: &str) -> Support {
    Support::No(Lack::with_remedy(
        format!("lockdown=confidentiality forbids {what}"),
        "boot with lockdown=integrity, or without lockdown",
    ))
}

/// How many files this process may have open; `None` if there is no limit.
pub(super) fn open_files() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_in_brackets_is_the_one_in_force() {
        let directory = tempfile::tempdir().unwrap();
        let read = |text: &str| {
            fs::write(directory.path().join("lockdown"), text).unwrap();
            lockdown(directory.path())
        };
        assert_eq!(read("[none] integrity confidentiality\n"), Lockdown::None);
        assert_eq!(
            read("none [integrity] confidentiality\n"),
            Lockdown::Integrity
        );
        assert_eq!(
            read("none integrity [confidentiality]\n"),
            Lockdown::Confidentiality
        );
        assert!(matches!(read("nonsense"), Lockdown::Unknown(_)));
    }

    #[test]
    fn a_mounted_securityfs_without_the_file_means_no_lockdown() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(lockdown(directory.path()), Lockdown::Unknown(_)));
        fs::write(directory.path().join("lsm"), "capability").unwrap();
        assert_eq!(lockdown(directory.path()), Lockdown::None);
    }

    #[test]
    fn this_process_is_in_its_own_namespaces() {
        let kind = "user";
        let link = fs::read_link("/proc/self/ns/user").unwrap();
        let digits: String = link
            .to_string_lossy()
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        let own: u32 = digits.parse().unwrap();
        assert_eq!(is_initial_namespace(kind, own), Support::Yes);
        assert!(is_initial_namespace(kind, own.wrapping_sub(1)).is_no());
    }
}
