//! Programs that list processes: ps, top, pgrep.
//!
//! They open files of each process (ps opens /proc/PID/environ, though it shows none of it unless told
//! to) and leave out what they may not open. Where it was granted, that does not show. What shows is
//! that the same process read /proc/PID/stat of others, which is how processes are listed.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Class, Finding, Rule, Ruling, Why};
use crate::atlas::Place;
use crate::profile::observation::{Case, Observation};

/// The processes that list others.
pub(super) struct Lists<'a>(HashSet<(&'a Arc<str>, Option<u32>)>);

impl<'a> Lists<'a> {
    /// Finds them.
    pub fn new(observations: &'a [Observation]) -> Self {
        let cases = observations.iter().map(|each| &each.case);
        let read = cases.filter(|case| case.place.as_ref().is_some_and(Place::reads_stat));
        Self(read.map(|case| (&case.program, case.pid)).collect())
    }

    /// Whether one of them opened a file of another process.
    pub fn opened(&self, case: &'a Case) -> bool {
        let opens = case.of_process || case.place.as_ref().is_some_and(Place::opens_process);
        opens && case.facts.is_granted_by_bit() && self.0.contains(&(&case.program, case.pid))
    }
}

/// The ruling on such a check.
pub(super) fn ruling(case: &Case) -> Ruling {
    let why = Why::from("granted ").origin(case).text(
        ", to open a file in /proc/PID of another user's process. The program lists processes, and \
         such programs mostly leave out what they may not open; whether this one does cannot be \
         seen: try without",
    );
    Finding::unsure(Class::CouldNotTell, Rule::Listing, why)
}

#[cfg(test)]
mod tests {
    use super::super::{judge, split};
    use super::*;
    use crate::atlas::{Atlas, Version};
    use crate::capability::Capability;
    use crate::profile::observation::tests::{granted, once};

    /// A granted check under a function of /proc, in Linux 6.1.
    fn under(function: &str, syscall: &'static str) -> Case {
        let mut case = granted(Capability::SYS_PTRACE, "__ptrace_may_access", syscall);
        let stack = ["__ptrace_may_access", "ptrace_may_access", function];
        let kernel = Version::parse("6.1").ok();
        case.place = Atlas::place(Capability::SYS_PTRACE, kernel, stack.into_iter());
        case
    }

    fn classes(cases: impl IntoIterator<Item = Case>) -> Vec<(Capability, Class)> {
        let parts = split(&once(cases));
        let class = |part| match judge(part) {
            Ruling::Counts(finding) => (part.observation.case.facts.capability, finding.class),
            Ruling::LeftOut { .. } => panic!("left out: {part:?}"),
        };
        parts.iter().map(class).collect()
    }

    #[test]
    fn what_a_program_that_lists_processes_opens_is_not_known_to_be_needed() {
        let opened = under("environ_open", "openat");
        let mut mode = granted(Capability::DAC_READ_SEARCH, "generic_permission", "openat");
        mode.of_process = true;
        assert_eq!(
            classes([under("do_task_stat", "read"), opened, mode]),
            [
                (Capability::SYS_PTRACE, Class::Advisory),
                (Capability::SYS_PTRACE, Class::CouldNotTell),
                (Capability::DAC_READ_SEARCH, Class::CouldNotTell),
            ]
        );
    }

    #[test]
    fn what_another_program_opens_is_a_need() {
        let opened = under("environ_open", "openat");
        assert_eq!(classes([opened.clone()])[0].1, Class::Needed);
        let mut listing = under("do_task_stat", "read");
        listing.pid = Some(8);
        assert_eq!(classes([listing, opened])[1].1, Class::Needed);
        let file = granted(Capability::DAC_READ_SEARCH, "generic_permission", "openat");
        let listing = under("do_task_stat", "read");
        assert_eq!(classes([listing, file])[1].1, Class::Needed);
    }
}
