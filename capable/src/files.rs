//! Opening files that somebody else may have chosen.
//!
//! A path that a traced process named, or that is below its root, can be anything: opening a FIFO
//! waits for a writer, opening a device runs its driver, and `/dev/zero` never ends.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _},
    os::{
        fd::AsRawFd as _,
        unix::fs::{FileTypeExt as _, OpenOptionsExt as _},
    },
    path::Path,
};

/// The most that is read of a file which a user names, such as a list or a report. A report of every
/// capability is below 1 MiB.
const TEXT_LIMIT: u64 = 64 << 20;

/// Opens a regular file for reading; anything else is never opened.
///
/// What the path leads to is held first, by a descriptor that opens nothing (`O_PATH`, open(2)), so
/// that it cannot be exchanged between the look and the opening.
///
/// # Errors
///
/// What the system answers, and [`io::ErrorKind::InvalidInput`] for what is no regular file.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    let held = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_PATH)
        .open(path)?;
    let kind = held.metadata()?.file_type();
    if !kind.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("it is {}, not a regular file", name_of(kind)),
        ));
    }
    reopen(&held)
}

/// Opens for reading what is held, which must be a regular file. It does not wait for somebody's lease
/// (fcntl(2), F_SETLEASE).
///
/// # Errors
///
/// What the system answers.
pub(crate) fn reopen(held: &File) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(format!("/proc/self/fd/{}", held.as_raw_fd()))
}

/// The text of a file that the user named: a regular file, or a pipe, as shells make for `<(...)`.
///
/// # Errors
///
/// What the system answers, and an error for devices, for more than 64 MiB, and for bytes that are
/// not UTF-8.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    let kind = std::fs::metadata(path)?.file_type();
    if kind.is_char_device() || kind.is_block_device() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("it is {}", name_of(kind)),
        ));
    }
    let mut text = String::new();
    let read = File::open(path)?
        .take(TEXT_LIMIT + 1)
        .read_to_string(&mut text)?;
    if read as u64 > TEXT_LIMIT {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "it has more than 64 MiB",
        ));
    }
    Ok(text)
}

/// A kind of file, with its article.
pub(crate) fn name_of(kind: std::fs::FileType) -> &'static str {
    if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_char_device() || kind.is_block_device() {
        "a device"
    } else if kind.is_file() {
        "a regular file"
    } else {
        "a special file"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    #[test]
    fn only_regular_files_are_opened_and_nothing_waits() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "text").unwrap();
        let mut text = String::new();
        open_regular(&file)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "text");

        let fifo = folder.path().join("fifo");
        mknodat(CWD, &fifo, FileType::Fifo, Mode::RWXU, 0).unwrap();
        for (path, what) in [
            (fifo.as_path(), "it is a pipe, not a regular file"),
            (Path::new("/dev/zero"), "it is a device, not a regular file"),
            (folder.path(), "it is a directory, not a regular file"),
        ] {
            assert_eq!(open_regular(path).unwrap_err().to_string(), what);
        }
        let none = open_regular(&folder.path().join("none")).unwrap_err();
        assert_eq!(none.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_text_has_an_end() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "text").unwrap();
        assert_eq!(read_text(&file).unwrap(), "text");
        let zero = read_text(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(zero.to_string(), "it is a device");
        let sparse = File::create(&file).unwrap();
        sparse.set_len(TEXT_LIMIT + 1).unwrap();
        let long = read_text(&file).unwrap_err();
        assert_eq!(long.to_string(), "it has more than 64 MiB");
    }
}
