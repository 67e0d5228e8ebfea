//! The scenario: every trigger, by subject.

mod exec;
mod file;
mod identity;
mod ipc;
mod memory;
mod mount;
mod namespace;
mod network;
mod process;
mod system;
mod tracing;

use super::trigger::Trigger;

/// Every trigger, in the order in which they run.
pub fn all() -> impl Iterator<Item = &'static Trigger> {
    [
        file::TRIGGERS,
        process::TRIGGERS,
        identity::TRIGGERS,
        network::TRIGGERS,
        mount::TRIGGERS,
        namespace::TRIGGERS,
        system::TRIGGERS,
        tracing::TRIGGERS,
        ipc::TRIGGERS,
        memory::TRIGGERS,
        exec::TRIGGERS,
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::all;
    use crate::guest::exceptions::IMPOSSIBLE;

    #[test]
    fn every_trigger_has_a_name_of_its_own() {
        let names: BTreeSet<_> = all().map(|trigger| trigger.name).collect();
        assert_eq!(names.len(), all().count());
    }

    #[test]
    fn the_scenario_has_at_least_thirty_triggers() {
        assert!(all().count() >= 30);
    }

    #[test]
    fn every_exception_names_a_trigger() {
        for exception in IMPOSSIBLE {
            assert!(
                all().any(|trigger| trigger.name == exception.trigger),
                "{} is no trigger",
                exception.trigger
            );
        }
    }
}
