//! Programs and libraries, which are kept open, and the functions found in them.

use std::collections::HashMap;
use std::fs::{File, Metadata, OpenOptions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::sync::Arc;

use blazesym::symbolize::source::{Elf, Source};
use blazesym::symbolize::{CodeInfo, Input, Sym, Symbolized, Symbolizer};

use super::process::Mapping;
use super::{Name, SourceLine, UserFrame};

/// The number of files that are kept open. When it is exceeded, all are closed, and those needed
/// are opened again.
const FILE_LIMIT: usize = 96;
/// The number of places that are remembered. When it is exceeded, all are forgotten.
const PLACE_LIMIT: usize = 8192;
/// The largest file, in bytes, whose debug information is read.
const LARGEST_DEBUG: u64 = 256 << 20;

/// The identity of a file in `/proc/PID/maps`.
type FileId = ((u32, u32), u64);

/// The place of a frame.
#[derive(Debug)]
pub(super) struct FrameLocation {
    pub pid: u32,
    /// Whether the process is still the one whose mapping was read.
    pub alive: bool,
    /// The offset in the file that is looked up.
    pub file_offset: u64,
    /// The frame's address as it was captured.
    pub address: u64,
    /// The distance from the byte that is looked up to that address.
    pub behind: u64,
}

/// The open files.
#[derive(Debug)]
pub(super) struct Files {
    symbolizer: Symbolizer,
    source_lines: bool,
    open: HashMap<FileId, File>,
    /// The frames of a place, innermost first, without their addresses.
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

    /// Adds the frames of a place: first the inlined functions, then the function that contains
    /// them.
    pub(super) fn symbolize(
        &mut self,
        mapping: &Mapping,
        place: &FrameLocation,
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

    /// The frames of a place: an empty list if the file has no symbol for it, `None` if the file
    /// cannot be opened.
    fn look_up(&mut self, mapping: &Mapping, place: &FrameLocation) -> Option<Arc<[UserFrame]>> {
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
            // If debug information cannot be read, the symbol table still can.
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
        // The paths name descriptors, whose numbers are reused for other files.
        .enable_auto_reload(true)
        .enable_code_info(source_lines)
        .enable_inlined_fns(source_lines)
        .build()
}

/// The frames of a symbol, innermost first.
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

/// Opens the file of a mapping, and not another file that has taken its path.
fn open_mapped(mapping: &Mapping, place: &FrameLocation) -> Option<File> {
    let path = mapping.path.as_deref()?;
    let pid = place.pid;
    // The path as the process sees it, possibly in a container.
    let within = format!("/proc/{pid}/root{path}");
    // The program itself can be opened even if deleted.
    let program = format!("/proc/{pid}/exe");
    // The mapping itself, even if deleted; this takes more privileges (proc_pid_map_files(5)).
    let (start, end) = (mapping.start, mapping.end);
    let mapped = format!("/proc/{pid}/map_files/{start:x}-{end:x}");
    let same = |data: &Metadata| {
        let device = (libc::major(data.dev()), libc::minor(data.dev()));
        data.ino() == mapping.inode && device == mapping.device
    };
    // The last one is the path as we see it, for a process that has ended.
    let verified = [&within, &program, &mapped, path]
        .into_iter()
        .find_map(|path| open(path, same));
    if verified.is_some() || !place.alive {
        return verified;
    }
    // For files on btrfs or overlayfs, maps may name another device and inode than stat does. The
    // mapping itself, or the path below the root of the running process, is then proof enough.
    let undeleted = Some(&within).filter(|_| !path.ends_with(" (deleted)"));
    open(&mapped, |_| true).or_else(|| open(undeleted?, |_| true))
}

/// Opens a regular file if it has the expected identity.
///
/// A traced process may have chosen the path: a FIFO there must not make us wait.
fn open(path: &str, accept: impl Fn(&Metadata) -> bool) -> Option<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
        .ok()?;
    let data = file.metadata().ok()?;
    (data.is_file() && accept(&data)).then_some(file)
}
