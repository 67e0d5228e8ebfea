//! What is known about a frame of a user stack, and how it is shown.

use std::fmt;

use super::{Name, Unread};

/// A stack with names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserStack {
    /// Innermost first. Inlined functions have frames of their own, without an address.
    pub frames: Vec<UserFrame>,
    /// What the names were read from.
    pub provenance: Provenance,
    /// The files in it whose symbols could not be read, each of them once.
    pub unread: Vec<Unread>,
}

impl UserStack {
    /// The remark on a stack in which names are missing for a reason that is known.
    pub fn note(&self) -> Option<String> {
        if let Some(note) = self.provenance.note() {
            return Some(note.to_owned());
        }
        let (first, others) = self.unread.split_first()?;
        Some(match others.len() {
            0 => first.to_string(),
            1 => format!("{first} (and those of another file)"),
            count => format!("{first} (and those of {count} other files)"),
        })
    }
}

/// What the names of a stack were read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// The process as it is now.
    Alive,
    /// The process has ended or executed another program; this is what was remembered of it.
    Remembered,
    /// The process ended before anything was read: there are only addresses.
    Gone,
    /// The process exists, but may not be inspected: this takes the same user or CAP_SYS_PTRACE.
    Denied,
}

impl Provenance {
    /// The remark on a stack without names; none if names were found.
    pub fn note(self) -> Option<&'static str> {
        match self {
            Self::Alive | Self::Remembered => None,
            Self::Gone => Some("the process ended before its symbols could be read"),
            Self::Denied => Some("capable may not inspect the process; this takes CAP_SYS_PTRACE"),
        }
    }
}

/// A place in a source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLine {
    /// The path, as given to the compiler.
    pub file: Name,
    /// The line, counted from 1.
    pub line: Option<u32>,
}

impl fmt::Display for SourceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.file),
            None => f.write_str(&self.file),
        }
    }
}

/// A function on the stack of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserFrame {
    /// The address in the process, as it was captured.
    pub address: u64,
    /// The function, demangled.
    pub name: Option<Name>,
    /// The offset from the function's start, in bytes; none for an inlined function.
    pub offset: Option<u64>,
    /// The path of the program or library as the process sees it, or `[vdso]` and the like.
    pub module: Option<Name>,
    /// The offset in the file of the module, in bytes. `addr2line` and others accept it for
    /// position-independent files whose segments are in order.
    pub module_offset: Option<u64>,
    /// The build id of the module, in hexadecimal digits.
    pub build_id: Option<Name>,
    /// The place in the source, from debug information.
    pub location: Option<SourceLine>,
    /// Whether the compiler inlined this function into that of the next frame.
    pub inlined: bool,
}

impl UserFrame {
    /// A frame of which only the address is known.
    pub(super) fn unknown(address: u64) -> Self {
        Self {
            address,
            name: None,
            offset: None,
            module: None,
            module_offset: None,
            build_id: None,
            location: None,
            inlined: false,
        }
    }
}
impl fmt::Display for UserFrame {
    /// `function+0xoffset [module] (file:line)`, with what is known of it; without a function
    /// `0xaddress [module+0xoffset]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let module = self.module.as_deref().map(short);
        match (&self.name, self.offset) {
            (Some(name), Some(offset)) => write!(f, "{name}+0x{offset:x}")?,
            (Some(name), None) => f.write_str(name)?,
            (None, _) => write!(f, "0x{:x}", self.address)?,
        }
        match (module, self.module_offset) {
            (Some(module), Some(offset)) if self.name.is_none() => {
                write!(f, " [{module}+0x{offset:x}]")?;
            }
            (Some(module), _) if !self.inlined => write!(f, " [{module}]")?,
            _ => {}
        }
        if self.inlined {
            f.write_str(" [inlined]")?;
        }
        match &self.location {
            Some(location) => write!(f, " ({location})"),
            None => Ok(()),
        }
    }
}

/// A module's file name, without the brackets of `[vdso]`.
fn short(module: &str) -> &str {
    let module = module.strip_suffix(" (deleted)").unwrap_or(module);
    let name = module.rsplit('/').next().unwrap_or(module);
    name.trim_matches(['[', ']'])
}
