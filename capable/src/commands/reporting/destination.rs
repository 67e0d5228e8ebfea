//! Where a report goes.

use std::{
    fs::{File, OpenOptions},
    io::{self, Seek as _, Write as _},
    path::{Path, PathBuf},
};

use thiserror::Error;

/// A place that a text is written to once.
pub enum Destination {
    /// Standard error, which the report shares with the command.
    Stderr,
    /// Standard output.
    Stdout,
    /// An open file, and its name.
    File(File, PathBuf),
}

/// The destination cannot be written to.
#[derive(Debug, Error)]
#[error("cannot write {}: {error}", name.display())]
pub struct DestinationError {
    name: PathBuf,
    error: io::Error,
}

impl Destination {
    /// Opens a file, or stdout for `-`. Its content stays until [`Self::write`].
    pub(super) fn open(name: &Path) -> Result<Self, DestinationError> {
        // Opening it again would overwrite the file that stdout is redirected to, from its start.
        match name.to_str() {
            Some("-" | "/dev/stdout" | "/dev/fd/1") => return Ok(Self::Stdout),
            Some("/dev/stderr" | "/dev/fd/2") => return Ok(Self::Stderr),
            _ => {}
        }
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(name)
            .map(|file| Self::File(file, name.to_owned()))
            .map_err(|error| DestinationError {
                name: name.to_owned(),
                error,
            })
    }

    /// Whether it is also where this program's messages go.
    pub(super) fn is_stderr(&self) -> bool {
        matches!(self, Self::Stderr)
    }

    /// Writes the text in place of the old content. It is not an error if nobody reads it.
    pub(super) fn write(&mut self, text: &str) -> Result<(), DestinationError> {
        let (name, result) = match self {
            Self::Stderr => (Path::new("stderr"), io::stderr().write_all(text.as_bytes())),
            Self::Stdout => {
                let mut stdout = io::stdout().lock();
                let result = stdout.write_all(text.as_bytes());
                (Path::new("stdout"), result.and_then(|()| stdout.flush()))
            }
            Self::File(file, name) => (name.as_path(), replace(file, text)),
        };
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result.map_err(|error| DestinationError {
                name: name.to_owned(),
                error,
            }),
        }
    }
}

fn replace(file: &mut File, text: &str) -> io::Result<()> {
    // A pipe or a device has no length.
    if file.metadata()?.is_file() {
        file.set_len(0)?;
        file.rewind()?;
    }
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_what_it_holds_until_the_report_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("report");
        std::fs::write(&name, "the old one, which is longer").unwrap();
        let mut destination = Destination::open(&name).unwrap();
        assert!(
            std::fs::read_to_string(&name)
                .unwrap()
                .starts_with("the old")
        );
        destination.write("new").unwrap();
        assert_eq!(std::fs::read_to_string(&name).unwrap(), "new");
        let error = Destination::open(&folder.path().join("no/file"))
            .err()
            .unwrap();
        assert!(error.to_string().contains("no/file"), "{error}");
    }
}
