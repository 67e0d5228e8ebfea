//! The pages that people read.

use super::super::atlas::Atlas;
use super::super::line::Line;
use super::super::pages::{check, pages};

#[test]
fn a_line_is_on_the_page_of_each_capability_that_it_names() {
    let text =
        "f@A|B | PERFMON/SYS_ADMIN | has | 6.1+ | refuses EPERM | read | opening /dev/* fails";
    let atlas = Atlas {
        lines: vec![Line::parse("kernel/bpf/a.c", text).unwrap()],
    };
    let pages = pages(&atlas);
    for name in ["perfmon", "sys_admin"] {
        let page = &pages[std::path::Path::new(&format!("atlas/{name}.md"))];
        let row = "| opening /dev/\\* fails | `f@A\\|B` | kernel/bpf/a.c | 6.1+ | refuses EPERM | reading |";
        assert!(page.contains("## kernel/bpf"), "{page}");
        assert!(page.contains(row), "{page}");
    }
    let index = &pages[std::path::Path::new("atlas.md")];
    assert!(
        index.contains("[CAP_PERFMON](atlas/perfmon.md) | 1 | 1 | 0 | 0 |"),
        "{index}"
    );
}

#[test]
fn the_committed_pages_are_those_of_the_committed_atlas() {
    check(&Atlas::load().unwrap()).unwrap();
}
