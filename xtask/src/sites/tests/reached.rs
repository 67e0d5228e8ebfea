//! Whether an errno is followed all the way to the program.

use super::sites;

const CHECK: &str =
    "int check(void)\n{\n\tif (!capable(CAP_KILL))\n\t\treturn -EPERM;\n\treturn 0;\n}\n";

/// What the program gets from the site in `check`, given the code around it, and whether that is in
/// an acknowledgement.
fn arrives(files: &[(&str, &str)]) -> Option<(String, bool)> {
    let first = [("fs/check.c", CHECK)];
    let all: Vec<_> = first.iter().chain(files).copied().collect();
    let all = sites(&all);
    let site = all
        .iter()
        .find(|site| site.key.function == "check")
        .unwrap();
    assert_eq!(site.errno.as_deref(), Some("EPERM"));
    site.arrives.clone().map(|errno| (errno, site.in_ack))
}

fn in_ioctl(body: &str) -> Option<(String, bool)> {
    let text = format!(
        "static long f(struct file *file, unsigned int cmd, unsigned long arg)\n{{\n{body}\n}}\n\
         static const struct file_operations ops = {{ .unlocked_ioctl = f }};\n"
    );
    arrives(&[("fs/a.c", &text)])
}

#[test]
fn a_caller_that_hands_the_errno_on_is_followed_to_the_table_that_names_it() {
    let whole = Some(("EPERM".to_owned(), false));
    for body in [
        "return check();",
        "int e = check(); if (e) return e; return go();",
        "int e; e = check(); if (e < 0) goto out; e = go(); out: put(); return e;",
        "int e; if ((e = check()) != 0) return e; return 0;",
        "int e; e = check(); if (e != -ENOIOCTLCMD) return e; return go();",
    ] {
        assert_eq!(in_ioctl(body), whole, "{body}");
    }
    assert_eq!(
        in_ioctl("if (check()) return -EACCES; return 0;")
            .unwrap()
            .0,
        "EACCES"
    );
}

#[test]
fn a_caller_that_goes_on_leaves_it_open() {
    for body in [
        "check(); return 0;",
        "if (check() == 0) show(); return 0;",
        "int e = check(); if (e && cmd) return e; return 0;",
        "int e = check(); e = go(); return e;",
        "g->check = check; return 0;",
    ] {
        assert_eq!(in_ioctl(body), None, "{body}");
    }
}

#[test]
fn one_name_that_is_not_accounted_for_leaves_it_open() {
    let good = "SYSCALL_DEFINE0(a) { return check(); }";
    assert!(arrives(&[("fs/a.c", good)]).is_some());
    for other in [
        "int boot(void) { check(); return 0; }",
        "static const struct unknown_ops o = { .check = check };",
        "#define CHECK check()\n",
        "#ifdef X\nint f(void) {\n#else\nint f(void) { check();\n#endif\n return 0; }",
    ] {
        assert_eq!(
            arrives(&[("fs/a.c", good), ("fs/b.c", other)]),
            None,
            "{other}"
        );
    }
    assert_eq!(arrives(&[]), None);
}

#[test]
fn declarations_exports_and_another_files_own_function_of_the_name_do_not_matter() {
    let good = "SYSCALL_DEFINE0(a) { return check(); }";
    for other in [
        "extern int check(void);\nEXPORT_SYMBOL_GPL(check);",
        "static int check(void) { return 0; }\nint boot(void) { check(); return 0; }",
        "/* check() */ int f(void) { go(\"check\"); return 0; }",
    ] {
        assert!(
            arrives(&[("fs/a.c", good), ("fs/b.c", other)]).is_some(),
            "{other}"
        );
    }
}

#[test]
fn a_generic_netlink_command_answers_in_its_acknowledgement() {
    let text = "static int f(struct sk_buff *skb, struct genl_info *info) { return check(); }\n\
                static const struct genl_ops ops[] = { { .cmd = 1, .doit = f } };";
    assert_eq!(arrives(&[("net/a.c", text)]), Some(("EPERM".into(), true)));
}

#[test]
fn a_request_of_rtnetlink_is_known_by_who_registers_it() {
    let text = "static int f(struct sk_buff *skb, struct nlmsghdr *h) { return check(); }\n\
                int init(void) { return rtnl_register_module(m, 1, 2, WHICH, 0); }";
    let doit = text.replace("WHICH", "f, NULL");
    assert_eq!(arrives(&[("net/a.c", &doit)]), Some(("EPERM".into(), true)));
    let dumpit = text.replace("WHICH", "NULL, f");
    assert_eq!(arrives(&[("net/a.c", &dumpit)]), None);
}

#[test]
fn two_ways_that_differ_leave_it_open() {
    let text = "static int f(struct sk_buff *skb, struct genl_info *info) { return check(); }\n\
                static const struct genl_ops ops[] = { { .doit = f } };\n\
                SYSCALL_DEFINE0(a) { return check(); }";
    assert_eq!(arrives(&[("net/a.c", text)]), None);
}

#[test]
fn a_file_of_sysfs_is_known_by_what_it_takes() {
    let text = "static ssize_t x_store(struct device *d, struct device_attribute *a,\n\
                const char *buf, size_t n) { return check(); }\nstatic DEVICE_ATTR_WO(x);";
    assert!(arrives(&[("drivers/a.c", text)]).is_some());
}
