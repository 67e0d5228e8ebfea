//! The table of the kernel's functions: about 35 bytes a function, to keep the tracer small.
//!
//! Addresses are kept as 32-bit distances from a base below the first symbol: vmlinux, its modules
//! and generated code lie within 2 GiB of each other. Names are stored one after the other in the
//! order of the file, in which each module's symbols are together, so the position of a symbol's
//! name tells its module.

use std::cell::Cell;
use std::fs::File;
use std::io::BufRead;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::alias::{is_end, rank};
use super::stack::Roles;
use crate::{
    arch::CODE_REACH,
    kernel::symbols::{SymbolsError, kallsyms},
};

// All other code can lie below the first symbol, so the base is this far below it.
const _: () = assert!(2 * CODE_REACH <= 1 << 32);

/// The last function of a module or of vmlinux is taken to be at most this long, in bytes.
const LAST_FUNCTION: u64 = 8 << 10;
/// The longest function of all.
const LONGEST_FUNCTION: u64 = 1 << 20;
/// How long to wait before the file is first read again for an address that no symbol covers;
/// doubled each time.
const FIRST_REFRESH: Duration = Duration::from_secs(1);
/// The longest such wait.
const LONGEST_REFRESH: Duration = Duration::from_secs(300);
/// How many functions a large kernel has, and how long their names are with the closing NUL: this
/// much room is reserved.
const TYPICAL_FUNCTIONS: usize = 150_000;
const TYPICAL_NAME: usize = 24;

/// A place in the kernel's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelFrame<'a> {
    /// The function, as `/proc/kallsyms` names it.
    pub name: &'a str,
    /// The module, `bpf` for programs, or nothing for vmlinux.
    pub module: Option<&'a str>,
    /// Bytes from the function's start.
    pub offset: u64,
}

