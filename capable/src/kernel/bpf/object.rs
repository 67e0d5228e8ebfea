//! The eBPF objects: their maps made, their configuration frozen, their programs ready to load.

use std::{
    collections::{HashMap, HashSet},
    io,
    os::fd::{AsFd as _, AsRawFd as _, OwnedFd},
};

use aya::maps::{Map, MapData, MapError};
use aya_obj::{
    EbpfSectionKind, ProgramSection,
    generated::{bpf_attach_type, bpf_prog_type},
};
use capable_common::Config;
use thiserror::Error;

use super::{
    specialise::{Settings, specialise},
    sys,
};
use crate::kernel::hook::Transport;

static RING: &[u8] = aya::include_bytes_aligned!(env!("CAPABLE_RING_OBJECT"));
static PERF: &[u8] = aya::include_bytes_aligned!(env!("CAPABLE_PERF_OBJECT"));

/// The map of the kernel side's own log, in the ring buffer's object.
const LOG: &str = "AYA_LOGS";

/// The map of read-only globals, which holds the configuration.
const SETTINGS: &str = ".rodata";

/// The map of globals that are written while a trace runs: in the ring buffer's object only, which
/// no kernel uses that cannot map it (before 5.5).
const WRITTEN: &str = ".bss";

/// `BPF_F_MMAPABLE` (include/uapi/linux/bpf.h).
const MAPPABLE: u32 = 1 << 10;

/// Room for the verifier's last words.
const VERIFIER_LOG: usize = 1 << 20;

/// An object could not be made ready, or one of its programs not loaded.
#[derive(Debug, Error)]
pub enum ObjectError {
    /// The object is damaged.
    #[error("the eBPF object built into this program cannot be read: {0}")]
    Damaged(String),
    /// A map could not be made.
    #[error("cannot create the eBPF map {name}: {error}{hint}")]
    Map {
        /// The map's name.
        name: String,
        /// What the kernel answered.
        error: io::Error,
        /// What to do about it.
        hint: &'static str,
    },
    /// The kernel refused a program before its verifier looked at it.
    #[error("the kernel refused to load the program {name}: {error}")]
    Refused {
        /// The program's name.
        name: String,
        /// What the kernel answered.
        error: io::Error,
    },
    /// The verifier rejected a program.
    #[error(
        "the kernel's verifier rejected the program {name}: {error}\n  {reason}\n  this is a defect of capable: please report it with the output of `capable doctor`"
    )]
    Rejected {
        /// The program's name.
        name: String,
        /// What the kernel answered.
        error: io::Error,
        /// The line of the verifier's log that says why.
        reason: String,
    },
}

/// Cannot lock memory: what to do.
const MEMORY_HINT: &str = "; before Linux 5.11 maps are charged to the limit on locked memory: \
     raise it (ulimit -l unlimited) or add CAP_SYS_RESOURCE";

/// An object whose maps exist and whose programs can be loaded.
pub struct Object {
    object: aya_obj::Object,
    maps: HashMap<String, Map>,
    /// The descriptor of the map that holds the configuration, and what is frozen in it.
    settings: (i32, Vec<u8>),
}

/// A loaded program.
pub struct Loaded {
    /// The name that errors and counters show.
    pub name: &'static str,
    /// The program.
    pub program: OwnedFd,
}

