//! What traced processes and the reader of symbols may give, for [`crate::fuzzing`].

use std::{fs::File, io::Write as _};

use rustix::fs::{MemfdFlags, memfd_create};

use super::{elf::Elf, process, reader};

/// The mappings of a process, whose files have names of its choice.
pub(crate) fn maps(data: &[u8]) {
    let Ok((mappings, _)) = process::read_maps(data) else {
        return;
    };
    assert!(mappings.len() <= data.len());
    for mapping in mappings {
        // A byte that is not UTF-8 stands as a character of three.
        assert!(mapping.path.is_none_or(|path| path.len() <= 3 * data.len()));
    }
}

/// A name in a table of symbols.
pub(crate) fn symbol_name(data: &[u8]) {
    reader::fuzzing::name(data);
}

/// What a reader answers that a file has taken over.
pub(crate) fn answer(data: &[u8]) {
    reader::fuzzing::answer(data);
}

/// A file that a process has mapped: an offset in it, and its contents.
pub(crate) fn mapped_file(data: &[u8]) {
    let Some((offset, content)) = data.split_first_chunk() else {
        return;
    };
    let Ok(descriptor) = memfd_create(c"fuzzing", MemfdFlags::CLOEXEC) else {
        return;
    };
    let mut file = File::from(descriptor);
    if file.write_all(content).is_err() {
        return;
    }
    if let Ok(Some(elf)) = Elf::read(&file) {
        let _ = (elf.build_id(), elf.address(u64::from_le_bytes(*offset)));
    }
    reader::fuzzing::file(file, u64::from_le_bytes(*offset));
}
