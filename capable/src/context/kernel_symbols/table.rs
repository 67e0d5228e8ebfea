//! The table of the kernel's functions: about 35 bytes a function, so that it fits a tracer that
//! stays small.
//!
//! Addresses are kept as 32-bit distances from a base 2 GiB below the first symbol: vmlinux, its
//! modules and generated code lie within 2 GiB of each other, because the kernel's code model
//! demands it (Documentation/arch/x86/x86_64/mm.rst). Names lie one after the other in the order
//! of the file, where each module's symbols stand together: the module of a symbol follows from
//! where its name lies.

use std::cell::Cell;
use std::fs::File;
use std::io::BufRead;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::{SymbolsError, clean_name, is_capability_helper, is_tracer_frame, parse};

/// How far below the first symbol the base lies, and so how far others may lie on either side.
const REACH: u64 = 1 << 31;
/// The last function of a module or of vmlinux is taken to be at most this long, in bytes.
const LAST_FUNCTION: u64 = 8 << 10;
/// The longest function of all.
const LONGEST_FUNCTION: u64 = 1 << 20;
/// How long to wait before the file is read again for an address that no symbol covers, the first
/// time; doubled each time.
const FIRST_REFRESH: Duration = Duration::from_secs(1);
/// How many functions a large kernel has, and how long their names are with the closing NUL: room
/// for that many is asked for.
const TYPICAL_FUNCTIONS: usize = 150_000;
const TYPICAL_NAME: usize = 24;
/// The longest such wait.
const LONGEST_REFRESH: Duration = Duration::from_secs(300);
/// Slots of the cache of return addresses. A power of two.
const CACHE_SLOTS: usize = 1024;

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
    /// `function+0xoffset`, and `[module]` where there is one.
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
    /// Distance of its first byte from the base.
    start: u32,
    /// Where its name begins; a NUL ends it.
    name: u32,
}

/// What a return address is part of, for finding the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Unknown,
    Tracer,
    Helper,
    /// The function that asked: its place in the table.
    Other(u32),
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
    /// Roles of return addresses, each in the slot that its address hashes to.
    cache: Vec<Cell<(u64, Role)>>,
    /// An address was asked for that nothing covers, since the file was last read.
    missed: Cell<bool>,
    /// When the file was read.
    read: Instant,
    /// How long after that it may be read again.
    patience: Duration,
}

impl KernelSymbols {
    /// Reads all functions of the running kernel: about 100 ms, and 2 to 4 MB kept.
    ///
    /// # Errors
    ///
    /// When the symbols cannot be read or their addresses are hidden.
    pub fn load() -> Result<Self, SymbolsError> {
        let file = parse::open()?;
        let mut table = Self::empty();
        table.read(parse::rewound(&file)?)?;
        table.file = Some(file);
        Ok(table)
    }

    fn empty() -> Self {
        Self {
            file: None,
            base: 0,
            functions: Vec::new(),
            names: String::new(),
            modules: Vec::new(),
            cache: vec![Cell::new((0, Role::Unknown)); CACHE_SLOTS],
            missed: Cell::new(false),
            read: Instant::now(),
            patience: FIRST_REFRESH,
        }
    }

    /// Adds what the file holds; vmlinux only where nothing is known yet.
    fn read(&mut self, reader: impl BufRead) -> Result<(), SymbolsError> {
        let vmlinux_known = !self.functions.is_empty();
        // Memory that is never touched is never resident; growing step by step would touch all of
        // it twice.
        self.functions.reserve(TYPICAL_FUNCTIONS);
        self.names.reserve(TYPICAL_FUNCTIONS * TYPICAL_NAME);
        let mut last_global = false;
        let (functions, names, modules) = (&mut self.functions, &mut self.names, &mut self.modules);
        let mut base = vmlinux_known.then_some(self.base);
        parse::each_text_symbol(reader, |symbol| {
            let skipped = (vmlinux_known && symbol.module.is_none())
                // Padding in front of a function; no return address lies in it.
                || symbol.name.starts_with("__pfx_")
                || symbol.name.starts_with("__cfi_");
            let base = *base.get_or_insert(symbol.address.saturating_sub(REACH));
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
        // Stable, so that of aliases in a module the first stays in front.
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
            + self.cache.capacity() * size_of::<Cell<(u64, Role)>>()
    }

    /// The function that contains exactly this address.
    pub fn lookup(&self, address: u64) -> Option<KernelFrame<'_>> {
        let index = self.index(address)?;
        Some(self.frame(index, address))
    }

    /// The function that a frame of a stack is in.
    ///
    /// All but the innermost frame are return addresses, which lie behind the call: where a
    /// function ends with a call that never returns, the address is already the next function's
    /// first, and so the byte before it is looked up (as the kernel's `%pB` does).
    pub fn lookup_frame(&self, frames: &[u64], depth: usize) -> Option<KernelFrame<'_>> {
        let address = *frames.get(depth)?;
        let index = self.index(address.saturating_sub(u64::from(depth != 0)))?;
        Some(self.frame(index, address))
    }

