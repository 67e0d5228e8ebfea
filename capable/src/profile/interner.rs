//! Stores names that many checks share, each only once.

use std::{collections::HashSet, sync::Arc};

/// Stores each name once, however often it is asked for.
#[derive(Clone, Debug, Default)]
pub struct Interner(HashSet<Arc<str>>);

impl Interner {
    /// The shared copy of a name.
    pub fn intern(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return known.clone();
        }
        let name: Arc<str> = name.into();
        self.0.insert(name.clone());
        name
    }

    /// Whether the name was interned before.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_was_seen_is_the_same_one_again() {
        let mut names = Interner::default();
        let first = names.intern("bpf_check");
        assert!(Arc::ptr_eq(&first, &names.intern("bpf_check")));
        assert!(!Arc::ptr_eq(&first, &names.intern("can_nice")));
    }
}
