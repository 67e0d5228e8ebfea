//! An object as it was built, before the kernel has seen any of it.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ffi::CString,
    mem,
    os::fd::RawFd,
};

use aya_obj::{
    ProgramSection,
    generated::{bpf_attach_type, bpf_insn, bpf_prog_type},
};
use capable_common::Config;

use super::ObjectError;
use crate::kernel::hook::Transport;

static RING: &[u8] = aya::include_bytes_aligned!(env!("CAPABLE_RING_OBJECT"));
static PERF: &[u8] = aya::include_bytes_aligned!(env!("CAPABLE_PERF_OBJECT"));

/// A transport's object, with its globals set.
pub struct Image {
    /// What is not a program. The functions are those that programs call.
    object: aya_obj::Object,
    /// The programs and their own instructions, by name.
    programs: HashMap<String, (aya_obj::Program, aya_obj::Function)>,
    /// The sections that hold instructions.
    sections: HashSet<usize>,
    /// The maps: name, descriptor and description.
    maps: Vec<(String, RawFd, aya_obj::Map)>,
}

/// A program, ready to be loaded.
pub struct Built {
    /// Its kind: a `bpf_prog_type`.
    pub kind: u32,
    /// What it is attached to, if the kind does not tell: a `bpf_attach_type`.
    pub attach_type: u32,
    /// Its licence.
    pub license: CString,
    /// Its instructions, and those of the functions that it calls.
    pub instructions: Vec<bpf_insn>,
}

impl Image {
    /// Reads a transport's object and sets its globals.
    pub fn read(transport: Transport, config: &Config, log_level: u8) -> Result<Self, ObjectError> {
        let bytes = match transport {
            Transport::Ring => RING,
            Transport::Perf => PERF,
        };
        let mut object = aya_obj::Object::parse(bytes).map_err(ObjectError::damaged)?;
        let globals = HashMap::from([
            ("CONFIG", (bytes_of(config), true)),
            ("AYA_LOG_LEVEL", (std::slice::from_ref(&log_level), false)),
        ]);
        object
            .patch_map_data(globals)
            .map_err(ObjectError::damaged)?;
        let sections = object.functions.keys().map(|&(section, _)| section);
        let sections = sections.collect();
        let mut programs = HashMap::new();
        for (name, program) in mem::take(&mut object.programs) {
            let function = object.functions.remove(&program.function_key());
            let function = function.ok_or_else(|| missing(&name))?;
            programs.insert(name, (program, function));
        }
        Ok(Self {
            object,
            programs,
            sections,
            maps: Vec::new(),
        })
    }

    /// Moves the descriptions of its maps out.
    pub fn take_maps(&mut self) -> impl Iterator<Item = (String, aya_obj::Map)> + '_ {
        self.object.maps.drain()
    }

    /// Says which descriptors the maps have, before any program is taken.
    pub fn set_maps(
        &mut self,
        maps: Vec<(String, RawFd, aya_obj::Map)>,
    ) -> Result<(), ObjectError> {
        self.maps = maps;
        self.relocate_maps()
    }

    /// Inserts the descriptors of the maps into the functions that the object holds now.
    fn relocate_maps(&mut self) -> Result<(), ObjectError> {
        let maps = self.maps.iter();
        let maps = maps.map(|(name, descriptor, map)| (name.as_str(), *descriptor, map));
        self.object
            .relocate_maps(maps, &self.sections)
            .map_err(ObjectError::damaged)
    }

    /// The names of its programs.
    #[cfg(test)]
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.programs.keys().map(String::as_str)
    }

    /// Takes a program out, linked with the maps and with the functions that it calls.
    ///
    /// A run needs one or a few of the programs, and linking all of them took 9 million
    /// instructions.
    pub fn take_program(&mut self, name: &str) -> Result<Built, ObjectError> {
        let taken = self.programs.remove_entry(name);
        let (name, (program, function)) = taken.ok_or_else(|| missing(name))?;
        let (kind, attach_type) = kind(&program.section)
            .ok_or_else(|| ObjectError::Damaged(format!("{name} is of an unknown kind")))?;
        let license = program.license.clone();
        let key = program.function_key();
        // The other functions have their descriptors already.
        let own = BTreeMap::from([(key, function)]);
        let mut others = mem::replace(&mut self.object.functions, own);
        self.relocate_maps()?;
        self.object.functions.append(&mut others);
        self.object.programs = HashMap::from([(name.clone(), program)]);
        self.object
            .relocate_calls(&self.sections)
            .map_err(ObjectError::damaged)?;
        let function = self.object.functions.remove(&key);
        Ok(Built {
            kind: kind as u32,
            attach_type,
            license,
            instructions: function.ok_or_else(|| missing(&name))?.instructions,
        })
    }
}

fn missing(program: &str) -> ObjectError {
    ObjectError::Damaged(format!("it has no program {program}"))
}

/// A program's kind, and its attach type if it needs one.
fn kind(section: &ProgramSection) -> Option<(bpf_prog_type, u32)> {
    Some(match section {
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
        _ => return None,
    })
}

fn bytes_of(config: &Config) -> &[u8] {
    // SAFETY: the configuration has no padding (a test in capable-common checks this), so all of
    // its bytes are initialised.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(config).cast(), size_of::<Config>()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Instructions of each program, with the ring buffer and with perf buffers, before the
    /// verifier removes what a run does not need.
    const INSTRUCTIONS: [(&str, usize, usize); 19] = [
        ("capset_call", 2834, 2817),
        ("capset_entry", 2834, 2817),
        ("cgroup_made", 610, 600),
        ("cgroup_removed", 68, 68),
        ("check_entry", 3186, 3169),
        ("check_exit", 3504, 3128),
        ("check_paired", 139, 139),
        ("check_return", 3504, 3120),
        ("check_traced", 3587, 3197),
        ("memory_call", 2940, 2923),
        ("memory_entry", 2940, 2923),
        ("mmap_call", 2896, 2881),
        ("mmap_entry", 2896, 2881),
        ("prctl_call", 2928, 2913),
        ("prctl_entry", 2928, 2913),
        ("process_exec", 231, 217),
        ("process_fork", 309, 276),
        ("process_free", 214, 204),
        ("syscall_exit", 1385, 1415),
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

    /// Each instruction makes every check slower for every user, so growth must be accepted here on
    /// purpose.
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
