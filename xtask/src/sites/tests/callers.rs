//! Whether the callers that lines name are functions.

use std::fs;

use super::super::atlas::Atlas;
use super::super::callers;
use super::super::kernels::Version;
use super::super::line::Line;
use super::super::source::Source;

const SOURCE: &str = "
SYSCALL_DEFINE0(chroot) { return check(); }
COMPAT_SYSCALL_DEFINE0(ioctl) { return check(); }
static int UVERBS_HANDLER(MAKE)(void) { return check(); }
int caller(void) { return check(); }
";

const PASTED: &str = "
#define FILE(name) static int name##_show(void) { return check(); }
FILE(size)
";

#[test]
fn a_caller_that_is_no_function_is_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.c"), SOURCE).unwrap();
    fs::write(folder.path().join("b.c"), PASTED).unwrap();
    let source = Source {
        name: "test",
        package: "linux-source-6.1 6.1.1-1".into(),
        root: folder.path().to_path_buf(),
    };
    let names = [
        "size_show",
        "sys_chroot",
        "compat_sys_ioctl",
        "ib_uverbs_handler_MAKE",
        "caller",
        "check",
        "caler",
    ];
    let line = |kernels: &str, name: &str| {
        let text = format!("f < {name} | KILL | capable | {kernels} | chooses | read | less");
        Line::parse("a.c", &text).unwrap()
    };
    let mut atlas = Atlas {
        lines: names.map(|name| line("6.1+", name)).into(),
    };
    atlas.lines.push(line("6.12+", "of_another_kernel"));
    let kernels = [(Version::parse("6.1").unwrap(), &source)];
    let unknown = callers::unknown(&atlas, &kernels).unwrap();
    let names: Vec<_> = unknown
        .iter()
        .filter_map(|(line, _)| line.under.as_deref())
        .collect();
    assert_eq!(names, ["caler", "check"]);
}
