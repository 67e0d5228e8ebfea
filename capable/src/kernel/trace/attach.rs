//! Attaching the programs of a hook, and what the kernel says they missed.

use std::{
    ffi::CStr,
    io,
    os::fd::{AsFd as _, OwnedFd},
};

use thiserror::Error;

use crate::kernel::{
    bpf::{
        info,
        object::{Loaded, Object, ObjectError},
        perf, sys,
    },
    btf::offsets::Layout,
    hook::{Caller, Hook},
};

/// A hook could not be attached.
#[derive(Debug, Error)]
pub enum AttachError {
    /// Its program could not be loaded.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The kernel refused to attach it.
    #[error("cannot attach the {what}: {error}{hint}")]
    Refused {
        /// The hook and its function.
        what: String,
        /// What the kernel answered.
        error: io::Error,
        /// What to do about it.
        hint: &'static str,
    },
    /// The kernel's BTF does not have what the hook attaches to.
    #[error("cannot attach the {0}: this kernel's BTF does not have it")]
    NotInBtf(&'static str),
}

/// The second half of the pair of probes. If the kernel skips a return, its entry stays without
/// one, and the kernel side counts that. The kernel's own count would count the same checks again.
const PAIR_RETURN: &str = "check_return";

/// Programs at work. Dropping them ends the trace.
#[derive(Default)]
pub struct Attached {
    programs: Vec<Loaded>,
    links: Vec<OwnedFd>,
}

/// Checks that the kernel skipped without running the hook's program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missed {
    /// How many checks were skipped, as far as the kernel counts them.
    pub checks: u64,
    /// Returns of system calls, of any process: no check is missing, only the outcome of denied
    /// ones.
    pub outcomes: u64,
    /// This kernel does not count some of them.
    pub uncounted: bool,
}

/// The program that tells how system calls ended. On 7.3, but not on 6.18, the kernel skips it on a
/// busy machine: 90,000 times in 3 s with three busy processes. Tracepoints there are protected by
/// SRCU, and no longer by disabling preemption (include/linux/tracepoint.h), so a task can be
/// preempted in a program, which is then skipped for all other tasks on that processor until the
/// first one runs again.
const OUTCOMES: &str = "syscall_exit";

/// What a kprobe needs, for when the kernel refuses it.
fn kprobe_hint(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EACCES | libc::EPERM) => {
            "; perf events may be restricted: kernel.perf_event_paranoid of 3 or more requires \
             CAP_SYS_ADMIN, and lockdown=confidentiality refuses kprobes"
        }
        Some(libc::ENOENT) => "; this kernel has no such function, or no kprobes (CONFIG_KPROBES)",
        _ => "",
    }
}

/// The programs that take a caller's place: for a kprobe, and for fentry.
const fn programs(caller: Caller) -> (&'static str, &'static str) {
    match caller {
        Caller::Overcommit => ("memory_entry", "memory_call"),
        Caller::Capset => ("capset_entry", "capset_call"),
        Caller::Prctl => ("prctl_entry", "prctl_call"),
        Caller::LowMapping => ("mmap_entry", "mmap_call"),
    }
}

impl Attached {
    /// Loads the programs of a hook and attaches them to `cap_capable`.
    pub fn checks(
        &mut self,
        object: &mut Object,
        hook: Hook,
        layout: &Layout,
    ) -> Result<(), AttachError> {
        match hook {
            Hook::Kprobe => self.kprobe(object, "check_entry", "cap_capable", false)?,
            Hook::KprobePair => {
                self.kprobe(object, PAIR_RETURN, "cap_capable", true)?;
                self.entry_of_pair(object)?;
            }
            Hook::Fexit => {
                let id = layout
                    .function
                    .ok_or(AttachError::NotInBtf("fexit on cap_capable"))?;
                self.tracing(object, "check_exit", "fexit on cap_capable", id)?;
            }
            Hook::Tracepoint => {
                let id = layout
                    .tracepoint
                    .ok_or(AttachError::NotInBtf("tracepoint cap_capable"))?;
                self.tracing(object, "check_traced", "tracepoint cap_capable", id)?;
            }
        }
        Ok(())
    }

    /// Attaches the first half of the pair of probes, which sees the tracer's own checks.
    pub fn entry_of_pair(&mut self, object: &mut Object) -> Result<(), AttachError> {
        self.kprobe(object, "check_paired", "cap_capable", false)
    }

