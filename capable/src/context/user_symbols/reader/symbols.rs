//! The symbol table of a file. In the reader only.
//!
//! Names remain in the file until they are asked for: a table of a million symbols takes 24 MB.

use std::{fs::File, io};

use super::{
    super::elf::{Elf, Fields, Section, Sections, read_table},
    names::{self, MANGLED_LIMIT},
    wire::Refusal,
};

/// The most symbols that are read, of functions or not. The largest programs that are in use have
/// about two million.
const SYMBOL_LIMIT: u64 = 4 << 20;
/// How many symbols are read at once.
const CHUNK: usize = 4096;
/// How many symbols before an address are looked at for one that covers it.
const COVERING_LIMIT: usize = 64;

/// `SHT_SYMTAB` and `SHT_DYNSYM`, `STT_NOTYPE`, `STT_FUNC`, `STT_GNU_IFUNC` (elf(5)).
pub(super) const TABLE: u32 = 2;
pub(super) const DYNAMIC_TABLE: u32 = 11;
const NO_TYPE: u8 = 0;
const FUNCTION: u8 = 2;
const INDIRECT_FUNCTION: u8 = 10;

/// Functions, in the order of their addresses.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    all: Vec<Symbol>,
    /// Where the names are in the file, and how many bytes they have.
    names: (u64, u64),
}

#[derive(Clone, Copy, Debug)]
struct Symbol {
    address: u64,
    size: u32,
    name: u32,
    /// Which of several symbols at an address is the best: the highest.
    rank: u8,
}

impl Symbols {
    /// Reads a table of symbols.
    pub(super) fn read(
        file: &File,
        elf: &Elf<'_>,
        sections: &Sections,
        table: &Section,
    ) -> io::Result<Result<Self, Refusal>> {
        let size: usize = if elf.wide { 24 } else { 16 };
        let count = table.size / size as u64;
        if count > SYMBOL_LIMIT {
            return Ok(Err(Refusal::TooLarge));
        }
        let Some(names) = sections.at(table.link) else {
            return Ok(Err(Refusal::Unreadable));
        };
        let mut all = Vec::new();
        let mut read = 0;
        while read < count {
            let wanted = (count - read).min(CHUNK as u64) as usize * size;
            let Some(at) = table.offset.checked_add(read * size as u64) else {
                return Ok(Err(Refusal::Unreadable));
            };
            let chunk = read_table(file, at, wanted)?;
            let symbols = chunk.chunks_exact(size);
            all.extend(symbols.filter_map(|entry| symbol(&Fields(entry), elf.wide)));
            if chunk.len() < wanted {
                return Ok(Err(Refusal::Unreadable));
            }
            read += CHUNK as u64;
        }
        all.shrink_to_fit();
        all.sort_unstable_by_key(|symbol| (symbol.address, symbol.rank));
        Ok(Ok(Self {
            all,
            names: (names.offset, names.size),
        }))
    }

    /// The bytes that they take.
    pub(super) fn cost(&self) -> usize {
        self.all.len() * size_of::<Symbol>()
    }

    /// The function that covers an address, with the distance from its start.
    pub(super) fn at(&self, file: &File, address: u64) -> io::Result<Option<(String, u64)>> {
        let end = self.all.partition_point(|symbol| symbol.address <= address);
        let before = self.all[..end].iter().rev();
        let covers = |symbol: &&Symbol| address - symbol.address < symbol.size.into();
        // Without a size, it reaches to the next symbol: code that was written in assembly.
        let sizeless = |symbol: &&Symbol| symbol.size == 0;
        let found = before.clone().take(COVERING_LIMIT).find(covers);
        let Some(symbol) = found.or_else(|| before.clone().next().filter(sizeless)) else {
            return Ok(None);
        };
        let (offset, size) = self.names;
        let Some(room) = size
            .checked_sub(symbol.name.into())
            .filter(|&room| room > 0)
        else {
            return Ok(None);
        };
        let Some(at) = offset.checked_add(symbol.name.into()) else {
            return Ok(None);
        };
        // One more than is demangled, so that a longer name is known to be one.
        let most = room.min(MANGLED_LIMIT as u64 + 1) as usize;
        let name = read_table(file, at, most)?;
        let end = memchr::memchr(0, &name).unwrap_or(name.len());
        let name = names::demangled(&name[..end]);
        Ok((!name.is_empty()).then_some((name, address - symbol.address)))
    }
}

/// A symbol, if it is one of code in this file.
fn symbol(entry: &Fields<'_>, wide: bool) -> Option<Symbol> {
    let (info, section) = if wide {
        (entry.half(4) as u8, entry.half(6))
    } else {
        (entry.half(12) as u8, entry.half(14))
    };
    let size = entry.of_class(wide, (16, 8));
    let (kind, binding) = (info & 0xf, info >> 4);
    let function = match kind {
        FUNCTION | INDIRECT_FUNCTION => true,
        NO_TYPE if size == 0 => false,
        _ => return None,
    };
    let address = entry.of_class(wide, (8, 4));
    if section == 0 || address == 0 {
        return None;
    }
    // Global, weak, local; the local names of a function with several are often better than none.
    let rank = match (function, binding) {
        (false, _) => 0,
        (true, 1) => 3,
        (true, 2) => 2,
        (true, _) => 1,
    };
    Some(Symbol {
        address,
        size: size.try_into().unwrap_or(u32::MAX),
        name: entry.word(0),
        rank,
    })
}