impl Object {
    /// Makes the maps of a transport's object, with the sizes given for some of them, and freezes
    /// the configuration.
    pub fn open(
        transport: Transport,
        config: &Config,
        sizes: &[(&str, u32)],
        log_level: u8,
    ) -> Result<Self, ObjectError> {
        let bytes = match transport {
            Transport::Ring => RING,
            Transport::Perf => PERF,
        };
        let damaged = |error: &dyn std::fmt::Display| ObjectError::Damaged(error.to_string());
        let mut object = aya_obj::Object::parse(bytes).map_err(|error| damaged(&error))?;
        let globals = HashMap::from([
            ("CONFIG", (bytes_of(config), true)),
            ("AYA_LOG_LEVEL", (std::slice::from_ref(&log_level), false)),
        ]);
        object
            .patch_map_data(globals)
            .map_err(|error| damaged(&error))?;

        let mut maps = Vec::new();
        let mut settings = (-1, Vec::new());
        for (name, mut map) in object.maps.drain() {
            if let Some(&(_, size)) = sizes.iter().find(|(wanted, _)| *wanted == name) {
                map.set_max_entries(size);
            }
            if name == LOG && log_level == 0 {
                map.set_max_entries(4096);
            }
            if name == WRITTEN
                && let aya_obj::Map::Legacy(section) = &mut map
            {
                section.def.map_flags |= MAPPABLE;
            }
            let section = map.section_kind();
            let data = map.data().to_vec();
            let fail = |error| ObjectError::Map {
                name: name.clone(),
                error,
                hint: "",
            };
            let description = map.clone();
            let map = MapData::create(map, &name, None).map_err(|error| map_error(&name, error))?;
            if !data.is_empty() {
                sys::fill_section(map.fd().as_fd(), &data).map_err(fail)?;
            }
            if section == EbpfSectionKind::Rodata {
                sys::freeze(map.fd().as_fd()).map_err(fail)?;
                if name == SETTINGS {
                    settings = (map.fd().as_fd().as_raw_fd(), data);
                }
            }
            maps.push((name, description, map));
        }
        let code: HashSet<usize> = object
            .functions
            .keys()
            .map(|&(section, _)| section)
            .collect();
        object
            .relocate_maps(
                maps.iter().map(|(name, description, map)| {
                    (name.as_str(), map.fd().as_fd().as_raw_fd(), description)
                }),
                &code,
            )
            .map_err(|error| damaged(&error))?;
        object
            .relocate_calls(&code)
            .map_err(|error| damaged(&error))?;
        let maps = maps
            .into_iter()
            .map(|(name, _, map)| Ok((name, Map::from_map_data(map)?)))
            .collect::<Result<_, MapError>>()
            .map_err(|error| damaged(&error))?;
        Ok(Self {
            object,
            maps,
            settings,
        })
    }

    /// Lends a map, to read or write it while it stays the object's: programs that load later
    /// refer to it.
    ///
    /// # Errors
    ///
    /// The object has no such map, or it is of another kind.
    pub fn map<'a, T: TryFrom<&'a mut Map, Error = MapError>>(
        &'a mut self,
        name: &'static str,
    ) -> Result<T, ObjectError> {
        let missing = || ObjectError::Damaged(format!("it has no map {name}"));
        let map = self.maps.get_mut(name).ok_or_else(missing)?;
        T::try_from(map).map_err(|error| ObjectError::Damaged(format!("{name}: {error}")))
    }

    /// Takes a map out, to keep it for longer than the object.
    ///
    /// # Errors
    ///
    /// The object has no such map, or it is of another kind.
    pub fn take_map<T: TryFrom<Map, Error = MapError>>(
        &mut self,
        name: &'static str,
    ) -> Result<T, ObjectError> {
        let missing = || ObjectError::Damaged(format!("it has no map {name}"));
        let map = self.maps.remove(name).ok_or_else(missing)?;
        T::try_from(map).map_err(|error| ObjectError::Damaged(format!("{name}: {error}")))
    }

    /// A second descriptor of a map of counts, for what aya does not do with it.
    pub fn duplicate(&self, name: &'static str) -> Result<OwnedFd, ObjectError> {
        match self.maps.get(name) {
            Some(Map::PerCpuHashMap(map)) => {
                map.fd()
                    .as_fd()
                    .try_clone_to_owned()
                    .map_err(|error| ObjectError::Map {
                        name: name.to_owned(),
                        error,
                        hint: "",
                    })
            }
            _ => Err(ObjectError::Damaged(format!("it has no counts {name}"))),
        }
    }

    /// Loads a program; a tracing program needs the type id, in the kernel's BTF, of what it
    /// traces.
    pub fn load(&self, name: &'static str, btf_id: u32) -> Result<Loaded, ObjectError> {
        let missing = || ObjectError::Damaged(format!("it has no program {name}"));
        let program = self.object.programs.get(name).ok_or_else(missing)?;
        let function = self
            .object
            .functions
            .get(&program.function_key())
            .ok_or_else(missing)?;
        let (kind, attach_type) = match program.section {
            ProgramSection::KProbe | ProgramSection::KRetProbe => {
                (bpf_prog_type::BPF_PROG_TYPE_KPROBE, 0)
            }
            ProgramSection::RawTracePoint => (bpf_prog_type::BPF_PROG_TYPE_RAW_TRACEPOINT, 0),
            ProgramSection::FExit { .. } => (
                bpf_prog_type::BPF_PROG_TYPE_TRACING,
                bpf_attach_type::BPF_TRACE_FEXIT as u32,
            ),
            ProgramSection::FEntry { .. } => (
                bpf_prog_type::BPF_PROG_TYPE_TRACING,
                bpf_attach_type::BPF_TRACE_FENTRY as u32,
            ),
            ProgramSection::BtfTracePoint => (
                bpf_prog_type::BPF_PROG_TYPE_TRACING,
                bpf_attach_type::BPF_TRACE_RAW_TP as u32,
            ),
            _ => {
                return Err(ObjectError::Damaged(format!(
                    "{name} is of an unknown kind"
                )));
            }
        };
        let (map, bytes) = &self.settings;
        let settings = Settings { map: *map, bytes };
        let instructions = specialise(&function.instructions, settings)
            .unwrap_or_else(|_| function.instructions.clone());
        let program = sys::Program {
            kind: kind as u32,
            attach_type,
            attach_btf_id: btf_id,
            name,
            instructions: &instructions,
            license: &program.license,
        };
        match sys::load_program(&program, None) {
            Ok(loaded) => {
                if log::log_enabled!(log::Level::Debug)
                    && let Ok((kept, machine, verified)) = sys::program_size(loaded.as_fd())
                {
                    log::debug!(
                        "loaded {name}: {} instructions, {} specialised, {kept} kept by the \
                         verifier, {machine} bytes of machine code, {verified} verified",
                        function.instructions.len(),
                        instructions.len()
                    );
                }
                Ok(Loaded {
                    name,
                    program: loaded,
                })
            }
            Err(error) => Err(explain(&program, error)),
        }
    }
}

