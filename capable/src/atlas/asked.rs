//! The capabilities of a line.

use super::line::Line;
use crate::capability::Capability;

impl Line {
    /// The capabilities that would do instead of the requested one: those that the helper asks for
    /// afterwards, and those of other sites.
    pub fn others(&self) -> impl Iterator<Item = Capability> {
        self.alternatives().filter_map(|name| {
            Capability::all().find(|it| it.name() == Some(&format!("CAP_{name}")))
        })
    }

    /// Whether the line is about this capability.
    pub fn asks_for(&self, capability: Capability) -> bool {
        match plain_name(capability) {
            Some(name) => self.names(name),
            None => self.key.capabilities == "?",
        }
    }
}

/// The name of a capability, as lines have it.
pub(super) fn plain_name(capability: Capability) -> Option<&'static str> {
    capability.name()?.strip_prefix("CAP_")
}
