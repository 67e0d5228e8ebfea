//! What is plain within a function, and what must not be mistaken for it.

use super::site;

/// The errno of a function with this body, and whether it looks at something else first.
fn seen(body: &str) -> Option<(String, bool)> {
    let site = site(&format!("int f(int a)\n{{\n{body}\n}}\n"));
    site.errno.map(|errno| (errno, site.only_if))
}

fn refuses(body: &str) {
    assert_eq!(seen(body), Some(("EPERM".into(), false)), "{body}");
}

fn refuses_if(body: &str) {
    assert_eq!(seen(body), Some(("EPERM".into(), true)), "{body}");
}

fn is_open(body: &str) {
    assert_eq!(seen(body), None, "{body}");
}

#[test]
fn a_return_of_an_errno_is_plain() {
    refuses("if (!capable(CAP_KILL)) return -EPERM; return 0;");
    refuses("if (!capable(CAP_KILL)) { pr_warn(\"no\"); unlock(); return -EPERM; } return 0;");
    refuses("if (unlikely(!capable(CAP_KILL))) return -EPERM; return 0;");
    refuses("return capable(CAP_KILL) ? 0 : -EPERM;");
    refuses("return !capable(CAP_KILL) ? -EPERM : go(a);");
    refuses("if (capable(CAP_KILL)) return 0; return -EPERM;");
    refuses("if (capable(CAP_KILL)) go(); else return -EPERM; return 0;");
}

#[test]
fn an_errno_is_followed_through_a_variable_and_a_label() {
    refuses(
        "int e; e = -EPERM; if (!capable(CAP_KILL)) goto out; e = go(); out: put(a); return e;",
    );
    refuses("int e = 0; if (!capable(CAP_KILL)) { e = -EPERM; goto out; } go(); out: return e;");
    refuses("int e = 0; if (!capable(CAP_KILL)) e = -EPERM; else e = go(); return e;");
    refuses(
        "int e = 0; switch (a) { case A: if (!capable(CAP_KILL)) { e = -EPERM; break; } go(); } \
         put(a); return e;",
    );
    refuses(
        "int e = 0; if (!capable(CAP_KILL)) { e = -EPERM; goto out; } \
         out: if (a) put(a); if (e) return e; return 0;",
    );
}

#[test]
fn what_might_change_the_errno_leaves_it_open() {
    for after in [
        "e = go();",
        "go(&e);",
        "if (a) e = 0;",
        "if (a) return 0;",
        "e++;",
    ] {
        is_open(&format!(
            "int e = 0; if (!capable(CAP_KILL)) {{ e = -EPERM; goto out; }} go(); out: {after} \
             return e;"
        ));
    }
    is_open("int e = -EPERM; go(&e); if (!capable(CAP_KILL)) return e; return 0;");
    is_open("int e; e = -EPERM; if (!capable(CAP_KILL) || (e = go())) return e; return 0;");
    is_open("if (!capable(CAP_KILL)) return go(a); return 0;");
    is_open("if (!capable(CAP_KILL)) a = 1; return -EPERM;");
    is_open("for (;;) { if (!capable(CAP_KILL)) break; go(); } return -EPERM;");
    is_open("switch (a) { case A: if (!capable(CAP_KILL)) go(); case B: go(); } return -EPERM;");
}

#[test]
fn a_wrong_direction_is_never_plain() {
    is_open("if (capable(CAP_KILL)) return -EPERM; return 0;");
    is_open("if (!!capable(CAP_KILL)) return -EPERM; return 0;");
    is_open("return capable(CAP_KILL) ? -EPERM : 0;");
    is_open("if (!security_capable(c, n, CAP_KILL, 0)) return -EPERM; return 0;");
    is_open("if (capable(CAP_KILL) == 0) return -EPERM; return 0;");
}

#[test]
fn what_is_looked_at_before_is_told() {
    refuses_if("if (a > 3 && !capable(CAP_KILL)) return -EPERM; return 0;");
    refuses_if("if (!(a == 1 || capable(CAP_KILL))) return -EPERM; return 0;");
    refuses_if("if (a || !capable(CAP_KILL)) return -EPERM; return 0;");
}

#[test]
fn what_is_looked_at_after_leaves_it_open() {
    is_open("if (!capable(CAP_KILL) && a > 3) return -EPERM; return 0;");
    is_open("if (!capable(CAP_KILL) && !own(a)) return -EPERM; return 0;");
    is_open("if (!(capable(CAP_KILL) || a)) return -EPERM; return 0;");
}

#[test]
fn another_configuration_in_between_leaves_it_open() {
    is_open("if (!capable(CAP_KILL))\n#ifdef X\nreturn -EPERM;\n#else\ngo();\n#endif\nreturn 0;");
    is_open(
        "int e = 0;\nif (!capable(CAP_KILL)) {\ne = -EPERM;\ngoto out;\n}\nout:\n#ifdef X\n\
             e = 0;\n#endif\nreturn e;",
    );
}

/// What is found about the sites in a function with this body: capability, errno, and whether it
/// looks at something else first.
fn all_of(body: &str) -> Vec<(String, Option<String>, bool)> {
    let text = format!("int f(int a)\n{{\n{body}\n}}\n");
    let all = super::sites(&[("fs/a.c", &text)]).into_iter();
    all.map(|it| (it.key.capabilities, it.errno, it.only_if))
        .collect()
}

#[test]
fn a_capability_instead_of_another_is_plain_for_neither() {
    for body in [
        "if (!capable(CAP_KILL) && !capable(CAP_CHOWN)) return -EPERM; return 0;",
        "if (!(capable(CAP_KILL) || capable(CAP_CHOWN))) return -EPERM; return 0;",
        "if (capable(CAP_KILL) || capable(CAP_CHOWN)) return 0; return -EPERM;",
    ] {
        let kill = ("KILL".to_owned(), None, false);
        let chown = ("CHOWN".to_owned(), Some("EPERM".to_owned()), true);
        assert_eq!(all_of(body), [kill, chown], "{body}");
    }
}

#[test]
fn a_capability_besides_another_is_plain_for_both() {
    for body in [
        "if (!capable(CAP_KILL) || !capable(CAP_CHOWN)) return -EPERM; return 0;",
        "if (!(capable(CAP_KILL) && capable(CAP_CHOWN))) return -EPERM; return 0;",
    ] {
        let both = ["KILL", "CHOWN"].map(|it| (it.to_owned(), Some("EPERM".to_owned()), false));
        assert_eq!(all_of(body), both, "{body}");
    }
}
