//! The root file system of a guest: busybox, users, our own programs and whatever a test adds.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::arch::Lines;
use crate::initramfs::Archive;
use crate::{arch, atlas, places, process};

/// Users with Debian's numbers; those of services are created by packages that are only unpacked
/// here, not installed.
const PASSWD: &str = "\
root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
_chrony:x:101:101:chrony:/var/lib/chrony:/usr/sbin/nologin
sshd:x:102:65534:sshd:/run/sshd:/usr/sbin/nologin
dnsmasq:x:103:65534:dnsmasq:/var/lib/misc:/usr/sbin/nologin
tcpdump:x:104:104:tcpdump:/nonexistent:/usr/sbin/nologin
messagebus:x:105:105:messagebus:/nonexistent:/usr/sbin/nologin
systemd-network:x:998:998:systemd:/:/usr/sbin/nologin
user:x:1000:1000:user:/home/user:/bin/sh
other:x:1001:1001:other:/home/other:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
";

const GROUP: &str = "\
root:x:0:
daemon:x:1:
adm:x:4:
tty:x:5:
disk:x:6:
kmem:x:15:
www-data:x:33:
shadow:x:42:
utmp:x:43:
users:x:100:
_chrony:x:101:
tcpdump:x:104:
messagebus:x:105:
systemd-journal:x:997:
systemd-network:x:998:
user:x:1000:
other:x:1001:
nogroup:x:65534:
";

/// What pam-auth-update would write: everyone is permitted.
const PAM: [(&str, &str); 4] = [
    ("common-auth", "auth required pam_permit.so\n"),
    ("common-account", "account required pam_permit.so\n"),
    ("common-password", "password required pam_permit.so\n"),
    ("common-session", "session required pam_permit.so\n"),
];

/// A system of busybox, with these programs in `/usr/bin`.
pub fn base(programs: &[PathBuf]) -> Result<Archive> {
    let mut archive = Archive::default();
    for (link, target) in [
        ("bin", "usr/bin"),
        ("sbin", "usr/sbin"),
        ("lib", "usr/lib"),
        ("lib64", "usr/lib64"),
    ] {
        archive.symlink(link, target);
    }
    for folder in [
        "dev",
        "etc",
        "mnt",
        "proc",
        "run",
        "srv",
        "sys",
        "usr/bin",
        "usr/lib",
        "usr/lib64",
        "usr/sbin",
        "var/lib",
        "var/log",
        "var/www",
    ] {
        archive.directory(folder, 0o755, 0);
    }
    archive.symlink("var/run", "/run");
    archive.directory("tmp", 0o1777, 0);
    archive.directory("var/tmp", 0o1777, 0);
    archive.directory("root", 0o700, 0);
    archive.directory("home/user", 0o755, 1000);
    archive.directory("home/other", 0o755, 1001);
    // The kernel opens it before the first process can mount /dev.
    archive.device("dev/console", 5, 1);

    archive.file("init", 0o755, include_str!("init.sh"));
    archive.file("vm/report", 0o644, include_str!("report.sh"));
    let Lines { output, report, .. } = arch::THIS.qemu.lines;
    let lines = format!("OUTPUT=/dev/{output}\nREPORT=/dev/{report}\n");
    archive.file("vm/lines", 0o644, lines);
    archive.file("etc/passwd", 0o644, PASSWD);
    archive.file("etc/group", 0o644, GROUP);
    archive.file("etc/shadow", 0o640, shadow());
    archive.file("etc/hostname", 0o644, "guest\n");
    archive.file(
        "etc/hosts",
        0o644,
        "127.0.0.1 localhost guest\n::1 localhost\n",
    );
    archive.file(
        "etc/nsswitch.conf",
        0o644,
        "passwd: files\ngroup: files\nshadow: files\nhosts: files\n",
    );
    archive.file("etc/shells", 0o644, "/bin/sh\n");
    archive.file(
        "etc/machine-id",
        0o444,
        "0123456789abcdef0123456789abcdef\n",
    );
    for (name, line) in PAM {
        archive.file(&format!("etc/pam.d/{name}"), 0o644, line);
    }

    let busybox =
        places::on_path("busybox").context("there is no busybox; run: cargo xtask setup")?;
    archive.copy("usr/bin/busybox", 0o755, &busybox);
    // All in one directory, where Debian's program of the same name replaces the link; a program in
    // /usr/sbin comes before it in the PATH.
    let applets = process::output(Command::new(&busybox).arg("--list"))?;
    for applet in applets.lines().filter(|name| *name != "busybox") {
        archive.symlink(&format!("usr/bin/{applet}"), "busybox");
    }
    // Where the kernel looks for modprobe (CONFIG_MODPROBE_PATH).
    archive.symlink("usr/sbin/modprobe", "../bin/busybox");

    for program in programs {
        let name = program
            .file_name()
            .with_context(|| format!("{} is not a program", program.display()))?;
        archive.copy(&format!("usr/bin/{}", name.display()), 0o755, program);
    }
    // What the proofs compare the kernel with.
    let folder = places::workspace().join("capable/atlas");
    for path in atlas::files(&folder)? {
        let name = path.strip_prefix(&folder)?.display();
        archive.copy(&format!("vm/atlas/{name}"), 0o644, &path);
    }
    Ok(archive)
}

/// Nobody can log in by password.
fn shadow() -> String {
    PASSWD
        .lines()
        .filter_map(|line| line.split(':').next())
        .map(|name| format!("{name}:*:19000:0:99999:7:::\n"))
        .collect()
}