impl std::fmt::Display for KernelFrame<'_> {
    /// `function+0xoffset`, and `[module]` if there is one.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}+0x{:x}", self.name, self.offset)?;
        match self.module {
            Some(module) => write!(f, " [{module}]"),
            None => Ok(()),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Function {
    /// The distance of its first byte from the base.
    start: u32,
    /// Where its name begins; a NUL ends it.
    name: u32,
}

/// The kernel's functions by address.
#[derive(Debug)]
pub struct KernelSymbols {
    /// Kept open for [`refresh`](Self::refresh).
    file: Option<File>,
    base: u64,
    /// By address.
    functions: Vec<Function>,
    names: String,
    /// Where the names of a module's functions begin, and its own name.
    modules: Vec<(u32, String)>,
    /// A cache of what the addresses in stacks are part of.
    pub(super) roles: Roles,
    /// Whether an address that nothing covers was asked for since the file was last read.
    pub(super) missed: Cell<bool>,
    /// When the file was read.
    read: Instant,
    /// How long after that it may be read again.
    patience: Duration,
}

/// The kernel's symbols, opened and not yet read.
#[derive(Debug)]
pub struct UnreadSymbols(File);

impl UnreadSymbols {
    /// Reads all functions, as [`KernelSymbols::load`] does.
    ///
    /// # Errors
    ///
    /// When the symbols cannot be read or their addresses are hidden.
    pub fn load(self) -> Result<KernelSymbols, SymbolsError> {
        let Self(file) = self;
        let mut table = KernelSymbols::empty();
        table.read(kallsyms::rewound(&file)?)?;
        table.file = Some(file);
        Ok(table)
    }
}

impl KernelSymbols {
    /// Reads all functions of the running kernel: about 100 ms, and 2 to 4 MB kept.
    ///
    /// # Errors
    ///
    /// When the symbols cannot be read or their addresses are hidden.
    pub fn load() -> Result<Self, SymbolsError> {
        Self::open()?.load()
    }

    /// Opens them, to be read later, by when this process may have given up its privileges.
    ///
    /// # Errors
    ///
    /// When the symbols cannot be opened.
    pub fn open() -> Result<UnreadSymbols, SymbolsError> {
        Ok(UnreadSymbols(kallsyms::open()?))
    }

    pub(super) fn empty() -> Self {
        Self {
            file: None,
            base: 0,
            functions: Vec::new(),
            names: String::new(),
            modules: Vec::new(),
            roles: Roles::new(),
            missed: Cell::new(false),
            read: Instant::now(),
            patience: FIRST_REFRESH,
        }
    }

    /// Adds the symbols in the file; those of vmlinux only if nothing is known yet.
    pub(super) fn read(&mut self, reader: impl BufRead) -> Result<(), SymbolsError> {
        let vmlinux_known = !self.functions.is_empty();
        // Memory that is never touched is never resident; growing step by step would copy and touch
        // everything twice.
        self.functions.reserve(TYPICAL_FUNCTIONS);
        self.names.reserve(TYPICAL_FUNCTIONS * TYPICAL_NAME);
        let mut last_global = false;
        let (functions, names, modules) = (&mut self.functions, &mut self.names, &mut self.modules);
        let mut base = vmlinux_known.then_some(self.base);
        kallsyms::each_text_symbol(reader, |symbol| {
            let skipped = (vmlinux_known && symbol.module.is_none())
                // Padding in front of a function; no return address points into it.
                || symbol.name.starts_with("__pfx_")
                || symbol.name.starts_with("__cfi_");
            let base = *base.get_or_insert(symbol.address.saturating_sub(CODE_REACH));
            let start = u32::try_from(symbol.address.wrapping_sub(base));
            let (false, Ok(start), Ok(mut place)) = (skipped, start, u32::try_from(names.len()))
            else {
                return ControlFlow::Continue(());
            };
            if let Some(&last) = functions.last()
                && last.start == start
            {
                // An alias of the symbol before: the better name stays.
                let other = &names[last.name as usize..names.len() - 1];
                if rank(symbol.name, symbol.global) >= rank(other, last_global) {
                    return ControlFlow::Continue(());
                }
                place = last.name;
                names.truncate(place as usize);
                functions.pop();
            }
            if symbol.module != modules.last().map(|(_, module)| module.as_str()) {
                modules.push((place, symbol.module.unwrap_or_default().to_owned()));
            }
            last_global = symbol.global;
            functions.push(Function { start, name: place });
            names.push_str(symbol.name);
            names.push('\0');
            ControlFlow::Continue(())
        })?;
        self.base = base.unwrap_or_default();
        // A stable sort, so that the first of several aliases in a module stays first.
        self.functions.sort_by_key(|function| function.start);
        self.functions.dedup_by_key(|function| function.start);
        self.functions.shrink_to_fit();
        self.names.shrink_to_fit();
        Ok(())
    }

    /// How many functions are known.
    pub fn len(&self) -> usize {
        self.functions.len()
    }

    /// No function is known.
    pub fn is_empty(&self) -> bool {
        self.functions.is_empty()
    }

    /// The bytes that the table takes.
    pub fn memory(&self) -> usize {
        self.functions.capacity() * size_of::<Function>()
            + self.names.capacity()
            + self.roles.memory()
    }

    /// The function that contains exactly this address.
    pub fn lookup(&self, address: u64) -> Option<KernelFrame<'_>> {
        let index = self.index(address)?;
        Some(self.frame(index, address))
    }

    /// Whether an address that no symbol covers was asked for, and the file has not been read
    /// recently: a module or a program may have been loaded since.
    ///
    /// Code that never gets a symbol (programs, if net.core.bpf_jit_kallsyms is 0) makes this true
    /// less and less often.
    pub fn wants_refresh(&self) -> bool {
        self.missed.get() && self.read.elapsed() >= self.patience
    }

    /// Reads the modules' and programs' symbols again, which takes nearly as long as
    /// [`load`](Self::load). Works after privileges are dropped.
    ///
    /// # Errors
    ///
    /// When the file cannot be read; functions of vmlinux are known nevertheless.
    pub fn refresh(&mut self) -> Result<(), SymbolsError> {
        self.missed.set(false);
        self.read = Instant::now();
        self.patience = LONGEST_REFRESH.min(self.patience * 2);
        self.roles.clear();
        if let Some((vmlinux, _)) = self.modules.first() {
            self.functions.retain(|function| function.name < *vmlinux);
            self.names.truncate(*vmlinux as usize);
            self.modules.clear();
        }
        let Some(file) = self.file.take() else {
            return Ok(());
        };
        let result = kallsyms::rewound(&file)
            .map_err(SymbolsError::from)
            .and_then(|reader| self.read(reader));
        self.file = Some(file);
        result
    }

    pub(super) fn index(&self, address: u64) -> Option<usize> {
        let index = self.covering(address);
        if index.is_none() {
            self.missed.set(true);
        }
        index
    }

    /// The function around an address, if one extends that far.
    fn covering(&self, address: u64) -> Option<usize> {
        let distance = u32::try_from(address.checked_sub(self.base)?).ok()?;
        let index = self
            .functions
            .partition_point(|function| function.start <= distance)
            .checked_sub(1)?;
        if is_end(self.name(index)) {
            return None;
        }
        let ends_here = self.functions.get(index + 1).is_none_or(|next| {
            self.module_index(next.name) != self.module_index(self.functions[index].name)
        });
        let offset = u64::from(distance - self.functions[index].start);
        let limit = if ends_here {
            LAST_FUNCTION
        } else {
            LONGEST_FUNCTION
        };
        (offset < limit).then_some(index)
    }

    pub(super) fn frame(&self, index: usize, address: u64) -> KernelFrame<'_> {
        let function = self.functions[index];
        let module = self
            .module_index(function.name)
            .map(|module| self.modules[module].1.as_str())
            .filter(|module| !module.is_empty());
        KernelFrame {
            name: self.name(index),
            module,
            offset: address - self.base - u64::from(function.start),
        }
    }

    pub(super) fn name(&self, index: usize) -> &str {
        let rest = &self.names[self.functions[index].name as usize..];
        rest.split('\0').next().unwrap_or(rest)
    }

    /// Which module's names lie around this place; `None` in vmlinux.
    fn module_index(&self, name: u32) -> Option<usize> {
        self.modules
            .partition_point(|(start, _)| *start <= name)
            .checked_sub(1)
    }
}
