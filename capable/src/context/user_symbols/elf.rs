//! Reads what an ELF file says of itself: its segments, its sections and its build id.
//!
//! Whoever made the file is not trusted. All is read by pread(2), which fails where the file ends,
//! into memory whose size has a bound, whatever the file declares: a file that is mapped could be
//! cut while it is read, and that ends the process (SIGBUS).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// The largest number of segments and of sections that are looked at.
const SEGMENT_LIMIT: usize = 256;
const SECTION_LIMIT: usize = 1 << 14;
/// The most of a table of names, and of notes, that is read.
const TEXT_LIMIT: u64 = 1 << 20;
const NOTE_LIMIT: u64 = 4096;
/// The longest build id: those in use have 8 to 32 bytes.
const BUILD_ID_LIMIT: usize = 64;

/// `PT_LOAD`, `PT_NOTE`, `PF_X` and `NT_GNU_BUILD_ID` (include/uapi/linux/elf.h, elf(5)).
const LOAD: u32 = 1;
const NOTE: u32 = 4;
const EXECUTABLE: u32 = 1;
const BUILD_ID: u32 = 3;

/// A file, and what its header says.
#[derive(Debug)]
pub(super) struct Elf<'a> {
    file: &'a File,
    /// Whether it is of the 64-bit class.
    pub wide: bool,
    segments: Vec<Segment>,
    section_table: (u64, usize, usize),
    names_index: usize,
}

/// A segment that is loaded, or holds notes.
#[derive(Clone, Copy, Debug)]
struct Segment {
    kind: u32,
    flags: u32,
    offset: u64,
    address: u64,
    size: u64,
}

/// A section of the file.
#[derive(Clone, Debug)]
pub(super) struct Section {
    /// Where its name begins in the table of names.
    name: usize,
    /// `SHT_*`.
    pub kind: u32,
    /// `SHF_*`.
    pub flags: u64,
    pub offset: u64,
    pub size: u64,
    /// The index of a section that belongs to it.
    pub link: usize,
}

/// The sections of a file, with their names.
#[derive(Debug, Default)]
pub(super) struct Sections {
    all: Vec<Section>,
    names: Vec<u8>,
}

impl Sections {
    /// The section of that name.
    pub(super) fn named(&self, name: &str) -> Option<&Section> {
        self.all.iter().find(|section| {
            self.names
                .get(section.name..)
                .and_then(|rest| rest.strip_prefix(name.as_bytes()))
                .is_some_and(|rest| rest.first() == Some(&0))
        })
    }

    /// The first section of that kind.
    pub(super) fn of_kind(&self, kind: u32) -> Option<&Section> {
        self.all.iter().find(|section| section.kind == kind)
    }

    pub(super) fn at(&self, index: usize) -> Option<&Section> {
        self.all.get(index)
    }
}

/// Numbers in a part of a file.
pub(super) struct Fields<'a>(pub &'a [u8]);

impl Fields<'_> {
    fn bytes<const SIZE: usize>(&self, at: usize) -> [u8; SIZE] {
        let found = self
            .0
            .get(at..at + SIZE)
            .and_then(|bytes| bytes.try_into().ok());
        found.unwrap_or([0; SIZE])
    }

    pub(super) fn half(&self, at: usize) -> u16 {
        u16::from_le_bytes(self.bytes(at))
    }

    pub(super) fn word(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.bytes(at))
    }

    pub(super) fn long(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.bytes(at))
    }

    /// A word of the file's class: at the first place with 64 bits, else at the second with 32.
    pub(super) fn of_class(&self, wide: bool, at: (usize, usize)) -> u64 {
        if wide {
            self.long(at.0)
        } else {
            self.word(at.1).into()
        }
    }
}

