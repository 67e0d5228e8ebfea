//! ELF files that lie.

use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
};

use flate2::{Compression, write::ZlibEncoder};

/// Where the one page of code is, in the file and in memory.
const CODE: u64 = 0x1000;
/// `SHF_COMPRESSED`.
const COMPRESSED: u64 = 0x800;

/// A file with one function, and what it says of itself.
pub struct Forged {
    name: Vec<u8>,
    /// How often the symbol is in the table.
    copies: usize,
    debug: Vec<(&'static str, u64, Vec<u8>)>,
    /// The size that it declares for its table of symbols, which is then at its end, in a hole.
    sparse: Option<u64>,
}

impl Forged {
    pub fn new(name: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.into(),
            copies: 1,
            debug: Vec::new(),
            sparse: None,
        }
    }

    /// With a symbol that is so many times in the table.
    pub fn copies(mut self, count: usize) -> Self {
        self.copies = count;
        self
    }

    /// With symbols in a file of that size, all but a few bytes of which are a hole.
    pub fn sparse(mut self, size: u64) -> Self {
        self.sparse = Some(size);
        self
    }

    /// With a section that holds this, compressed, and declares another size.
    pub fn compressed(mut self, name: &'static str, declared: u64, content: &[u8]) -> Self {
        let mut bytes = [
            1u64.to_le_bytes(),
            declared.to_le_bytes(),
            1u64.to_le_bytes(),
        ]
        .concat();
        let mut encoder = ZlibEncoder::new(&mut bytes, Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap();
        self.debug.push((name, COMPRESSED, bytes));
        self
    }

    /// With debug information that places the function in a line table of that many rows.
    pub fn line_table(self, rows: usize) -> Self {
        // One unit, with DW_AT_stmt_list, DW_AT_low_pc and DW_AT_high_pc.
        let abbreviations = b"\x01\x11\x00\x10\x17\x11\x01\x12\x07\x00\x00\x00";
        let mut unit = b"\x04\x00\x00\x00\x00\x00\x08\x01\x00\x00\x00\x00".to_vec();
        unit.extend_from_slice(&CODE.to_le_bytes());
        unit.extend_from_slice(&0x1000u64.to_le_bytes());
        let unit = [&(unit.len() as u32).to_le_bytes()[..], &unit].concat();
        // Version 4, a header of the usual constants, one file.
        let mut header = b"\x01\x01\x01\xfb\x0e\x0d".to_vec();
        header.extend_from_slice(b"\x00\x01\x01\x01\x01\x00\x00\x00\x01\x00\x00\x01");
        header.extend_from_slice(b"\x00a.c\x00\x00\x00\x00\x00");
        let mut program = b"\x00\x09\x02".to_vec();
        program.extend_from_slice(&CODE.to_le_bytes());
        // DW_LNS_copy: a row each.
        program.resize(program.len() + rows, 1);
        // DW_LNS_advance_pc to the end, DW_LNE_end_sequence.
        program.extend_from_slice(b"\x02\x80\x20\x00\x01\x01");
        let mut lines = 4u16.to_le_bytes().to_vec();
        lines.extend_from_slice(&(header.len() as u32).to_le_bytes());
        lines.extend_from_slice(&header);
        lines.extend_from_slice(&program);
        let lines = [&(lines.len() as u32).to_le_bytes()[..], &lines].concat();
        self.compressed(".debug_abbrev", abbreviations.len() as u64, abbreviations)
            .compressed(".debug_info", unit.len() as u64, &unit)
            .compressed(".debug_line", lines.len() as u64, &lines)
    }

    /// Writes the file.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut bytes = vec![0; 2 * CODE as usize];
        let mut place = |content: &[u8]| {
            bytes.resize(bytes.len().next_multiple_of(8), 0);
            let at = bytes.len() as u64;
            bytes.extend_from_slice(content);
            (at, content.len() as u64)
        };
        let strings = place(&[b"\0", &*self.name, b"\0"].concat());
        let mut symbol = Vec::new();
        symbol.extend_from_slice(&1u32.to_le_bytes());
        // Global, a function, in section 1.
        symbol.extend_from_slice(&[0x12, 0, 1, 0]);
        symbol.extend_from_slice(&CODE.to_le_bytes());
        symbol.extend_from_slice(&0x1000u64.to_le_bytes());
        let mut symbols = place(&[vec![0; 24], symbol.repeat(self.copies)].concat());
        let mut names = b"\0.symtab\0.strtab\0".to_vec();
        let mut sections = vec![
            section(0, 0, 0, (0, 0), 0),
            section(1, 2, 0, symbols, 2),
            section(9, 3, 0, strings, 0),
        ];
        for (name, flags, content) in &self.debug {
            let name_at = names.len() as u32;
            names.extend_from_slice(name.as_bytes());
            names.push(0);
            sections.push(section(name_at, 1, *flags, place(content), 0));
        }
        let names = place(&names);
        sections.push(section(0, 3, 0, names, 0));
        let table_size = sections.len() * 64;
        if let Some(size) = self.sparse {
            let begin = (bytes.len() + table_size).next_multiple_of(4096) as u64;
            symbols = (begin, (size - begin) / 24 * 24);
            sections[1] = section(1, 2, 0, symbols, 2);
        }
        let mut place = |content: &[u8]| {
            bytes.resize(bytes.len().next_multiple_of(8), 0);
            let at = bytes.len() as u64;
            bytes.extend_from_slice(content);
            at
        };
        let table = place(&sections.concat());
        let count = sections.len() as u16;
        let mut header = b"\x7fELF\x02\x01\x01".to_vec();
        header.resize(16, 0);
        // A library for x86-64, whose one segment is at byte 64.
        header.extend_from_slice(&[3, 0, 62, 0, 1, 0, 0, 0]);
        header.extend_from_slice(&0u64.to_le_bytes());
        header.extend_from_slice(&64u64.to_le_bytes());
        header.extend_from_slice(&table.to_le_bytes());
        for half in [0, 0, 64, 56, 1, 64, count, count - 1] {
            header.extend_from_slice(&u16::to_le_bytes(half));
        }
        // PT_LOAD, readable and executable, from the start of the file.
        header.extend_from_slice(&[1, 0, 0, 0, 5, 0, 0, 0]);
        for long in [0, 0, 0, 2 * CODE, 2 * CODE, 0x1000] {
            header.extend_from_slice(&u64::to_le_bytes(long));
        }
        bytes[..header.len()].copy_from_slice(&header);
        let mut file = File::create(path)?;
        file.write_all(&bytes)?;
        file.set_len(self.sparse.unwrap_or(0).max(bytes.len() as u64))
    }
}

fn section(name: u32, kind: u32, flags: u64, (offset, size): (u64, u64), link: u32) -> Vec<u8> {
    let mut entry = name.to_le_bytes().to_vec();
    entry.extend_from_slice(&kind.to_le_bytes());
    for long in [flags, 0, offset, size] {
        entry.extend_from_slice(&long.to_le_bytes());
    }
    entry.extend_from_slice(&link.to_le_bytes());
    entry.extend_from_slice(&1u32.to_le_bytes());
    for long in [8u64, 24] {
        entry.extend_from_slice(&long.to_le_bytes());
    }
    entry
}

/// A name of pairs of pairs: with each level, what it stands for doubles.
pub fn doubling() -> String {
    let digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXY".chars();
    let levels = digits.map(|digit| format!("S_IS{digit}_S{digit}_E"));
    format!("_Z1fSt4pairIiiE{}", levels.collect::<String>())
}
