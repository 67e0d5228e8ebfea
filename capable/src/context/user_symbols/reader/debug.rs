//! Source lines and inlined functions, from debug information (DWARF). In the reader only.

use std::{
    fs::File,
    io::{self, Read as _},
    iter,
    rc::Rc,
};

use addr2line::Context;
use flate2::read::ZlibDecoder;
use gimli::{Dwarf, EndianRcSlice, LittleEndian, SectionId};

use super::{
    super::{
        SourceLine, UserFrame,
        elf::{Elf, Fields, Section, Sections, read_most, read_table},
        text::cut,
    },
    names,
    wire::{NAME_LIMIT, PLACE_LIMIT},
};

/// The most debug information of a file, uncompressed and in bytes, that is read.
const DEBUG_LIMIT: u64 = 256 << 20;

/// `SHF_COMPRESSED`, `ELFCOMPRESS_ZLIB` and `SHT_NOBITS` (elf(5)).
const COMPRESSED: u64 = 0x800;
const ZLIB: u32 = 1;
const NO_BITS: u32 = 8;

/// What is read of debug information: what places in code are found by.
const WANTED: &[SectionId] = &[
    SectionId::DebugAbbrev,
    SectionId::DebugAddr,
    SectionId::DebugAranges,
    SectionId::DebugInfo,
    SectionId::DebugLine,
    SectionId::DebugLineStr,
    SectionId::DebugRanges,
    SectionId::DebugRngLists,
    SectionId::DebugStr,
    SectionId::DebugStrOffsets,
    SectionId::DebugTypes,
];

type Slice = EndianRcSlice<LittleEndian>;

/// The debug information of a file.
pub(super) struct Debug {
    context: Context<Slice>,
    cost: usize,
}

impl Debug {
    /// Reads the debug information; `None` if the file has none, or more than is read.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or makes no sense.
    pub(super) fn read(
        file: &File,
        elf: &Elf<'_>,
        sections: &Sections,
    ) -> io::Result<Option<Self>> {
        let present = |section: &&Section| section.kind != NO_BITS && section.size > 0;
        let info = sections.named(SectionId::DebugInfo.name());
        if info.filter(present).is_none() {
            return Ok(None);
        }
        let mut left = DEBUG_LIMIT;
        let mut too_much = false;
        let dwarf = Dwarf::load(|id| -> io::Result<Slice> {
            let section = sections.named(id.name()).filter(present);
            let bytes = match section.filter(|_| WANTED.contains(&id) && !too_much) {
                Some(section) => content(file, elf, section, left)?,
                None => Some(Rc::default()),
            };
            let bytes = bytes.unwrap_or_else(|| {
                too_much = true;
                Rc::default()
            });
            left -= bytes.len() as u64;
            Ok(EndianRcSlice::new(bytes, LittleEndian))
        })?;
        if too_much {
            return Ok(None);
        }
        let context = Context::from_dwarf(dwarf).map_err(io::Error::other)?;
        Ok(Some(Self {
            context,
            cost: (DEBUG_LIMIT - left) as usize,
        }))
    }

    /// The bytes that it takes.
    pub(super) fn cost(&self) -> usize {
        self.cost
    }

    /// The functions at an address, innermost first, without offsets.
    ///
    /// # Errors
    ///
    /// The debug information makes no sense.
    pub(super) fn at(&self, address: u64) -> io::Result<Vec<UserFrame>> {
        let found = self.context.find_frames(address).skip_all_loads();
        let mut found = found.map_err(io::Error::other)?;
        let mut frames = Vec::new();
        // Of many inlined functions the innermost are kept, with the function that contains them.
        while let Some(frame) = found.next().map_err(io::Error::other)? {
            let name = frame.function.as_ref().and_then(|name| {
                let name = name.raw_name().ok()?;
                Some(names::demangled(name.as_bytes()).into())
            });
            let location = frame.location.and_then(|place| {
                Some(SourceLine {
                    file: cut(place.file?, NAME_LIMIT).into(),
                    line: place.line,
                })
            });
            frames.truncate(PLACE_LIMIT - 1);
            frames.push(UserFrame {
                name,
                location,
                inlined: true,
                ..UserFrame::unknown(0)
            });
        }
        if let Some(last) = frames.last_mut() {
            last.inlined = false;
        }
        Ok(frames)
    }
}

/// What a section holds, uncompressed; `None` if it is more than `left`.
fn content(
    file: &File,
    elf: &Elf<'_>,
    section: &Section,
    left: u64,
) -> io::Result<Option<Rc<[u8]>>> {
    if section.size > left {
        return Ok(None);
    }
    if section.flags & COMPRESSED == 0 {
        let mut bytes: Rc<[u8]> = iter::repeat_n(0, section.size as usize).collect();
        if let Some(bytes) = Rc::get_mut(&mut bytes) {
            read_most(file, bytes, section.offset)?;
        }
        return Ok(Some(bytes));
    }
    let bytes = read_table(file, section.offset, section.size as usize)?;
    let header = Fields(&bytes);
    let (size, length) = (
        header.of_class(elf.wide, (8, 4)),
        if elf.wide { 24 } else { 12 },
    );
    // zlib is what distributions use. With zstd, names come from the symbol table.
    let compressed = bytes.get(length..).filter(|_| header.word(0) == ZLIB);
    let Some(compressed) = compressed.filter(|_| size <= left) else {
        return Ok(None);
    };
    // The declared size is no more than a bound: memory is taken as bytes come.
    let mut whole = Vec::new();
    ZlibDecoder::new(compressed)
        .take(size)
        .read_to_end(&mut whole)?;
    Ok(Some(whole.into()))
}
