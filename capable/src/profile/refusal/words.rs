//! Names and forms that several reasons share.

use super::System;
use crate::event::Component;

/// The name of an errno, or its number.
pub(super) fn errno(errno: i32) -> String {
    match crate::profile::rules::errno_name(errno) {
        Some(name) => name.to_owned(),
        None => format!("error {errno}"),
    }
}

/// Text from outside, on one line of a terminal.
pub(super) fn shown(bytes: &[u8]) -> String {
    crate::escape::printable(bytes)
}

/// A file's type and mode, as ls(1) writes them: `-rw-r-----`.
pub(super) fn mode(mode: u32) -> String {
    let kind = match mode & libc::S_IFMT {
        libc::S_IFDIR => 'd',
        libc::S_IFCHR => 'c',
        libc::S_IFBLK => 'b',
        libc::S_IFIFO => 'p',
        libc::S_IFSOCK => 's',
        libc::S_IFLNK => 'l',
        _ => '-',
    };
    let mut text = String::from(kind);
    for (shift, special, letter) in [
        (6, libc::S_ISUID, 's'),
        (3, libc::S_ISGID, 's'),
        (0, libc::S_ISVTX, 't'),
    ] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => letter,
            (true, false) => letter.to_ascii_uppercase(),
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    text
}

/// `-rw-r----- root shadow`
pub(super) fn owned(component: &Component, system: &dyn System) -> String {
    format!(
        "{} {} {}",
        mode(component.mode),
        system.user(component.uid),
        system.group(component.gid)
    )
}

/// What a file is called: `the file`, `the directory`.
pub(super) fn kind(component: &Component) -> &'static str {
    match component.kind() {
        libc::S_IFDIR => "the directory",
        libc::S_IFCHR | libc::S_IFBLK => "the device",
        libc::S_IFIFO => "the FIFO",
        libc::S_IFSOCK => "the socket",
        _ => "the file",
    }
}

/// The same with its path: `the directory /root`.
pub(super) fn named(component: &Component) -> String {
    format!("{} {}", kind(component), shown(&component.path))
}

/// The first letter in upper case.
pub(super) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}
