//! The programs that read what is emitted, in the folder that `cargo xtask test` unpacks them in.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// Enters the folder `$1` with what a program expects of a machine, and runs the rest. The mounts
/// are in a namespace of their own and go with it. crun wants its root to be a mount, and a tree of
/// cgroups of version 2.
const ENTER: &str = r#"
root=$1; shift
mount --bind "$root" "$root"
for each in dev proc; do mount --rbind /$each "$root/$each"; done
mount --bind /sys "$root/sys"
mount -t cgroup2 none "$root/sys/fs/cgroup"
for each in tmp run var/tmp; do mount -t tmpfs none "$root/$each"; done
cd "$root"
exec chroot . "$@"
"#;

/// Where the consumers are.
fn folder() -> PathBuf {
    env::var_os("CAPABLE_CONSUMERS")
        .expect("the consumers are unpacked by: cargo xtask test --host")
        .into()
}

/// Runs a script of sh among the consumers. Its first argument is `text`, its /tmp is empty.
pub fn inside(script: &str, text: &str) -> Output {
    Command::new("unshare")
        .args(["--mount", "--propagation", "private"])
        .args(["sh", "-ec", ENTER, "sh"])
        .arg(folder())
        .args(["/bin/sh", "-ec", script, "sh", text])
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", "/tmp")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}