    /// Attaches to a function into which `cap_capable` is inlined.
    pub fn caller(
        &mut self,
        object: &mut Object,
        hook: Hook,
        caller: Caller,
        layout: &Layout,
    ) -> Result<(), AttachError> {
        let (entry, call) = programs(caller);
        match hook {
            Hook::Kprobe | Hook::KprobePair => self.kprobe(object, entry, caller.function(), false),
            Hook::Fexit | Hook::Tracepoint => {
                let id = layout.callers[caller as usize]
                    .ok_or(AttachError::NotInBtf(caller.function()))?;
                self.tracing(object, call, caller.function(), id)
            }
        }
    }

    /// Attaches the programs that follow processes from their fork to their end.
    pub fn follow(&mut self, object: &mut Object) -> Result<(), AttachError> {
        self.raw(object, "process_free", c"sched_process_free")?;
        self.raw(object, "process_exec", c"sched_process_exec")?;
        self.raw(object, "process_fork", c"sched_process_fork")
    }

    /// Attaches the programs that follow cgroups by name.
    pub fn cgroups(&mut self, object: &mut Object) -> Result<(), AttachError> {
        self.raw(object, "cgroup_removed", c"cgroup_rmdir")?;
        self.raw(object, "cgroup_made", c"cgroup_mkdir")
    }

    /// Attaches the program that tells how system calls ended.
    pub fn outcomes(&mut self, object: &mut Object) -> Result<(), AttachError> {
        self.raw(object, OUTCOMES, c"sys_exit")
    }

    fn kprobe(
        &mut self,
        object: &mut Object,
        program: &'static str,
        function: &'static str,
        at_return: bool,
    ) -> Result<(), AttachError> {
        let loaded = object.load(program, 0)?;
        let link = perf::open_kprobe(function, at_return)
            .and_then(|probe| perf::attach_kprobe(loaded.program.as_fd(), probe))
            .map_err(|error| AttachError::Refused {
                what: format!(
                    "{} on {function}",
                    if at_return { "kretprobe" } else { "kprobe" }
                ),
                hint: kprobe_hint(&error),
                error,
            })?;
        self.keep(loaded, link);
        Ok(())
    }

    fn tracing(
        &mut self,
        object: &mut Object,
        program: &'static str,
        what: &'static str,
        btf_id: u32,
    ) -> Result<(), AttachError> {
        let loaded = object.load(program, btf_id)?;
        let link = sys::open_raw_tracepoint(None, loaded.program.as_fd()).map_err(|error| {
            AttachError::Refused {
                what: what.to_owned(),
                error,
                hint: "",
            }
        })?;
        self.keep(loaded, link);
        Ok(())
    }

    fn raw(
        &mut self,
        object: &mut Object,
        program: &'static str,
        tracepoint: &CStr,
    ) -> Result<(), AttachError> {
        let loaded = object.load(program, 0)?;
        let link = sys::open_raw_tracepoint(Some(tracepoint), loaded.program.as_fd()).map_err(
            |error| AttachError::Refused {
                what: format!("tracepoint {}", tracepoint.to_string_lossy()),
                error,
                hint: "",
            },
        )?;
        self.keep(loaded, link);
        Ok(())
    }

    fn keep(&mut self, program: Loaded, link: OwnedFd) {
        self.programs.push(program);
        self.links.push(link);
    }

    /// Detaches the hooks, the latest first, so that a check between the two probes of a pair still
    /// finds its return.
    pub fn detach(&mut self) {
        while let Some(link) = self.links.pop() {
            drop(link);
        }
        self.programs.clear();
    }

    /// The kernel's id of one of the programs.
    pub(super) fn program_id(&self) -> Option<u32> {
        let Loaded { name: _, program } = self.programs.first()?;
        info::program_id(program.as_fd()).ok()
    }

    /// What the kernel skipped so far: a program that was already running on that processor, and a
    /// probe that was missed.
    pub fn missed(&self) -> Missed {
        let mut missed = Missed::default();
        for (Loaded { name, program }, link) in self.programs.iter().zip(&self.links) {
            if *name == PAIR_RETURN {
                continue;
            }
            match info::recursion_misses(program.as_fd()) {
                Ok(Some(count)) if *name == OUTCOMES => missed.outcomes += count,
                Ok(Some(count)) => missed.checks += count,
                Ok(None) => missed.uncounted = true,
                Err(error) => {
                    log::debug!("cannot read what {name} missed: {error}");
                    missed.uncounted = true;
                }
            }
            missed.checks += info::link_misses(link.as_fd()).unwrap_or(0);
        }
        missed
    }
}
