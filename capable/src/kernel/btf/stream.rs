//! Reading a section of the file forwards, without holding it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use super::error::BtfError;

/// Bytes read at once. A read of a sysfs file gives at most a page (`kernfs_file_read_iter`,
/// fs/kernfs/file.c), so more would save nothing.
pub(super) const CHUNK: usize = 4096;

/// A part of the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section {
    /// In the file.
    pub(super) start: u64,
    pub(super) length: u32,
}

/// Reads a section forwards.
pub(super) struct Stream<'a> {
    file: &'a File,
    section: Section,
    /// In the section.
    pub(super) position: u64,
    buffer: Box<[u8]>,
    /// The part of the section that the buffer holds.
    held: std::ops::Range<u64>,
}

impl<'a> Stream<'a> {
    pub(super) fn new(file: &'a File, section: Section, position: u64) -> Self {
        Self {
            file,
            section,
            position,
            buffer: vec![0; CHUNK].into_boxed_slice(),
            held: 0..0,
        }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.position >= u64::from(self.section.length)
    }

    pub(super) fn skip(&mut self, bytes: u64) {
        self.position += bytes;
    }

    #[inline]
    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], BtfError> {
        let end = self.position + N as u64;
        if self.position < self.held.start || end > self.held.end {
            self.fill(N)?;
        }
        // Within the buffer: `held` is never longer than it.
        let start = (self.position - self.held.start) as usize;
        let taken = self.buffer[start..start + N].try_into();
        self.position = end;
        taken.map_err(|_| BtfError::Truncated)
    }

    /// Holds at least `least` bytes from the position on.
    fn fill(&mut self, least: usize) -> Result<(), BtfError> {
        let left = u64::from(self.section.length).saturating_sub(self.position);
        if left < least as u64 {
            return Err(BtfError::Truncated);
        }
        let most = left.min(self.buffer.len() as u64) as usize;
        let mut filled = 0;
        while filled < least {
            let start = self.section.start + self.position + filled as u64;
            match self.file.read_at(&mut self.buffer[filled..most], start)? {
                0 => return Err(BtfError::Truncated),
                read => filled += read,
            }
        }
        self.held = self.position..self.position + filled as u64;
        Ok(())
    }
}

/// Reads all of `bytes` from a position in the file.
pub(super) fn read_exact(file: &File, bytes: &mut [u8], at: u64) -> Result<(), BtfError> {
    file.read_exact_at(bytes, at).map_err(|error| {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            BtfError::Truncated
        } else {
            BtfError::Io(error)
        }
    })
}
