//! The reader: the process that reads symbols, and does nothing else.

use std::{
    env,
    fs::File,
    io::{self, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    panic,
    process::{self, ExitCode},
};

use rustix::{
    io::Errno,
    net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, recvmsg, send},
};

use super::{
    super::{UserFrame, elf::Elf},
    FILES, NAME, confine,
    debug::Debug,
    symbols::{DYNAMIC_TABLE, Symbols, TABLE},
    wire::{Answer, Refusal, Request, VERSION},
};

/// The most that is kept of files that were read, in bytes of symbols and debug information.
const KEPT_LIMIT: usize = 256 << 20;
/// The most files of which something is kept.
const KEPT_FILES: usize = 256;

/// How a reader ends that cannot be one: it was started wrongly, has a defect, or cannot be confined.
pub(super) const USAGE: u8 = 2;
pub(super) const DEFECT: u8 = 3;
pub(super) const UNCONFINED: u8 = 4;

/// Serves as a reader if this process was started as one, until the tracer is gone; `None` if it
/// was not.
///
/// The program `capable` calls this before anything else. A program that uses the library can do the
/// same, and then be its own reader: see [`UserSymbols::with_reader`].
///
/// [`UserSymbols::with_reader`]: super::super::UserSymbols::with_reader
pub fn serve_if_reader() -> Option<ExitCode> {
    let mut words = env::args_os();
    if words.next()? != NAME {
        return None;
    }
    if words.next().is_none_or(|version| version != VERSION) {
        return Some(ExitCode::from(USAGE));
    }
    // A file can find a defect of ours. What a panic says goes nowhere, and its end must not look
    // like that of memory.
    panic::set_hook(Box::new(|_| process::exit(DEFECT.into())));
    if let Err(error) = confine::confine() {
        log::debug!("cannot confine the reader: {error}");
        return Some(ExitCode::from(UNCONFINED));
    }
    let input = io::stdin();
    Some(match serve(input.as_fd()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    })
}

/// Answers until the other end is closed.
fn serve(socket: BorrowedFd<'_>) -> io::Result<()> {
    let mut files = Files::default();
    while let Some((request, descriptors)) = receive(socket)? {
        confine::limit_time()?;
        let answer = files
            .answer(request, descriptors)
            .unwrap_or(Answer::Refused(Refusal::Unreadable));
        send(socket, &answer.encode(), SendFlags::NOSIGNAL)?;
        confine::unlimited_time()?;
    }
    Ok(())
}

fn receive(socket: BorrowedFd<'_>) -> io::Result<Option<(Request, Vec<OwnedFd>)>> {
    let mut bytes = [0; Request::LENGTH + 1];
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FILES))];
    let mut control = RecvAncillaryBuffer::new(&mut room);
    let length = loop {
        let mut into = [IoSliceMut::new(&mut bytes)];
        match recvmsg(socket, &mut into, &mut control, RecvFlags::CMSG_CLOEXEC) {
            Ok(message) => break message.bytes,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    };
    if length == 0 {
        return Ok(None);
    }
    let request = Request::decode(&bytes[..length]).ok_or(io::ErrorKind::InvalidData)?;
    let descriptors = control
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
            _ => None,
        })
        .flatten();
    Ok(Some((request, descriptors.collect())))
}

/// The files that were read, the one that was used last at the end.
#[derive(Default)]
struct Files {
    kept: Vec<(u64, bool, Known)>,
}

impl Files {
    fn answer(&mut self, request: Request, descriptors: Vec<OwnedFd>) -> io::Result<Answer> {
        let Request { file, lines, .. } = request;
        let known = self
            .kept
            .iter()
            .position(|(id, with, _)| (*id, *with) == (file, lines));
        let entry = match known {
            Some(index) => self.kept.remove(index),
            None => {
                let mut files = descriptors.into_iter().map(File::from);
                let Some(file) = files.next() else {
                    return Ok(Answer::Refused(Refusal::Unreadable));
                };
                // Before more is read: what is kept then is no part of this file's room.
                self.make_room();
                match Known::read(file, files.next(), lines)? {
                    Ok(known) => (request.file, lines, known),
                    Err(refusal) => return Ok(Answer::Refused(refusal)),
                }
            }
        };
        let answer = entry.2.at(request.offset);
        self.kept.push(entry);
        Ok(Answer::Found(answer?))
    }

