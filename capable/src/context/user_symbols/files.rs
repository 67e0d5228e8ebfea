//! Programs and libraries, kept open, and the functions that were found in them.

use std::collections::HashMap;
use std::fs::{File, Metadata, OpenOptions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::sync::Arc;

use blazesym::symbolize::source::{Elf, Source};
use blazesym::symbolize::{CodeInfo, Input, Sym, Symbolized, Symbolizer};

use super::process::Mapping;
use super::{Name, SourceLine, UserFrame};

/// How many files are kept open. Beyond, all are closed and what is needed is opened again.
const FILE_LIMIT: usize = 96;
/// How many places are remembered. Beyond, all are forgotten.
const PLACE_LIMIT: usize = 8192;
/// The size of a file, in bytes, up to which its debug information is read.
const LARGEST_DEBUG: u64 = 256 << 20;

/// A file, as `/proc/PID/maps` tells it from others.
type FileId = ((u32, u32), u64);

/// Where a frame lies.
#[derive(Debug)]
pub(super) struct Place {
    pub pid: u32,
    /// The process still is the one that the mapping was read from.
    pub alive: bool,
    /// What is looked up, in the file.
    pub file_offset: u64,
    /// The frame's address as it was captured.
    pub address: u64,
    /// How many bytes behind the byte that is looked up that is.
    pub behind: u64,
}

/// The open files.
#[derive(Debug)]
pub(super) struct Files {
    symbolizer: Symbolizer,
    source_lines: bool,
    open: HashMap<FileId, File>,
    /// The frames of a place, the innermost first, with addresses to be filled in.
    places: HashMap<(FileId, u64), Arc<[UserFrame]>>,
}

impl Files {
    pub(super) fn new(source_lines: bool) -> Self {
        Self {
            symbolizer: symbolizer(source_lines),
            source_lines,
            open: HashMap::new(),
            places: HashMap::new(),
        }
    }

    /// Adds the frames of a place: its function, and before it those that were inlined into it.
    pub(super) fn symbolize(
        &mut self,
        mapping: &Mapping,
        place: &Place,
        frames: &mut Vec<UserFrame>,
    ) {
        let module_offset = (mapping.inode != 0).then_some(place.file_offset + place.behind);
        let unknown = UserFrame::unknown(place.address, mapping.path.clone(), module_offset);
        if mapping.inode == 0 {
            frames.push(unknown);
            return;
        }
        let key = ((mapping.device, mapping.inode), place.file_offset);
        if !self.places.contains_key(&key) {
            let Some(found) = self.look_up(mapping, place) else {
                frames.push(unknown);
                return;
            };
            if self.places.len() >= PLACE_LIMIT {
                self.places.clear();
            }
            self.places.insert(key, found);
        }
        match self.places.get(&key) {
            Some(found) if !found.is_empty() => {
                frames.extend(found.iter().map(|frame| UserFrame {
                    address: place.address,
                    offset: frame.offset.map(|offset| offset + place.behind),
                    module: mapping.path.clone(),
                    module_offset,
                    ..frame.clone()
                }));
            }
            _ => frames.push(unknown),
        }
    }

    /// The frames of a place, none where the file has no symbol for it; `None` where the file
    /// cannot be opened.
    fn look_up(&mut self, mapping: &Mapping, place: &Place) -> Option<Arc<[UserFrame]>> {
        let id = (mapping.device, mapping.inode);
        if !self.open.contains_key(&id) {
            if self.open.len() >= FILE_LIMIT {
                self.open.clear();
                self.symbolizer = symbolizer(self.source_lines);
            }
            let file = open_mapped(mapping, place)?;
            self.open.insert(id, file);
        }
        let file = self.open.get(&id)?;
        let small = file
            .metadata()
            .is_ok_and(|data| data.len() <= LARGEST_DEBUG);
        let mut elf = Elf::new(format!("/proc/self/fd/{}", file.as_raw_fd()));
        elf.debug_syms = self.source_lines && small;
        let mut found = self.symbols(&elf, place.file_offset);
        if found.is_none() && elf.debug_syms {
            // Debug information that cannot be read does not hide the symbol table.
            elf.debug_syms = false;
            found = self.symbols(&elf, place.file_offset);
        }
        Some(found.unwrap_or_default().into())
    }

    fn symbols(&self, elf: &Elf, offset: u64) -> Option<Vec<UserFrame>> {
        let source = Source::Elf(elf.clone());
        let found = self
            .symbolizer
            .symbolize_single(&source, Input::FileOffset(offset));
        match found.ok()? {
            Symbolized::Sym(symbol) => Some(frames(&symbol)),
            Symbolized::Unknown(_) => None,
        }
    }
}

fn symbolizer(source_lines: bool) -> Symbolizer {
    Symbolizer::builder()
        // Paths are those of descriptors, whose numbers are used again for other files.
        .enable_auto_reload(true)
        .enable_code_info(source_lines)
        .enable_inlined_fns(source_lines)
        .build()
}

/// The frames that a symbol stands for, the innermost first.
fn frames(symbol: &Sym<'_>) -> Vec<UserFrame> {
    let frame = |name: &str, offset, code: Option<&CodeInfo<'_>>| UserFrame {
        name: Some(name.into()),
        offset,
        location: code.map(source_line),
        inlined: offset.is_none(),
        ..UserFrame::unknown(0, None, None)
    };
    // blazesym lists them from the outside to the inside.
    let inlined = symbol.inlined.iter().rev();
    let mut frames: Vec<UserFrame> = inlined
        .map(|function| frame(&function.name, None, function.code_info.as_ref()))
        .collect();
    let offset = u64::try_from(symbol.offset).ok();
    frames.push(frame(&symbol.name, offset, symbol.code_info.as_deref()));
    frames
}

fn source_line(code: &CodeInfo<'_>) -> SourceLine {
    SourceLine {
        file: Name::from(code.to_path().to_string_lossy().as_ref()),
        line: code.line,
    }
}

/// Opens the file of a mapping, and no other that has taken its path.
fn open_mapped(mapping: &Mapping, place: &Place) -> Option<File> {
    let path = mapping.path.as_deref()?;
    let pid = place.pid;
    // As the process sees it, which may be in a container.
    let within = format!("/proc/{pid}/root{path}");
    // The program itself can be opened even if deleted.
    let program = format!("/proc/{pid}/exe");
    // The mapping itself, deleted or not; this takes more privileges (proc_pid_map_files(5)).
    let (start, end) = (mapping.start, mapping.end);
    let mapped = format!("/proc/{pid}/map_files/{start:x}-{end:x}");
    let same = |data: &Metadata| {
        let device = (libc::major(data.dev()), libc::minor(data.dev()));
        data.ino() == mapping.inode && device == mapping.device
    };
    // The last one is the path as we see it, for a process that is gone.
    let verified = [&within, &program, &mapped, path]
        .into_iter()
        .find_map(|path| open(path, same));
    if verified.is_some() || !place.alive {
        return verified;
    }
    // Where btrfs or overlayfs is mapped, maps may name another device and inode than stat: the
    // mapping itself, or the path in the living process's own root, is proof enough.
    let undeleted = Some(&within).filter(|_| !path.ends_with(" (deleted)"));
    open(&mapped, |_| true).or_else(|| open(undeleted?, |_| true))
}

/// Opens a regular file that is as it should be.
///
/// A traced process may have chosen the path: a FIFO in its place must not make us wait.
fn open(path: &str, accept: impl Fn(&Metadata) -> bool) -> Option<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
        .ok()?;
    let data = file.metadata().ok()?;
    (data.is_file() && accept(&data)).then_some(file)
}
