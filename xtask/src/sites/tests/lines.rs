//! How a line is read and written.

use super::super::kernels::{Kernels, Version};
use super::super::line::Line;
use super::super::ranges;

const LINE: &str = "vt_ioctl@VT_LOCKSWITCH#2 < tty_ioctl | SYS_TTY_CONFIG | capable | 5.10,6.12+ \
                    | refuses EPERM ack or:SYS_ADMIN | read | the switch fails";

#[test]
fn a_line_is_written_as_it_was_read() {
    let line = Line::parse("drivers/tty/vt/vt_ioctl.c", LINE).unwrap();
    assert_eq!(line.to_string(), LINE);
    assert_eq!(line.key.function, "vt_ioctl");
    assert_eq!(line.key.label.as_deref(), Some("VT_LOCKSWITCH"));
    assert_eq!(line.key.number, 2);
    assert_eq!(line.under.as_deref(), Some("tty_ioctl"));
    let open = "f | KILL | capable | 5.10+ | ? | unread |";
    assert_eq!(Line::parse("a.c", open).unwrap().to_string(), open);
    let either = "do_jit@BPF_JMP|BPF_EXIT | SYS_ADMIN | capable | 5.10+ | ? | unread |";
    let line = Line::parse("a.c", either).unwrap();
    assert_eq!(line.key.label.as_deref(), Some("BPF_JMP|BPF_EXIT"));
    assert_eq!(line.to_string(), either);
}

#[test]
fn what_no_line_may_say_is_refused() {
    for wrong in [
        "f | KILL | capable | 5.10+ | refuses EPERM | read",
        "f | KILL | capable | 5.10+ | refuses EPERM | read |",
        "f | KILL | capable | 5.10+ | refuses | read | it fails",
        "f | KILL | capable | 5.10+ | refuses maybe | read | it fails",
        "f | KILL | capable | 5.10+ | chooses often | read | it fails",
        "f | KILL | capable | 5.10+ | ? | read | it fails",
        "f | KILL | capable | 5.10+ | chooses | unread | it fails",
        "f | KILL | capable | 5.10+ | chooses | seen | it fails",
        "f | KILL | capable | 5.10+ | chooses | read | It fails.",
        "f | KILL | capable | later | chooses | read | it fails",
        "f#x | KILL | capable | 5.10+ | chooses | read | it fails",
    ] {
        assert!(Line::parse("a.c", wrong).is_err(), "{wrong}");
    }
}

#[test]
fn kernels_are_ranges_that_are_open_to_the_newest() {
    let all = ["5.10", "6.1", "6.12", "7.3"].map(|it| Version::parse(it).unwrap());
    for (these, text) in [
        ([true, true, true, true], "5.10+"),
        ([true, true, false, false], "5.10-6.1"),
        ([true, false, true, true], "5.10,6.12+"),
        ([false, false, true, false], "6.12"),
        ([false, false, false, true], "7.3+"),
    ] {
        let kernels = ranges::of(&these, &all);
        assert_eq!(kernels.to_string(), text);
        assert_eq!(Kernels::parse(text).unwrap(), kernels);
        assert_eq!(all.map(|version| kernels.have(version)), these);
    }
    let later = Version::parse("8.0").unwrap();
    assert!(Kernels::parse("6.12+").unwrap().have(later));
    assert!(!Kernels::parse("6.1-6.12").unwrap().have(later));
}
