//! Why something can be missing from a trace, in words that every command uses.

/// Why something is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// Checks: the buffer between kernel and program was full.
    BufferFull,
    /// Checks: their processor has no perf buffer, because it came online or went offline during
    /// the trace.
    Hotplug,
    /// Checks: the pair of probes missed their return.
    ReturnMissed,
    /// Checks: the kernel skipped the hook.
    HookSkipped,
    /// Checks: there was no room in the table of counts.
    CountsFull,
    /// Processes: there was no room in the table of those that are followed.
    ProcessesFull,
    /// Cgroups: there was no room in the table of those that are followed.
    CgroupsFull,
    /// Forks, executions, exits and results of system calls: the buffer was full.
    StepsBufferFull,
    /// The same: their processor has no perf buffer.
    StepsHotplug,
    /// Whether checks are repeats: there was no room in the table of what was sent.
    UniqueFull,
    /// Stacks: the kernel could not capture them.
    StackFailed,
    /// Results of system calls: the kernel skipped their end.
    OutcomeSkipped,
    /// Checks that may or may not be audited, where audited ones were asked for.
    AuditUnknown,
    /// How many checks are missing: this kernel does not count what it skips.
    SkipsUncounted,
}

/// What a loss means for the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossEffect {
    /// Checks, or what leads to them, are missing.
    Missing,
    /// Something about checks that are there is not known.
    Unknown,
}

impl Cause {
    /// What it means for the trace.
    pub fn effect(self) -> LossEffect {
        match self {
            Self::UniqueFull
            | Self::StackFailed
            | Self::OutcomeSkipped
            | Self::AuditUnknown
            | Self::SkipsUncounted => LossEffect::Unknown,
            _ => LossEffect::Missing,
        }
    }

    /// Why, as the end of a sentence.
    pub fn why(self) -> &'static str {
        match self {
            Self::BufferFull => "the buffer was full",
            Self::Hotplug => "their processor came online or went offline, and has no buffer",
            Self::ReturnMissed => "their return was missed",
            Self::HookSkipped => "the kernel skipped the hook, for this or other programs",
            Self::CountsFull => "the table of counts was full",
            Self::ProcessesFull => {
                "the table of processes was full, so that they and their descendants were not \
                 followed"
            }
            Self::CgroupsFull => {
                "the table of cgroups was full, so that what ran in them was not followed"
            }
            Self::StepsBufferFull => {
                "the buffer was full for forks, executions, exits and results of system calls"
            }
            Self::StepsHotplug => {
                "the processor of forks, executions, exits and results of system calls came online \
                 or went offline, and has no buffer"
            }
            Self::UniqueFull => "the table of what was shown was full",
            Self::StackFailed => "the kernel could not capture them",
            Self::OutcomeSkipped => "the kernel skipped them, for any program",
            Self::AuditUnknown => "it is not known whether they are audited",
            Self::SkipsUncounted => "this kernel does not count the checks that it skips",
        }
    }

    /// What a user can do about it, if anything.
    pub fn remedy(self) -> Option<&'static str> {
        match self {
            Self::BufferFull | Self::StepsBufferFull => Some("try --buffer-size"),
            Self::Hotplug | Self::StepsHotplug => {
                Some("start again, or use --transport ring where it works")
            }
            Self::ReturnMissed | Self::HookSkipped => {
                Some("--hook kprobe, where it works, misses the least")
            }
            Self::CountsFull => Some("try --table-size, or a filter"),
            Self::UniqueFull => Some("try a filter"),
            Self::AuditUnknown => Some("-v shows them; CAP_SYSLOG may tell, see capable doctor"),
            Self::CgroupsFull => Some("name a unit with fewer cgroups below it"),
            Self::ProcessesFull
            | Self::StackFailed
            | Self::OutcomeSkipped
            | Self::SkipsUncounted => None,
        }
    }

    /// Whether it loses checks.
    pub(super) fn takes_checks(self) -> bool {
        matches!(
            self,
            Self::BufferFull
                | Self::Hotplug
                | Self::ReturnMissed
                | Self::HookSkipped
                | Self::CountsFull
        )
    }

    /// What is missing, as a singular and a plural.
    pub(super) fn nouns(self) -> (&'static str, &'static str) {
        match self {
            Self::ProcessesFull => ("process", "processes"),
            Self::CgroupsFull => ("cgroup", "cgroups"),
            Self::StepsBufferFull | Self::StepsHotplug => {
                ("step of a process", "steps of processes")
            }
            Self::StackFailed => ("stack", "stacks"),
            Self::OutcomeSkipped => ("result of a system call", "results of system calls"),
            _ => ("check", "checks"),
        }
    }
}