    /// The stack without the frames of the tracer in front of `cap_capable` (or of the function
    /// that it was inlined into).
    pub fn without_tracer<'a>(&self, frames: &'a [u64]) -> &'a [u64] {
        let outside = (0..frames.len())
            .find(|&depth| matches!(self.role(frames, depth), Role::Helper | Role::Other(_)));
        // Generated code has no symbols where net.core.bpf_jit_kallsyms is 0: what lies in front
        // of the first known frame is the tracer's.
        &frames[outside.unwrap_or(0)..]
    }

    /// The function that asked for the capability: the first one past the tracer's frames and the
    /// capability helpers, without what the compiler added to its name.
    ///
    /// The frames begin with the innermost; six or seven are enough.
    pub fn caller(&self, frames: &[u64]) -> Option<&str> {
        let mut helpers = false;
        for depth in 0..frames.len() {
            match self.role(frames, depth) {
                Role::Helper => helpers = true,
                Role::Tracer => {}
                Role::Other(index) => return Some(clean_name(self.name(index as usize))),
                // Past the helpers, an unknown function is the one that asked.
                Role::Unknown if helpers => return None,
                Role::Unknown => {}
            }
        }
        None
    }

    /// The name of the function at an address that the kernel side sent as the caller.
    pub fn caller_at(&self, address: u64) -> Option<&str> {
        self.lookup(address.checked_sub(1)?)
            .map(|frame| clean_name(frame.name))
    }

    /// An address was asked for that no symbol covers, and the file has not been read lately: a
    /// module or a program may have been loaded since.
    ///
    /// Code that never gets a symbol (programs where net.core.bpf_jit_kallsyms is 0) makes this
    /// true less and less often.
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
        self.cache.fill(Cell::new((0, Role::Unknown)));
        if let Some((vmlinux, _)) = self.modules.first() {
            self.functions.retain(|function| function.name < *vmlinux);
            self.names.truncate(*vmlinux as usize);
            self.modules.clear();
        }
        let Some(file) = self.file.take() else {
            return Ok(());
        };
        let result = parse::rewound(&file)
            .map_err(SymbolsError::from)
            .and_then(|reader| self.read(reader));
        self.file = Some(file);
        result
    }

    fn role(&self, frames: &[u64], depth: usize) -> Role {
        let address = frames[depth].saturating_sub(u64::from(depth != 0));
        // Fibonacci hashing: the top bits of the product depend on all bits of the address.
        let slot = address.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - CACHE_SLOTS.ilog2());
        let slot = &self.cache[slot as usize];
        let (cached, role) = slot.get();
        if cached == address {
            return role;
        }
        let role = match self.index(address) {
            None => Role::Unknown,
            Some(index) => {
                let name = clean_name(self.name(index));
                if is_tracer_frame(name) {
                    Role::Tracer
                } else if is_capability_helper(name) {
                    Role::Helper
                } else {
                    // The table has fewer than 2^32 functions: their names' places are 32-bit.
                    Role::Other(index as u32)
                }
            }
        };
        slot.set((address, role));
        role
    }

    fn index(&self, address: u64) -> Option<usize> {
        let index = self.covering(address);
        if index.is_none() {
            self.missed.set(true);
        }
        index
    }

    /// The function around an address, if one reaches so far.
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

    fn frame(&self, index: usize, address: u64) -> KernelFrame<'_> {
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

    fn name(&self, index: usize) -> &str {
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

/// A marker behind a section's last function (include/asm-generic/vmlinux.lds.h).
fn is_end(name: &str) -> bool {
    matches!(name, "_etext" | "_einittext")
}

/// How good a name is among those of one address; the lowest is taken.
fn rank(name: &str, global: bool) -> (bool, u8, bool, usize) {
    // Labels of a section or an array, from linker scripts and assembly.
    let label = matches!(name, "_text" | "_stext" | "_sinittext")
        || name.ends_with("_text_start")
        || name.ends_with("_text_end")
        || name.ends_with("_entries_start")
        || name.ends_with("_thunk_array");
    // The entry for 64-bit system calls stands for those that share its code.
    let kind = if name.starts_with("__x64_sys_") {
        0
    } else if name.starts_with("__ia32_") || name.starts_with("__do_") || name.starts_with("__pi_")
    {
        2
    } else {
        1
    };
    let underscores = name.len() - name.trim_start_matches('_').len();
    (label, kind, !global, underscores)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KERNEL: &str = "\
ffffffff81000000 T _stext
ffffffff81000000 T _text
ffffffff81000100 t __do_sys_getpid
ffffffff81000100 T __ia32_sys_getpid
ffffffff81000100 T __x64_sys_getpid
ffffffff810001f0 t __pfx_cap_capable
ffffffff81000200 T cap_capable
ffffffff81000300 T security_capable
ffffffff81000400 t ns_capable_common.isra.0
ffffffff81000500 T can_nice
ffffffff81000600 T __x64_sys_setpriority
ffffffff81000700 T _etext
ffffffffa0002000 t map_open\t[fake]
ffffffffa0001000 T fake_init\t[fake]
ffffffffa0010000 t bpf_prog_6deef7357e7b4530_check\t[bpf]
ffffffffa0011000 t bpf_trampoline_6442491529\t[bpf]
";

    fn table() -> KernelSymbols {
        let mut table = KernelSymbols::empty();
        table.read(KERNEL.as_bytes()).unwrap();
        table
    }

    fn shown(table: &KernelSymbols, address: u64) -> String {
        table
            .lookup(address)
            .map_or("-".to_owned(), |frame| frame.to_string())
    }

    #[test]
    fn addresses_are_named_by_their_function_and_module() {
        let table = table();
        assert_eq!(shown(&table, 0xffff_ffff_8100_0210), "cap_capable+0x10");
        assert_eq!(shown(&table, 0xffff_ffff_8100_0104), "__x64_sys_getpid+0x4");
        assert_eq!(shown(&table, 0xffff_ffff_a000_1002), "fake_init+0x2 [fake]");
        assert_eq!(shown(&table, 0xffff_ffff_a000_2002), "map_open+0x2 [fake]");
        assert!(!table.missed.get());
    }

    #[test]
    fn an_address_outside_of_all_functions_has_no_name() {
        let table = table();
        for address in [
            0,
            0x40_0000,
            0xffff_ffff_8100_0800,
            0xffff_ffff_a000_9000,
            u64::MAX,
        ] {
            table.missed.set(false);
            assert_eq!(shown(&table, address), "-");
            assert!(table.missed.get(), "{address:x} asks for a refresh");
        }
    }

    #[test]
    fn the_caller_is_the_first_function_past_tracer_and_helpers() {
        let table = table();
        let frames = [
            0xffff_ffff_a001_0020,
            0xffff_ffff_a001_1020,
            0xffff_ffff_8100_0205,
            0xffff_ffff_8100_0320,
            0xffff_ffff_8100_0420,
            0xffff_ffff_8100_0520,
            0xffff_ffff_8100_0620,
        ];
        assert_eq!(table.caller(&frames), Some("can_nice"));
        assert_eq!(table.caller(&frames), Some("can_nice"), "from the cache");
        assert_eq!(table.without_tracer(&frames), &frames[2..]);
        // Without symbols for programs.
        let hidden = [
            0xffff_ffff_a0f0_0000,
            0xffff_ffff_8100_0205,
            0xffff_ffff_8100_0520,
        ];
        assert_eq!(table.caller(&hidden), Some("can_nice"));
        assert_eq!(table.without_tracer(&hidden), &hidden[1..]);
        // A function of a module that is not known asked.
        let unknown = [
            0xffff_ffff_8100_0205,
            0xffff_ffff_a0f0_0000,
            0xffff_ffff_8100_0620,
        ];
        assert_eq!(table.caller(&unknown), None);
        assert_eq!(table.caller(&[]), None);
    }

    #[test]
    fn a_return_address_behind_a_last_call_belongs_to_the_function_that_called() {
        let table = table();
        let frames = [0xffff_ffff_8100_0200, 0xffff_ffff_8100_0600];
        assert_eq!(
            table.lookup_frame(&frames, 0).unwrap().to_string(),
            "cap_capable+0x0"
        );
        assert_eq!(
            table.lookup_frame(&frames, 1).unwrap().to_string(),
            "can_nice+0x100"
        );
        assert_eq!(table.caller(&frames), Some("can_nice"));
    }

    #[test]
    fn the_running_kernel_fits_in_five_megabytes_and_can_be_read_again() {
        let mut table = match KernelSymbols::load() {
            Ok(table) => table,
            Err(error) => {
                assert!(matches!(error, SymbolsError::Hidden { .. }), "{error}");
                return;
            }
        };
        assert!(table.memory() < 5 << 20, "{} bytes", table.memory());
        let range = parse::find(&["cap_capable"]).unwrap()[0].unwrap();
        assert_eq!(shown(&table, range.start + 1), "cap_capable+0x1");
        let before = table.len();
        table.refresh().unwrap();
        assert_eq!(
            shown(&table, range.end - 1).split('+').next(),
            Some("cap_capable")
        );
        assert!(
            table.len().abs_diff(before) < 2000,
            "{before} then {}",
            table.len()
        );
    }
}
