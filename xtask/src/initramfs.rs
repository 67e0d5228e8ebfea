//! Archives for a guest's root file system, in the format that the kernel unpacks at boot.
//!
//! The kernel accepts several archives one after another, in which later files replace earlier ones
//! (Documentation/driver-api/early-userspace/buffer-format.rst). So a guest's system is put
//! together from pieces, most of which are cached. The same content gives the same bytes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

const DIRECTORY: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;
const SYMLINK: u32 = 0o120_000;
const CHARACTER_DEVICE: u32 = 0o020_000;

/// What one archive holds, by path without the leading slash.
#[derive(Default)]
pub struct Archive {
    entries: BTreeMap<PathBuf, Entry>,
}

struct Entry {
    mode: u32,
    /// User and group.
    owner: u32,
    content: Content,
}

enum Content {
    Bytes(Vec<u8>),
    /// Read when the archive is written.
    File(PathBuf),
    /// Major and minor number.
    Device(u32, u32),
}

impl Archive {
    /// A directory, and those above it.
    pub fn directory(&mut self, path: &str, permissions: u32, owner: u32) {
        self.add(
            path.as_ref(),
            DIRECTORY | permissions,
            owner,
            Content::Bytes(Vec::new()),
        );
    }

    /// A file with this content.
    pub fn file(&mut self, path: &str, permissions: u32, content: impl Into<Vec<u8>>) {
        let content = Content::Bytes(content.into());
        self.add(path.as_ref(), REGULAR | permissions, 0, content);
    }

    /// A file with the content of this file on this machine.
    pub fn copy(&mut self, path: &str, permissions: u32, from: &Path) {
        let content = Content::File(from.to_owned());
        self.add(path.as_ref(), REGULAR | permissions, 0, content);
    }

    /// A symbolic link.
    pub fn symlink(&mut self, path: &str, to: &str) {
        let content = Content::Bytes(to.into());
        self.add(path.as_ref(), SYMLINK | 0o777, 0, content);
    }

    /// A character device.
    pub fn device(&mut self, path: &str, major: u32, minor: u32) {
        let content = Content::Device(major, minor);
        self.add(path.as_ref(), CHARACTER_DEVICE | 0o600, 0, content);
    }

    /// Everything below a directory on this machine, with its permissions, owned by root.
    pub fn tree(&mut self, root: &Path) -> Result<()> {
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            let entries = fs::read_dir(&folder)
                .with_context(|| format!("cannot read {}", folder.display()))?;
            for entry in entries {
                let path = entry?.path();
                let metadata = path.symlink_metadata()?;
                let inside = path.strip_prefix(root)?.to_owned();
                let permissions = metadata.permissions().mode() & 0o7777;
                if metadata.is_dir() {
                    let content = Content::Bytes(Vec::new());
                    self.add(&inside, DIRECTORY | permissions, 0, content);
                    folders.push(path);
                } else if metadata.is_symlink() {
                    let target = fs::read_link(&path)?.as_os_str().as_bytes().to_vec();
                    self.add(&inside, SYMLINK | 0o777, 0, Content::Bytes(target));
                } else if metadata.is_file() {
                    self.add(&inside, REGULAR | permissions, 0, Content::File(path));
                }
            }
        }
        Ok(())
    }

    /// Writes the archive, padded so that another can follow.
    pub fn write(&self, output: impl Write) -> Result<()> {
        let mut output = Counted { output, written: 0 };
        for (number, (path, entry)) in self.entries.iter().enumerate() {
            let content = match &entry.content {
                Content::Bytes(bytes) => bytes.clone(),
                Content::Device(..) => Vec::new(),
                Content::File(from) => {
                    fs::read(from).with_context(|| format!("cannot read {}", from.display()))?
                }
            };
            let device = match entry.content {
                Content::Device(major, minor) => (major, minor),
                _ => (0, 0),
            };
            let inode = u32::try_from(number)?.wrapping_add(1);
            let header = Header {
                inode,
                mode: entry.mode,
                owner: entry.owner,
                size: u32::try_from(content.len())
                    .with_context(|| format!("{} is too large for a guest", path.display()))?,
                device,
            };
            header.write(&mut output, path.as_os_str().as_bytes())?;
            output.write_all(&content)?;
            output.pad(4)?;
        }
        Header::default().write(&mut output, b"TRAILER!!!")?;
        output.pad(512)?;
        output.flush()?;
        Ok(())
    }

    /// Writes the archive to a file.
    pub fn save(&self, path: &Path) -> Result<()> {
        let file =
            File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        self.write(io::BufWriter::new(file))
    }

    fn add(&mut self, path: &Path, mode: u32, owner: u32, content: Content) {
        for folder in path
            .ancestors()
            .skip(1)
            .filter(|path| *path != Path::new(""))
        {
            self.entries.entry(folder.to_owned()).or_insert(Entry {
                mode: DIRECTORY | 0o755,
                owner: 0,
                content: Content::Bytes(Vec::new()),
            });
        }
        let entry = Entry {
            mode,
            owner,
            content,
        };
        self.entries.insert(path.to_owned(), entry);
    }
}