    fn make_room(&mut self) {
        let cost = |kept: &[(u64, bool, Known)]| -> usize {
            kept.iter().map(|(_, _, known)| known.cost()).sum()
        };
        while self.kept.len() >= KEPT_FILES || cost(&self.kept) > KEPT_LIMIT {
            self.kept.remove(0);
        }
    }
}

/// What was read of a file.
pub(super) struct Known {
    file: File,
    /// The file with the debug information, if it is another one.
    debug_file: Option<File>,
    /// Whether the symbols are those of that other file.
    symbols_of_debug: bool,
    symbols: Symbols,
    debug: Option<Debug>,
}

impl Known {
    pub(super) fn read(
        file: File,
        debug_file: Option<File>,
        lines: bool,
    ) -> io::Result<Result<Self, Refusal>> {
        let Some(elf) = Elf::read(&file)? else {
            return Ok(Err(Refusal::Unreadable));
        };
        let sections = elf.sections()?;
        let beside = match &debug_file {
            Some(debug_file) => match Elf::read(debug_file)? {
                Some(elf) => Some((debug_file, elf.sections()?, elf)),
                None => None,
            },
            None => None,
        };
        let mut debug = None;
        if lines {
            debug = Debug::read(&file, &elf, &sections)?;
            if let (None, Some((file, sections, elf))) = (&debug, &beside) {
                debug = Debug::read(file, elf, sections)?;
            }
        }
        let whole = sections
            .of_kind(TABLE)
            .map(|table| (&file, &sections, &elf, table));
        let of_beside = beside.as_ref().and_then(|(file, sections, elf)| {
            Some((*file, sections, elf, sections.of_kind(TABLE)?))
        });
        let dynamic = sections.of_kind(DYNAMIC_TABLE);
        let dynamic = dynamic.map(|table| (&file, &sections, &elf, table));
        let symbols_of_debug = whole.is_none() && of_beside.is_some();
        let symbols = match whole.or(of_beside).or(dynamic) {
            Some((file, sections, elf, table)) => {
                match Symbols::read(file, elf, sections, table)? {
                    Ok(symbols) => symbols,
                    Err(refusal) => return Ok(Err(refusal)),
                }
            }
            None => Symbols::default(),
        };
        Ok(Ok(Self {
            symbols,
            debug,
            symbols_of_debug,
            file,
            debug_file,
        }))
    }

    fn cost(&self) -> usize {
        self.symbols.cost() + self.debug.as_ref().map_or(0, Debug::cost)
    }

    /// The functions at an offset in the file, innermost first.
    pub(super) fn at(&self, offset: u64) -> io::Result<Vec<UserFrame>> {
        let address = match Elf::read(&self.file)? {
            Some(elf) => elf.address(offset),
            None => None,
        };
        let Some(address) = address else {
            return Ok(Vec::new());
        };
        let names = match &self.debug_file {
            Some(file) if self.symbols_of_debug => file,
            _ => &self.file,
        };
        let Some((name, behind)) = self.symbols.at(names, address)? else {
            return Ok(Vec::new());
        };
        // If debug information makes no sense, the symbol still does.
        let found = self.debug.as_ref().map(|debug| debug.at(address));
        let mut frames = found.and_then(Result::ok).unwrap_or_default();
        let mut last = frames.pop().unwrap_or_else(|| UserFrame::unknown(0));
        last.name = Some(name.into());
        last.offset = Some(behind);
        frames.push(last);
        Ok(frames)
    }
}
