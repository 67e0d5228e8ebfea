//! Writes a set in the shortest way.

use crate::capability::CapabilitySet;

/// The set as `none`, `all`, `all but CAP_SYS_ADMIN` if that is shorter, or names. `universe` is
/// what `all` means: every capability that the running kernel knows.
pub fn concise(set: CapabilitySet, universe: CapabilitySet) -> String {
    let missing = universe.difference(set);
    if set.is_empty() {
        String::from("none")
    } else if !universe.contains_all(set) {
        // The set has bits that are no capabilities of this kernel: show them.
        names(set)
    } else if missing.is_empty() {
        String::from("all")
    } else if missing.len() < set.len() {
        format!("all but {}", names(missing))
    } else {
        names(set)
    }
}

fn names(set: CapabilitySet) -> String {
    let names: Vec<String> = set.iter().map(|each| each.to_string()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_written_the_shorter_way() {
        let universe = CapabilitySet::ALL_NAMED;
        let text = |bits: u64| concise(CapabilitySet::from_bits(bits), universe);
        assert_eq!(text(0), "none");
        assert_eq!(text(universe.bits()), "all");
        assert_eq!(text(0x21), "CAP_CHOWN, CAP_KILL");
        assert_eq!(
            text(universe.bits() & !(1 << 24)),
            "all but CAP_SYS_RESOURCE"
        );
        assert!(text(1 << 63).contains("CAP_63"));
        assert!(text(u64::MAX).contains("CAP_CHOWN"));
    }

    #[test]
    fn all_is_what_the_running_kernel_knows() {
        let older = CapabilitySet::from_bits((1 << 38) - 1);
        assert_eq!(concise(older, older), "all");
        assert_ne!(concise(older, CapabilitySet::ALL_NAMED), "all");
    }
}
