//! Names of functions as they are in the source.

/// The name without what the compiler added to it (`.isra.0`, `.constprop.0`, `.part.0`, `.cold`,
/// `.llvm.123`).
pub fn clean_name(name: &str) -> &str {
    // A dot is not part of a C identifier: the first one begins the compiler's additions.
    match name.find('.') {
        Some(0) | None => name,
        Some(dot) => &name[..dot],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_what_the_compiler_added() {
        assert_eq!(clean_name("do_thing.isra.0.cold"), "do_thing");
        assert_eq!(clean_name("do_thing.llvm.1234"), "do_thing");
        assert_eq!(clean_name("do_thing"), "do_thing");
    }
}
