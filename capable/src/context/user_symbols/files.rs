//! Programs and libraries, which are kept open, and the functions found in them.

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use super::elf::Elf;
use super::open::{open_debug, open_mapped};
use super::process::Mapping;
use super::reader::{Answer, Reader, Refusal, Request};
use super::{Hindrance, Name, UserFrame};

/// The number of files that are kept open. When it is exceeded, all are closed, and those needed
/// are opened again.
const FILE_LIMIT: usize = 96;
/// The number of places that are remembered, and the bytes of their names. When one is exceeded,
/// all are forgotten.
const PLACE_LIMIT: usize = 8192;
const NAMES_LIMIT: usize = 8 << 20;
/// The number of files that are remembered as unreadable. When it is exceeded, all are forgotten.
const BAD_LIMIT: usize = 4096;

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

/// A file as it was when it was opened or could not be read: device, inode, time of change, size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Version(u64, u64, (i64, i64), u64);

/// An open file.
#[derive(Debug)]
struct Open {
    file: File,
    /// The file with its debug information, if there is one.
    debug: Option<File>,
    build_id: Option<Name>,
    version: Version,
    /// A number for the reader that no file had before.
    number: u64,
}

/// What of a file is read.
#[derive(Clone, Debug)]
enum Extent {
    /// Only its symbol table: with its debug information, the reader failed.
    Symbols,
    Nothing(Hindrance),
}

/// The open files.
#[derive(Debug)]
pub(super) struct Files {
    reader: Option<Reader>,
    source_lines: bool,
    open: HashMap<FileId, Open>,
    opened: u64,
    bad: HashMap<Version, Extent>,
    /// The frames of a place, innermost first, without their addresses.
    places: HashMap<(FileId, u64), Arc<[UserFrame]>>,
    names_size: usize,
}

impl Files {
    pub(super) fn new(reader: Option<PathBuf>, source_lines: bool) -> Self {
        Self {
            reader: reader.map(Reader::new),
            source_lines,
            open: HashMap::new(),
            opened: 0,
            bad: HashMap::new(),
            places: HashMap::new(),
            names_size: 0,
        }
    }

    /// Adds the frames of a place: first the inlined functions, then the function that contains
    /// them.
    ///
    /// # Errors
    ///
    /// The symbols of the file cannot be read. A frame is added nevertheless.
    pub(super) fn symbolize(
        &mut self,
        mapping: &Mapping,
        place: &FrameLocation,
        frames: &mut Vec<UserFrame>,
    ) -> Result<(), Hindrance> {
        let mut unknown = UserFrame {
            module: mapping.path.clone(),
            ..UserFrame::unknown(place.address)
        };
        if mapping.inode == 0 {
            frames.push(unknown);
            return Ok(());
        }
        unknown.module_offset = place.file_offset.checked_add(place.behind);
        let id = (mapping.device, mapping.inode);
        let key = (id, place.file_offset);
        let known = self.places.get(&key).cloned();
        let found = known.map_or_else(|| self.look_up(mapping, place), Ok);
        unknown.build_id = self.open.get(&id).and_then(|open| open.build_id.clone());
        let (found, result) = match found {
            Ok(found) => (found, Ok(())),
            Err(reason) => (Arc::default(), Err(reason)),
        };
        if found.is_empty() {
            frames.push(unknown);
            return result;
        }
        frames.extend(found.iter().map(|frame| {
            UserFrame {
                name: frame.name.clone(),
                offset: frame
                    .offset
                    .map(|offset| offset.saturating_add(place.behind)),
                location: frame.location.clone(),
                inlined: frame.inlined,
                ..unknown.clone()
            }
        }));
        result
    }

    /// The frames of a place: an empty list if the file has no symbol for it.
    fn look_up(
        &mut self,
        mapping: &Mapping,
        place: &FrameLocation,
    ) -> Result<Arc<[UserFrame]>, Hindrance> {
        let id = (mapping.device, mapping.inode);
        self.renew(id, mapping, place)?;
        let (Some(open), Some(reader)) = (self.open.get(&id), &mut self.reader) else {
            return Ok(Arc::default());
        };
        let mut lines = self.source_lines;
        match self.bad.get(&open.version) {
            Some(Extent::Nothing(reason)) => return Err(reason.clone()),
            Some(Extent::Symbols) => lines = false,
            None => {}
        }
        let files = [Some(&open.file), open.debug.as_ref()];
        let files: Vec<BorrowedFd<'_>> = files.into_iter().flatten().map(File::as_fd).collect();
        let found = loop {
            let request = Request {
                file: open.number,
                offset: place.file_offset,
                lines,
            };
            let answer = reader.ask(request, &files);
            let reason = match answer {
                Ok(Answer::Found(found)) => break found,
                Ok(Answer::Refused(Refusal::TooLarge)) => Hindrance::TooLarge,
                Ok(Answer::Refused(Refusal::Unreadable)) => Hindrance::Unreadable,
                Err(reason) => reason,
            };
            if !reason.is_of_file() {
                return Err(reason);
            }
            if self.bad.len() >= BAD_LIMIT {
                self.bad.clear();
            }
            if !lines {
                self.bad
                    .insert(open.version, Extent::Nothing(reason.clone()));
                return Err(reason);
            }
            // If debug information cannot be read, the symbol table still can.
            self.bad.insert(open.version, Extent::Symbols);
            lines = false;
        };
        let found: Arc<[UserFrame]> = found.into();
        let size: usize = found.iter().map(size).sum();
        if self.places.len() >= PLACE_LIMIT || self.names_size + size > NAMES_LIMIT {
            self.places.clear();
            self.names_size = 0;
        }
        self.names_size += size;
        self.places.insert((id, place.file_offset), found.clone());
        Ok(found)
    }

    /// Opens the file of a mapping if it is not open, or has changed since.
    fn renew(
        &mut self,
        id: FileId,
        mapping: &Mapping,
        place: &FrameLocation,
    ) -> Result<(), Hindrance> {
        if let Some(open) = self.open.get(&id) {
            if version(&open.file) == Some(open.version) {
                return Ok(());
            }
            self.open.remove(&id);
            self.places.retain(|(file, _), _| *file != id);
        }
        if self.open.len() >= FILE_LIMIT {
            self.open.clear();
        }
        let file = open_mapped(mapping, place).ok_or(Hindrance::NotOpened)?;
        let version = version(&file).ok_or(Hindrance::NotOpened)?;
        let elf = Elf::read(&file).ok().flatten();
        let build_id = elf.and_then(|elf| elf.build_id()).map(|id| digits(&id));
        let debug = build_id
            .as_deref()
            .filter(|_| self.source_lines && self.reader.is_some())
            .and_then(open_debug);
        self.opened += 1;
        let open = Open {
            file,
            debug,
            build_id,
            version,
            number: self.opened,
        };
        self.open.insert(id, open);
        Ok(())
    }
}

fn version(file: &File) -> Option<Version> {
    let data = file.metadata().ok()?;
    let changed = (data.mtime(), data.mtime_nsec());
    Some(Version(data.dev(), data.ino(), changed, data.len()))
}

fn digits(bytes: &[u8]) -> Name {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.into()
}

/// The bytes that a remembered frame takes.
fn size(frame: &UserFrame) -> usize {
    let texts = [
        frame.name.as_deref(),
        frame.location.as_ref().map(|place| &*place.file),
    ];
    size_of::<UserFrame>() + texts.into_iter().flatten().map(str::len).sum::<usize>()
}
