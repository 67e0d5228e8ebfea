//! `capable why` on kinds of refusals from public reports: what must be said of each, and what must
//! not, was written down before the program said anything.

mod kinds;

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::Bench;
use super::programs::FOLDER;
use kinds::Kind;

/// The kinds of which the right thing is said. The others are open, and listed with what is lacking.
const RIGHT: &[&str] = &[
    "bind-low-port",
    "fifo-of-another-user",
    "file-capability-not-effective",
    "hard-link",
    "home-of-another-user",
    "immutable-file",
    "kill-another-users-process",
    "landlock-mount",
    "netlink-netfilter",
    "nr-open",
    "path-entry-unreadable",
    "protected-fifos",
    "protected-regular",
    "renice-of-another-user",
    "root-squash",
    "seccomp-eperm",
    "unmapped-owner",
    "unshare-map-root-without-setfcap",
    "yama-no-attach",
    "yama-relational",
];

/// Of each kind, what must be said is said.
pub fn test(_: &Bench) -> Result<()> {
    fs::create_dir_all(FOLDER)?;
    fs::set_permissions(FOLDER, fs::Permissions::from_mode(0o1777))?;
    let mut wrong = Vec::new();
    let (mut right, mut all) = (0, 0);
    for kind in kinds::all() {
        let said = kind.run();
        let lacks = match said {
            Ok(said) => kind.lacks(&said),
            Err(error) => vec![format!("{error:#}")],
        };
        all += 1;
        right += usize::from(lacks.is_empty());
        let expected = RIGHT.contains(&kind.name);
        match (lacks.is_empty(), expected) {
            (true, _) => println!("  {}: right", kind.name),
            (false, false) => println!("  {}: open: {}", kind.name, lacks.join("; ")),
            (false, true) => wrong.push(format!("{}: {}", kind.name, lacks.join("; "))),
        }
    }
    println!("  {right} of {all} are right");
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

impl Kind {
    /// What `capable why` says of it, on one line.
    fn run(&self) -> Result<String> {
        let prepared = shell(self.prepare)?;
        ensure!(prepared.is_empty(), "it cannot be prepared: {prepared}");
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

/// Runs a script in the folder; returns what it complained of, if it failed.
fn shell(script: &str) -> Result<String> {
    let ran = Command::new("timeout")
        .args(["20", "bash", "-euc", script])
        .current_dir(FOLDER)
        .stdin(Stdio::null())
        .output()
        .context("cannot run timeout(1)")?;
    Ok(match ran.status.success() {
        true => String::new(),
        false => format!("{}: {}", ran.status, String::from_utf8_lossy(&ran.stderr)),
    })
}
