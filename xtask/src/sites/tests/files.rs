//! How the atlas and the sites of kernels are compared.

use super::super::atlas::{Atlas, Scanned, subsystem};
use super::super::kernels::Version;
use super::super::line::Line;
use super::super::report::is_of;
use super::sites;

const OLD: &str = "SYSCALL_DEFINE0(a) { if (!capable(CAP_KILL)) return -EPERM; return 0; }\n\
                   int f(void) { return go(capable(CAP_CHOWN)); }";
const NEW: &str = "SYSCALL_DEFINE0(a) { if (!capable(CAP_KILL)) return -EPERM; return 0; }";

fn kernels() -> Vec<Scanned> {
    [("6.1", OLD), ("6.12", NEW)]
        .map(|(version, text)| Scanned {
            version: Version::parse(version).unwrap(),
            sites: sites(&[("fs/a.c", text)]),
        })
        .into()
}

fn texts(lines: &[Line]) -> Vec<String> {
    lines.iter().map(Line::to_string).collect()
}

#[test]
fn an_empty_atlas_misses_a_line_for_every_site() {
    assert_eq!(
        texts(&Atlas::default().missing(&kernels())),
        [
            "f | CHOWN | capable | 6.1 | ? | unread |",
            "sys_a | KILL | capable | 6.1+ | refuses EPERM | plain | a(2) fails",
        ]
    );
}

#[test]
fn a_line_covers_the_kernels_that_it_names_and_no_other() {
    let parse = |text| Line::parse("fs/a.c", text).unwrap();
    let mut atlas = Atlas {
        lines: vec![
            parse("f | CHOWN | capable | 6.1+ | chooses | read | less is shown"),
            parse("sys_a | KILL | capable | 6.12+ | refuses EPERM | read | a(2) fails"),
        ],
    };
    let kernels = kernels();
    let missing = texts(&atlas.missing(&kernels));
    assert_eq!(
        missing,
        ["sys_a | KILL | capable | 6.1 | refuses EPERM | plain | a(2) fails"]
    );
    let gone: Vec<_> = atlas
        .gone(&kernels)
        .iter()
        .map(|(line, version)| (line.key.function.clone(), version.to_string()))
        .collect();
    assert_eq!(gone, [("f".to_owned(), "6.12".to_owned())]);

    let under = parse("sys_a < g | KILL | capable | 6.1+ | chooses | read | nothing");
    atlas.lines.insert(1, under);
    assert_eq!(
        atlas.missing(&kernels).len(),
        1,
        "a caller's line is no line for all"
    );
}

#[test]
fn a_plain_line_says_what_the_program_sees() {
    let text = "
bool inode_owner_or_capable(struct inode *i) { return owner(i) || ns_capable(n, CAP_FOWNER); }
SYSCALL_DEFINE0(a) { if (!inode_owner_or_capable(i)) return -EPERM; return 0; }
SYSCALL_DEFINE0(b) { if (!capable(CAP_KILL) && !capable(CAP_CHOWN)) return -EPERM; return 0; }
SYSCALL_DEFINE0(c) { if (!capable(CAP_KILL)) return -EPERM; return 0; }
";
    let kernels = [Scanned {
        version: Version::parse("6.1").unwrap(),
        sites: sites(&[("fs/a.c", text)]),
    }];
    let parse = |text| Line::parse("fs/a.c", text).unwrap();
    let mut atlas = Atlas {
        lines: vec![
            parse("sys_a | FOWNER | inode_owner_or_capable | 6.1+ | refuses EPERM | plain | no"),
            parse("sys_b | KILL | capable | 6.1+ | refuses EPERM | plain | no"),
            parse("sys_c | KILL | capable | 6.1+ | refuses EPERM | plain | no"),
        ],
    };
    let wrong: Vec<_> = atlas.not_plain(&kernels).iter().map(|it| it.0).collect();
    assert_eq!(wrong, [0, 1]);
    atlas.renew(&kernels);
    assert_eq!(
        texts(&atlas.lines),
        [
            "sys_a | FOWNER | inode_owner_or_capable | 6.1+ | refuses EPERM else | plain | no",
            "sys_b | KILL | capable | 6.1+ | ? | unread | no",
            "sys_c | KILL | capable | 6.1+ | refuses EPERM | plain | no",
        ]
    );
    assert_eq!(texts(&atlas.missing(&kernels)).len(), 1, "CHOWN of sys_b");
}

#[test]
fn what_is_left_to_read_is_asked_for_by_a_folder_or_a_file() {
    assert!(is_of("fs/ntfs/a.c", "fs/ntfs"));
    assert!(is_of("fs/ntfs/a.c", "fs/"));
    assert!(is_of("fs/ntfs/a.c", "fs/ntfs/a.c"));
    assert!(is_of("fs/ntfs/a.c", ""));
    assert!(!is_of("fs/ntfs3/a.c", "fs/ntfs"));
}

#[test]
fn a_subsystem_is_the_first_two_folders() {
    assert_eq!(subsystem("kernel/sys.c"), "kernel");
    assert_eq!(subsystem("drivers/net/wireless/a/b.c"), "drivers/net");
}