impl<'a> Elf<'a> {
    /// Reads the header and the segments; `None` if it is no ELF file of this byte order.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub(super) fn read(file: &'a File) -> io::Result<Option<Self>> {
        let mut header = [0; 64];
        let length = read_most(file, &mut header, 0)?;
        let header = &header[..length];
        let wide = match header.get(..6) {
            Some(b"\x7fELF\x02\x01") => true,
            Some(b"\x7fELF\x01\x01") => false,
            _ => return Ok(None),
        };
        let header = Fields(header);
        let table = header.of_class(wide, (32, 28));
        let (size, count) = if wide {
            (header.half(54), header.half(56))
        } else {
            (header.half(42), header.half(44))
        };
        let least = if wide { 56 } else { 32 };
        let mut segments = Vec::new();
        if usize::from(size) >= least {
            let count = usize::from(count).min(SEGMENT_LIMIT);
            let table = read_table(file, table, usize::from(size) * count)?;
            segments = table
                .chunks_exact(size.into())
                .map(|entry| segment(&Fields(entry), wide))
                .filter(|segment| matches!(segment.kind, LOAD | NOTE))
                .collect();
        }
        let (size, count, names) = if wide {
            (header.half(58), header.half(60), header.half(62))
        } else {
            (header.half(46), header.half(48), header.half(50))
        };
        Ok(Some(Self {
            file,
            wide,
            segments,
            section_table: (header.of_class(wide, (40, 32)), size.into(), count.into()),
            names_index: names.into(),
        }))
    }

    /// The sections; none if the file has been stripped of them.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub(super) fn sections(&self) -> io::Result<Sections> {
        let (table, size, count) = self.section_table;
        let least = if self.wide { 64 } else { 40 };
        if size < least {
            return Ok(Sections::default());
        }
        let table = read_table(self.file, table, size * count.min(SECTION_LIMIT))?;
        let all: Vec<Section> = table
            .chunks_exact(size)
            .map(|entry| section(&Fields(entry), self.wide))
            .collect();
        let names = match all.get(self.names_index) {
            Some(names) => {
                let size = names.size.min(TEXT_LIMIT) as usize;
                read_table(self.file, names.offset, size)?
            }
            None => Vec::new(),
        };
        Ok(Sections { all, names })
    }

    /// The address, as the file counts, of the byte at an offset in the file.
    pub(super) fn address(&self, offset: u64) -> Option<u64> {
        let holds = |segment: &&Segment| {
            segment.kind == LOAD
                && offset
                    .checked_sub(segment.offset)
                    .is_some_and(|into| into < segment.size)
        };
        let mut loaded = self.segments.iter().filter(holds);
        let first = loaded.clone().next();
        // Two segments can share a page of the file. Code is in the executable one.
        let segment = loaded
            .find(|segment| segment.flags & EXECUTABLE != 0)
            .or(first)?;
        (offset - segment.offset).checked_add(segment.address)
    }

    /// The build id that the linker gave the file.
    pub(super) fn build_id(&self) -> Option<Vec<u8>> {
        let notes = self.segments.iter().filter(|segment| segment.kind == NOTE);
        notes.take(SEGMENT_LIMIT).find_map(|segment| {
            let size = segment.size.min(NOTE_LIMIT) as usize;
            build_id(&read_table(self.file, segment.offset, size).ok()?)
        })
    }
}

/// The build id among notes.
fn build_id(mut notes: &[u8]) -> Option<Vec<u8>> {
    while notes.len() >= 12 {
        let header = Fields(notes);
        let (name, size) = (header.word(0) as usize, header.word(4) as usize);
        let kind = header.word(8);
        let content = 12 + name.checked_next_multiple_of(4)?;
        let end = content.checked_add(size)?;
        let found = notes.get(content..end)?;
        let gnu = notes.get(12..12 + name) == Some(b"GNU\0");
        if gnu && kind == BUILD_ID && (1..=BUILD_ID_LIMIT).contains(&size) {
            return Some(found.to_vec());
        }
        notes = notes.get(end.checked_next_multiple_of(4)?..)?;
    }
    None
}

fn segment(entry: &Fields<'_>, wide: bool) -> Segment {
    Segment {
        kind: entry.word(0),
        flags: entry.word(if wide { 4 } else { 24 }),
        offset: entry.of_class(wide, (8, 4)),
        address: entry.of_class(wide, (16, 8)),
        size: entry.of_class(wide, (32, 16)),
    }
}

fn section(entry: &Fields<'_>, wide: bool) -> Section {
    Section {
        name: entry.word(0) as usize,
        kind: entry.word(4),
        flags: entry.of_class(wide, (8, 8)),
        offset: entry.of_class(wide, (24, 16)),
        size: entry.of_class(wide, (32, 20)),
        link: entry.word(if wide { 40 } else { 24 }) as usize,
    }
}

/// Reads a part of the file, which the caller has given a bound.
pub(super) fn read_table(file: &File, offset: u64, size: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; size];
    let length = read_most(file, &mut bytes, offset)?;
    bytes.truncate(length);
    Ok(bytes)
}

/// Reads as much as there is.
pub(super) fn read_most(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut length = 0;
    while length < into.len() {
        let Some(at) = offset
            .checked_add(length as u64)
            .filter(|&at| at <= i64::MAX as u64)
        else {
            break;
        };
        match file.read_at(&mut into[length..], at) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}
