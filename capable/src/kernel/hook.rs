//! The hooks that can see checks, the transports for records, and the functions that can hide
//! checks from a hook. [`super::plan`] decides whether they work here and which to use.

use std::fmt;

/// How checks are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Hook {
    /// A kprobe on cap_capable, which works out the result itself
    Kprobe,
    /// A kprobe on cap_capable for the arguments, with a kretprobe for the result
    #[cfg_attr(feature = "cli", value(name = "kretprobe"))]
    KprobePair,
    /// A BPF program that runs when cap_capable returns
    Fexit,
    /// The tracepoint capability:cap_capable (Linux 6.14 and later)
    Tracepoint,
}

impl Hook {
    /// All of them, the most complete first.
    pub const ALL: [Self; 4] = [
        Self::Kprobe,
        Self::Fexit,
        Self::Tracepoint,
        Self::KprobePair,
    ];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kprobe => "kprobe",
            Self::KprobePair => "kretprobe",
            Self::Fexit => "fexit",
            Self::Tracepoint => "tracepoint",
        }
    }

    /// What it is attached to, as a user reads it.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Kprobe => "kprobe on cap_capable",
            Self::KprobePair => "kprobe and kretprobe on cap_capable",
            Self::Fexit => "fexit on cap_capable",
            Self::Tracepoint => "tracepoint capability:cap_capable",
        }
    }

    /// What it may not see. Everything except the first kind is counted and shown as lost.
    pub const fn may_miss(self) -> &'static [&'static str] {
        const SKIPPED: &str = "checks made while its eBPF program already runs on the same processor (counted as \
             lost)";
        match self {
            Self::Kprobe => &[],
            Self::KprobePair => &[
                "checks for setting the securebits, if the compiler inlined them (a note says so \
                 at the start)",
                "results, if more checks are in progress at once than the kretprobe has room for \
                 (counted as lost)",
            ],
            // The tracepoint is in the body of `cap_capable`, and is inlined with it.
            Self::Fexit | Self::Tracepoint => &[SKIPPED],
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How records reach user space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Transport {
    /// The BPF ring buffer, shared by all processors (Linux 5.8 and later)
    Ring,
    /// One perf buffer per processor
    Perf,
}

impl Transport {
    /// Both, the cheaper first.
    pub const ALL: [Self; 2] = [Self::Ring, Self::Perf];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ring => "ring",
            Self::Perf => "perf",
        }
    }

    /// What it is, as a user reads it.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Ring => "BPF ring buffer",
            Self::Perf => "perf buffers",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A function into which compilers may inline `cap_capable`. Only functions in the same file
/// qualify (security/commoncap.c, the same four from 5.10 to 7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Asks before memory is promised: every private writable mapping (mm/mmap.c).
    Overcommit,
    /// Asks whether capset(2) may add to the inheritable set.
    Capset,
    /// Asks whether prctl(2) may set the securebits.
    Prctl,
    /// Asks whether mmap(2) may map below `vm.mmap_min_addr`.
    LowMapping,
}

impl Caller {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Overcommit,
        Self::Capset,
        Self::Prctl,
        Self::LowMapping,
    ];

    /// Its name in the kernel.
    pub const fn function(self) -> &'static str {
        match self {
            Self::Overcommit => "cap_vm_enough_memory",
            Self::Capset => "cap_capset",
            Self::Prctl => "cap_task_prctl",
            Self::LowMapping => "cap_mmap_addr",
        }
    }

    /// What it asks for, in words.
    pub const fn purpose(self) -> &'static str {
        match self {
            Self::Overcommit => "memory overcommit (CAP_SYS_ADMIN)",
            Self::Capset => "capset(2) (CAP_SETPCAP)",
            Self::Prctl => "setting the securebits (CAP_SETPCAP)",
            Self::LowMapping => "mappings below vm.mmap_min_addr (CAP_SYS_RAWIO)",
        }
    }
}
