//! What is known of a frame, and how it is shown.

use std::fmt;

use super::Name;

/// A stack with names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserStack {
    /// The innermost first. There are more than addresses where functions were inlined.
    pub frames: Vec<UserFrame>,
    /// What the names are based on.
    pub provenance: Provenance,
}

/// What the names of a stack are based on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// The process as it is now.
    Alive,
    /// The process is gone, or runs another program; this is how it was seen before.
    Remembered,
    /// The process was gone before it was first seen: addresses are all there is.
    Gone,
    /// The process lives, but may not be inspected: that takes its user, or CAP_SYS_PTRACE.
    Denied,
}

impl Provenance {
    /// What to tell the user about a stack without names; nothing where names could be found.
    pub fn note(self) -> Option<&'static str> {
        match self {
            Self::Alive | Self::Remembered => None,
            Self::Gone => Some("the process was gone before its stack could be read"),
            Self::Denied => Some("the process may not be inspected; it takes CAP_SYS_PTRACE"),
        }
    }
}

/// A place in a source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLine {
    /// The path, as the compiler was given it.
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

/// A function on a program's stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserFrame {
    /// The address in the process, as it was captured.
    pub address: u64,
    /// The function, demangled.
    pub name: Option<Name>,
    /// Bytes from the function's start; nothing for an inlined function.
    pub offset: Option<u64>,
    /// The path of the program or library as the process sees it, or `[vdso]` and the like.
    pub module: Option<Name>,
    /// The place in the module's file, in bytes, as `addr2line` and others take it for
    /// position-independent files whose segments lie in order.
    pub module_offset: Option<u64>,
    /// Where in the source, from debug information.
    pub location: Option<SourceLine>,
    /// The compiler put this function into the next frame's.
    pub inlined: bool,
}

impl UserFrame {
    pub(super) fn unknown(address: u64, module: Option<Name>, module_offset: Option<u64>) -> Self {
        Self {
            address,
            name: None,
            offset: None,
            module,
            module_offset,
            location: None,
            inlined: false,
        }
    }
}

impl fmt::Display for UserFrame {
    /// `function+0xoffset [module] (file:line)`, as much of it as is known; without a function
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
