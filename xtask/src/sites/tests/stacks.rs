//! What is read from a source in order to find a site on a stack.

use super::super::stacks::Stacks;
use super::scan;

const SOURCE: &str = "
static bool may_kill(void) { return capable(CAP_KILL); }
static int inner(void) { int e = 0; if (!may_kill()) e = 3; return e; }
static int middle(void) { return inner(); }
int outer(void) { return middle(); }
int beyond(void) { return outer(); }
";

#[test]
fn a_static_function_may_be_in_its_callers_up_to_one_that_others_can_call() {
    let found = scan(&[("fs/a.c", SOURCE)]);
    let site = found
        .sites
        .iter()
        .find(|it| it.key.function == "inner")
        .unwrap();
    assert_eq!(site.into.iter().collect::<Vec<_>>(), ["middle", "outer"]);
    let mut stacks = Stacks::default();
    stacks.add(&found.sites, found.helpers);
    let text = stacks.text();
    for line in [
        "helper capable ns_capable",
        "helper may_kill capable",
        "helper ns_capable security_capable",
        "helper security_capable cap_capable",
    ] {
        assert!(text.contains(&format!("\n{line}\n")), "{text}");
    }
    assert!(text.contains("\ninlined inner middle outer\n"), "{text}");
}

#[test]
fn a_function_of_a_header_may_be_in_every_file_that_calls_it() {
    let found = scan(&[
        (
            "include/a.h",
            "static inline void f(void) { go(capable(CAP_KILL)); }",
        ),
        ("fs/b.c", "int user(void) { f(); return 0; }"),
    ]);
    let site = found
        .sites
        .iter()
        .find(|it| it.key.function == "f")
        .unwrap();
    assert_eq!(site.into.iter().collect::<Vec<_>>(), ["user"]);
}
