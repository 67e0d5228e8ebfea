//! Writing to standard output and standard error; decides how errors in writing are handled.

use std::fmt;
use std::io::{self, Write as _};

use anyhow::Context as _;

/// Writes to standard output immediately. Returns false if nobody reads it any more, which is not
/// an error: the reader has seen enough.
///
/// # Errors
///
/// If it can't be written.
pub(super) fn write(bytes: &[u8]) -> anyhow::Result<bool> {
    written(&mut io::stdout().lock(), bytes).context("cannot write to stdout")
}

/// Writes a whole answer to standard output.
///
/// # Errors
///
/// If it can't be written.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    write(text.as_bytes()).map(drop)
}

/// Writes to standard error. If that fails, there is no way to report it: `eprint!` would end the
/// program instead, in the middle of `capable 2>&1 | head`.
pub fn say(text: fmt::Arguments<'_>) {
    let _ = io::stderr().lock().write_fmt(text);
}

/// Reports an error on standard error, in the form that all commands use.
pub fn say_error(error: &anyhow::Error) {
    say(format_args!("capable: error: {error:#}\n"));
}

fn written(stream: &mut impl io::Write, bytes: &[u8]) -> io::Result<bool> {
    match stream.write_all(bytes).and_then(|()| stream.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        result => result.map(|()| true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A writer that fails every write with this error.
    struct Answers(io::ErrorKind);

    impl io::Write for Answers {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_who_has_seen_enough_is_no_error_and_a_full_disk_is() {
        assert!(written(&mut Vec::new(), b"row").unwrap());
        assert!(!written(&mut Answers(io::ErrorKind::BrokenPipe), b"row").unwrap());
        let full = written(&mut Answers(io::ErrorKind::StorageFull), b"row");
        assert_eq!(full.unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
