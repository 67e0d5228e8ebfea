//! `capable why` on kinds of refusals from public reports: what must be said of each, and what must
//! not, was written down before the program said anything.

mod kinds;

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::Bench;
use super::programs::{FOLDER, shell};
use kinds::Kind;

/// The kinds of which the right thing is said on [`KERNEL`]. The others of the list are open.
const RIGHT: &[&str] = &[
    "ambient-without-inheritable",
    "bind-low-port",
    "clock-in-a-user-namespace",
    "dmesg-restricted",
    "drop-all-and-switch-user",
    "fifo-of-another-user",
    "file-capability-not-effective",
    "fuse-of-another-user",
    "hard-link",
    "home-of-another-user",
    "immutable-file",
    "kill-another-users-process",
    "limit-of-core-files",
    "mlock-over-the-limit",
    "mount-of-a-device-in-a-user-namespace",
    "netlink-netfilter",
    "netns-needs-more-than-net-admin",
    "noexec-mount",
    "nr-open",
    "oom-score",
    "path-entry-unreadable",
    "proc-sys-read-only",
    "protected-fifos",
    "protected-regular",
    "root-squash",
    "seccomp-eperm",
    "sticky-directory",
    "unmapped-owner",
    "unshare-map-root-without-setfcap",
    "user-namespaces-switched-off",
    "yama-relational",
];

/// The kernel on which the list was tried.
const KERNEL: &str = "6.1.";

/// Of each kind, what must be said is said.
pub fn test(_: &Bench) -> Result<()> {
    fs::create_dir_all(FOLDER)?;
    fs::set_permissions(FOLDER, fs::Permissions::from_mode(0o1777))?;
    let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    if !release.starts_with(KERNEL) {
        println!("not here: the list was tried on {KERNEL} only");
        return Ok(());
    }
    let mut wrong = Vec::new();
    for kind in kinds::all().filter(|kind| RIGHT.contains(&kind.name)) {
        let mut lacks = kind.tried()?;
        if !lacks.is_empty() {
            // On a busy machine, an emulated one may take longer than a look at a file may.
            lacks = kind.tried()?;
        }
        if !lacks.is_empty() {
            wrong.push(format!("{}: {}", kind.name, lacks.join("; ")));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    let open = kinds::all().count() - RIGHT.len();
    println!("  {} kinds are right, {open} are open", RIGHT.len());
    Ok(())
}

/// The settings that the scripts change, below /proc/sys. Yama's cannot always be put back.
const SETTINGS: [&str; 9] = [
    "fs/nr_open",
    "fs/protected_fifos",
    "fs/protected_hardlinks",
    "fs/protected_regular",
    "kernel/dmesg_restrict",
    "kernel/perf_event_paranoid",
    "kernel/unprivileged_userns_clone",
    "kernel/yama/ptrace_scope",
    "user/max_user_namespaces",
];

/// The settings that this kernel has, and their values.
fn settings() -> Vec<(String, String)> {
    let paths = SETTINGS.iter().map(|name| format!("/proc/sys/{name}"));
    paths
        .filter_map(|path| Some((fs::read_to_string(&path).ok()?, path)))
        .map(|(value, path)| (path, value))
        .collect()
}

/// Puts them back, for the tests that come after this one.
fn restore(settings: &[(String, String)]) -> Result<()> {
    for (path, value) in settings {
        fs::write(path, value).with_context(|| path.clone())?;
    }
    Ok(())
}

impl Kind {
    /// Tries it: what is lacking in what is said of it, or is too much.
    fn tried(&self) -> Result<Vec<String>> {
        let before = settings();
        let said = self.run();
        restore(&before)?;
        Ok(match said {
            Ok(said) => self.lacks(&said),
            Err(error) => vec![format!("{error:#}")],
        })
    }

    /// What `capable why` says of it, on one line.
    fn run(&self) -> Result<String> {
        let prepared = shell(self.prepare)?;
        ensure!(
            prepared.is_empty(),
            "it cannot be prepared: {}",
            prepared.join("; ")
        );
        let errors = format!("{FOLDER}/why.stderr");
        let status = Command::new("timeout")
            .arg("30")
            .arg("capable")
            .arg("why")
            .args(self.options.split_whitespace())
            .args(["--", "bash", "-c", self.command])
            .current_dir(FOLDER)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&errors)?)
            .status()
            .context("cannot run timeout(1)")?;
        let said = String::from_utf8_lossy(&fs::read(&errors)?).into_owned();
        let told = said.contains("refusal") || said.contains("refused");
        ensure!(
            told && !matches!(status.code(), Some(124 | 125)),
            "{status}: {said}"
        );
        Ok(said.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// What is lacking in what was said, or is too much.
    fn lacks(&self, said: &str) -> Vec<String> {
        let lacking = self.says.iter().filter(|part| !said.contains(*part));
        let too_much = self.never.iter().filter(|part| said.contains(*part));
        let lacking = lacking.map(|part| format!("lacks {part:?}"));
        lacking
            .chain(too_much.map(|part| format!("says {part:?}")))
            .collect()
    }
}