/// Tells a program that the verifier rejected from one that the kernel did not want to look at:
/// the latter leaves no log.
fn explain(program: &sys::Program<'_>, error: io::Error) -> ObjectError {
    let name = program.name.to_owned();
    let mut log = vec![0; VERIFIER_LOG];
    let _rejected_again = sys::load_program(program, Some(&mut log));
    let end = log.iter().position(|&byte| byte == 0).unwrap_or(log.len());
    let log = String::from_utf8_lossy(&log[..end]);
    log::debug!("the verifier on {name}:\n{log}");
    let reason = log.lines().rev().find(|line| {
        !line.is_empty()
            && !line.starts_with("processed ")
            && !line.starts_with("verification time")
    });
    match reason {
        None => ObjectError::Refused { name, error },
        Some(reason) => ObjectError::Rejected {
            name,
            error,
            reason: reason.to_owned(),
        },
    }
}

fn map_error(name: &str, error: MapError) -> ObjectError {
    let (error, hint) = match error {
        MapError::CreateError { io_error, .. } => {
            let hint = if io_error.raw_os_error() == Some(libc::EPERM) {
                MEMORY_HINT
            } else {
                ""
            };
            (io_error, hint)
        }
        other => (io::Error::other(other), ""),
    };
    ObjectError::Map {
        name: name.to_owned(),
        error,
        hint,
    }
}

fn bytes_of(config: &Config) -> &[u8] {
    // SAFETY: the configuration has no padding (a test in capable-common holds that), so all of
    // its bytes are initialised.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(config).cast(), size_of::<Config>()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Instructions of each program, before the verifier removes what a run does not ask for: with
    /// the ring buffer, and with perf buffers.
    const INSTRUCTIONS: [(&str, usize, usize); 17] = [
        ("capset_call", 2369, 2368),
        ("capset_entry", 2369, 2368),
        ("check_entry", 2717, 2707),
        ("check_exit", 2982, 2617),
        ("check_paired", 139, 139),
        ("check_return", 3003, 2591),
        ("check_traced", 3090, 2704),
        ("memory_call", 2452, 2423),
        ("memory_entry", 2452, 2423),
        ("mmap_call", 2450, 2430),
        ("mmap_entry", 2450, 2430),
        ("prctl_call", 2430, 2404),
        ("prctl_entry", 2430, 2404),
        ("process_exec", 161, 146),
        ("process_fork", 540, 193),
        ("process_free", 181, 165),
        ("syscall_exit", 150, 137),
    ];

    fn instructions(bytes: &[u8]) -> Vec<(String, usize)> {
        let object = aya_obj::Object::parse(bytes).unwrap();
        let mut programs: Vec<_> = object
            .programs
            .iter()
            .map(|(name, program)| {
                let function = &object.functions[&program.function_key()];
                (name.clone(), function.instructions.len())
            })
            .collect();
        programs.sort();
        programs
    }

    /// Each instruction costs every check of every user: growth is a decision, made here.
    #[test]
    fn the_programs_have_the_sizes_that_were_decided() {
        let pinned = |ring: bool| -> Vec<(String, usize)> {
            INSTRUCTIONS
                .iter()
                .map(|&(name, with_ring, with_perf)| {
                    (name.to_owned(), if ring { with_ring } else { with_perf })
                })
                .collect()
        };
        assert_eq!(instructions(RING), pinned(true), "ring buffer");
        assert_eq!(instructions(PERF), pinned(false), "perf buffers");
    }
}
