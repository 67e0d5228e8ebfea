//! Programs that do what they are told. Whoever may execute such a file has its capabilities for
//! anything, so it must not get any.

use std::path::Path;

/// Shells, interpreters, and what else carries out commands of a file or a user.
const INTERPRETERS: [&str; 52] = [
    "ash",
    "awk",
    "bash",
    "csh",
    "dash",
    "deno",
    "ed",
    "emacs",
    "expect",
    "fish",
    "gawk",
    "gdb",
    "git",
    "guile",
    "java",
    "ksh",
    "ld-linux-x86-64.so",
    "ld-musl-x86_64.so",
    "ld.so",
    "less",
    "lua",
    "luajit",
    "make",
    "man",
    "mawk",
    "mksh",
    "more",
    "nawk",
    "node",
    "nodejs",
    "octave",
    "original-awk",
    "perl",
    "php",
    "pwsh",
    "pypy",
    "python",
    "rbash",
    "rscript",
    "ruby",
    "screen",
    "sed",
    "sh",
    "tclsh",
    "tcsh",
    "tmux",
    "vi",
    "view",
    "vim",
    "vim.basic",
    "vim.tiny",
    "zsh",
];

/// What executes the program that its arguments name.
const LAUNCHERS: [&str; 50] = [
    "at",
    "bwrap",
    "capsh",
    "choom",
    "chpst",
    "chroot",
    "chrt",
    "cpulimit",
    "doas",
    "dumb-init",
    "entr",
    "env",
    "fakeroot",
    "find",
    "firejail",
    "flock",
    "gosu",
    "ionice",
    "ltrace",
    "nice",
    "nohup",
    "nsenter",
    "numactl",
    "parallel",
    "perf",
    "pkexec",
    "prlimit",
    "run-parts",
    "runuser",
    "script",
    "setarch",
    "setpriv",
    "setsid",
    "sg",
    "socat",
    "start-stop-daemon",
    "stdbuf",
    "strace",
    "su",
    "su-exec",
    "sudo",
    "systemd-nspawn",
    "systemd-run",
    "taskset",
    "time",
    "timeout",
    "tini",
    "unshare",
    "watch",
    "xargs",
];

/// What does to any file or process what its arguments say.
const TOOLS: [&str; 30] = [
    "cat", "chattr", "chgrp", "chmod", "chown", "cp", "cpio", "dd", "head", "insmod", "install",
    "kill", "ln", "mknod", "modprobe", "mount", "mv", "pkill", "renice", "rm", "rsync", "setcap",
    "setfacl", "tac", "tail", "tar", "tee", "touch", "umount", "unlink",
];

/// Many programs in one file.
const SEVERAL: [&str; 5] = [
    "busybox",
    "coreutils",
    "kmod",
    "toybox",
    "xtables-nft-multi",
];

/// What the file does that is told, as the end of a sentence; `None` if it is not known to.
pub(super) fn does_what_it_is_told(file: &Path) -> Option<&'static str> {
    let name = file.file_name()?.to_str()?.to_ascii_lowercase();
    // python3.11, perl5.36.0, ld-linux-x86-64.so.2
    let plain = name.trim_end_matches(|each: char| each.is_ascii_digit() || each == '.');
    let kinds = [
        (
            &INTERPRETERS[..],
            "is an interpreter, which carries out what it is told",
        ),
        (
            &LAUNCHERS[..],
            "executes the program that its arguments name",
        ),
        (
            &TOOLS[..],
            "does what its arguments say, to any file or process",
        ),
        (&SEVERAL[..], "is many programs in one file"),
    ];
    let kind = kinds.into_iter().find(|(names, _)| names.contains(&plain));
    kind.map(|(_, what)| what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_is_told_is_known_by_its_name_with_or_without_a_version() {
        for (file, told) in [
            ("/usr/bin/python3.11", Some("interpreter")),
            ("/usr/bin/dash", Some("interpreter")),
            ("/lib64/ld-linux-x86-64.so.2", Some("interpreter")),
            ("/usr/bin/nice", Some("arguments name")),
            ("/usr/bin/chown", Some("arguments say")),
            ("/bin/busybox", Some("many programs")),
            ("/usr/bin/ping", None),
            ("/usr/sbin/nginx", None),
            ("/", None),
        ] {
            let found = does_what_it_is_told(Path::new(file));
            assert_eq!(found.is_some(), told.is_some(), "{file}");
            assert!(found.unwrap_or("").contains(told.unwrap_or("")), "{file}");
        }
    }

    #[test]
    fn the_lists_are_in_order_and_name_nothing_twice() {
        for list in [&INTERPRETERS[..], &LAUNCHERS, &TOOLS, &SEVERAL] {
            assert!(list.is_sorted_by(|one, next| one < next), "{list:?}");
        }
    }
}