/// The fields of an entry that are not constant.
#[derive(Default)]
struct Header {
    inode: u32,
    mode: u32,
    owner: u32,
    size: u32,
    device: (u32, u32),
}

impl Header {
    fn write(&self, output: &mut Counted<impl Write>, path: &[u8]) -> io::Result<()> {
        let links = 1;
        let modified = 0;
        let on_device = (0, 0);
        let length = path.len() as u32 + 1;
        let checksum = 0;
        write!(output, "070701")?;
        for field in [
            self.inode,
            self.mode,
            self.owner,
            self.owner,
            links,
            modified,
            self.size,
            on_device.0,
            on_device.1,
            self.device.0,
            self.device.1,
            length,
            checksum,
        ] {
            write!(output, "{field:08X}")?;
        }
        output.write_all(path)?;
        output.write_all(&[0])?;
        output.pad(4)
    }
}

/// Counts how much was written, for the padding.
struct Counted<W> {
    output: W,
    written: usize,
}

impl<W: Write> Counted<W> {
    fn pad(&mut self, alignment: usize) -> io::Result<()> {
        let missing = self.written.next_multiple_of(alignment) - self.written;
        self.write_all(&vec![0; missing])
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        self.written += written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn sample() -> Vec<u8> {
        let mut archive = Archive::default();
        archive.file("etc/motd", 0o644, "hello\n");
        archive.symlink("bin", "usr/bin");
        archive.directory("home/user", 0o700, 1000);
        archive.file("usr/bin/tool", 0o4755, "odd length");
        let mut bytes = Vec::new();
        archive.write(&mut bytes).unwrap();
        bytes
    }

    /// Asks the program that the format is named after, cpio.
    fn listed_by_cpio(archive: &[u8]) -> String {
        let mut cpio = Command::new("busybox")
            .args(["cpio", "-t", "-v"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        cpio.stdin.take().unwrap().write_all(archive).unwrap();
        let output = cpio.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn cpio_lists_what_was_put_in_with_modes_and_owners() {
        let listing = listed_by_cpio(&sample());
        let line = |name: &str| listing.lines().find(|line| line.ends_with(name)).unwrap();
        assert!(line("etc/motd").starts_with("-rw-r--r--"));
        assert!(line("usr/bin/tool").starts_with("-rwsr-xr-x"));
        assert!(line("bin -> usr/bin").starts_with("lrwxrwxrwx"));
        assert!(line("home/user").contains("1000"));
        // The directories above were added.
        assert!(line(" home").starts_with("drwxr-xr-x"));
    }

    #[test]
    fn the_same_content_gives_the_same_bytes_and_another_archive_can_follow() {
        assert_eq!(sample(), sample());
        assert_eq!(sample().len() % 512, 0);
    }
}
