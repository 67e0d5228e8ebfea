//! Which sites are found, and what they ask for.

use super::{site, sites};

/// Function, label, helper and capability of all sites.
fn found(text: &str) -> Vec<(String, String, String, String)> {
    let mut all = sites(&[("fs/a.c", text)]);
    all.retain(|site| site.key.file == "fs/a.c");
    all.into_iter()
        .map(|it| {
            (
                it.key.function,
                it.key.label.unwrap_or_default(),
                it.key.helper,
                it.key.capabilities,
            )
        })
        .collect()
}

fn four(a: &str, b: &str, c: &str, d: &str) -> (String, String, String, String) {
    (a.into(), b.into(), c.into(), d.into())
}

#[test]
fn a_function_that_only_answers_is_a_helper_and_its_calls_are_the_sites() {
    let text = "
static bool may_mount(void) { return ns_capable(ns(), CAP_SYS_ADMIN); }
static inline bool both(void) { return capable(CAP_BPF) || capable(CAP_SYS_ADMIN); }
static bool forward(struct sock *sk, int cap) { lock(); return ns_capable(sk->ns, cap); }
int f(struct sock *s) { return go(may_mount(), both(), forward(s, CAP_KILL)); }
";
    assert_eq!(
        found(text),
        [
            four("f", "", "may_mount", "SYS_ADMIN"),
            four("f", "", "both", "BPF/SYS_ADMIN"),
            four("f", "", "forward", "KILL"),
        ]
    );
}

#[test]
fn a_function_that_returns_an_errno_or_that_nobody_calls_is_a_site() {
    let text = "
static int check(void) { if (!capable(CAP_KILL)) return -EPERM; return 0; }
static bool visible(void) { return capable(CAP_CHOWN); }
static const struct handler h = { .list = visible };
static bool pasted(void) { return capable(CAP_FOWNER); }
int f(void) { return check(); }
";
    assert_eq!(
        found(text),
        [
            four("check", "", "capable", "KILL"),
            four("visible", "", "capable", "CHOWN"),
            four("pasted", "", "capable", "FOWNER"),
        ]
    );
}

#[test]
fn a_macro_is_a_helper_wherever_it_is_used() {
    let text = "
#define may(cap) \\
	(capable(cap))
#define is_admin() capable(CAP_SYS_ADMIN)
int f(void) { return may(CAP_KILL) + is_admin(); }
";
    assert_eq!(
        found(text),
        [
            four("f", "", "may", "KILL"),
            four("f", "", "is_admin", "SYS_ADMIN")
        ]
    );
}

#[test]
fn a_function_that_a_macro_makes_has_its_name() {
    let text = "
#define FILE(name) \\
static ssize_t name##_show(char *page) \\
{ \\
	if (!capable(CAP_SYS_ADMIN)) \\
		return -EPERM; \\
	return 0; \\
}
#define FILES(name) \\
	FILE(first_##name); \\
	FILE(second_##name)

FILES(size);
";
    let names: Vec<_> = found(text).into_iter().map(|it| it.0).collect();
    assert_eq!(names, ["first_size_show", "second_size_show"]);
}

#[test]
fn a_system_call_is_named_as_on_a_stack() {
    let text = "
SYSCALL_DEFINE1(chroot, const char __user *, name) { if (!capable(CAP_SYS_CHROOT)) return -EPERM; }
COMPAT_SYSCALL_DEFINE2(ioctl, int, fd, int, cmd) { return capable(CAP_KILL); }
static int __init __must_check late(void) __acquires(lock) { return go(capable(CAP_CHOWN)); }
";
    let names: Vec<_> = found(text).into_iter().map(|it| it.0).collect();
    assert_eq!(names, ["sys_chroot", "compat_sys_ioctl", "late"]);
}

#[test]
fn a_site_in_a_case_has_the_first_label_that_leads_to_it() {
    let text = "
int f(int a)
{
	switch (a) {
	case ONE:
		go();
		break;
	case TWO:
	case THREE:
		for_each_thing(a)
			if (!capable(CAP_KILL))
				return -EPERM;
		break;
	default:
		return capable(CAP_CHOWN);
	}
}
";
    assert_eq!(
        found(text),
        [
            four("f", "TWO", "capable", "KILL"),
            four("f", "default", "capable", "CHOWN")
        ]
    );
}

#[test]
fn a_variable_is_what_is_assigned_to_it_or_unknown() {
    let chosen =
        site("int f(int a) { int cap = CAP_CHOWN; if (a) cap = CAP_KILL; return capable(cap); }");
    assert_eq!(chosen.key.capabilities, "CHOWN,KILL");
    let of_member = site("int f(struct it *a) { return capable(a->cap); }");
    assert_eq!(of_member.key.capabilities, "?");
}

#[test]
fn a_set_that_is_read_is_a_site_though_it_makes_no_check() {
    let read =
        site("int f(struct cred *c) { return go(cap_raised(c->cap_effective, CAP_SETFCAP)); }");
    assert_eq!(
        (read.key.helper.as_str(), read.key.capabilities.as_str()),
        ("cap_raised", "SETFCAP")
    );
}

#[test]
fn a_member_that_holds_an_earlier_answer_is_a_site_where_it_is_read() {
    let text =
        "int f(struct ns *n) { n->parent_could_setfcap = 1; return go(n->parent_could_setfcap); }";
    let read = site(text);
    assert_eq!(
        (read.key.helper.as_str(), read.key.capabilities.as_str()),
        ("parent_could_setfcap", "SETFCAP")
    );
    assert_eq!(
        site("int f(void) { return go(cap_issubset(a, b)); }")
            .key
            .capabilities,
        "?"
    );
}

#[test]
fn sites_that_are_alike_are_numbered_within_their_function() {
    let text = "
int f(void) { go(capable(CAP_KILL)); return capable(CAP_KILL); }
int g(void) { go(); return capable(CAP_KILL); go(capable(CAP_CHOWN)); }
";
    let all = sites(&[("fs/a.c", text)]);
    let numbers: Vec<_> = all
        .iter()
        .map(|it| (it.key.function.as_str(), it.key.number))
        .collect();
    assert_eq!(numbers, [("f", 1), ("f", 2), ("g", 1), ("g", 1)]);
}

#[test]
fn comments_strings_and_what_is_never_compiled_have_no_sites() {
    let text = "
/* capable(CAP_KILL) */
int f(void) { go(\"capable(CAP_KILL)\"); // capable(CAP_KILL)
#if 0
	capable(CAP_KILL);
#endif
	return capable(CAP_CHOWN) + s.capable(1) + s->capable(2); }
";
    assert_eq!(site(text).key.capabilities, "CHOWN");
}

#[test]
fn a_helper_of_one_file_is_none_in_another() {
    let own =
        "static bool may(void) { return capable(CAP_KILL); }\nint f(void) { return go(may()); }";
    let other = "int g(void) { return go(may()); }";
    let all = sites(&[("fs/a.c", own), ("fs/b.c", other)]);
    let files: Vec<_> = all.iter().map(|site| site.key.file.as_str()).collect();
    assert_eq!(files, ["fs/a.c"]);
}

#[test]
fn a_header_makes_a_helper_known_everywhere() {
    let header = "static inline bool may(void) { return capable(CAP_KILL); }";
    let all = sites(&[
        ("include/a.h", header),
        ("fs/b.c", "int g(void) { return go(may()); }"),
    ]);
    assert_eq!(
        (all[0].key.helper.as_str(), all[0].key.capabilities.as_str()),
        ("may", "KILL")
    );
}

#[test]
fn capabilities_are_in_the_order_in_which_they_are_asked_for() {
    let text = "
static bool allowed(int v) { return v < 7 || capable(CAP_NET_RAW) || capable(CAP_NET_ADMIN); }
static bool wider(void) { return may() || capable(CAP_KILL); }
static bool may(void) { return capable(CAP_PERFMON) || capable(CAP_BPF); }
static bool with(int cap) { return capable(cap) || capable(CAP_SYS_ADMIN); }
int f(void) { return go(allowed(3), wider(), with(CAP_SYS_BOOT)); }
";
    let all: Vec<_> = found(text).into_iter().map(|it| it.3).collect();
    assert_eq!(
        all,
        [
            "NET_RAW/NET_ADMIN",
            "PERFMON/BPF/KILL",
            "SYS_BOOT/SYS_ADMIN"
        ]
    );
}

#[test]
fn what_only_passes_the_question_on_is_no_site_though_nobody_calls_it() {
    let text = "
bool has_capability(struct task_struct *t, int cap) { return ns_capable(t->ns, cap); }
int cap_capable(struct cred *c, struct ns *n, int cap, int o)
{ return cap_capable_helper(c, n, c->ns, cap); }
static inline int cap_capable_helper(struct cred *c, struct ns *n, struct ns *own, int cap)
{ for (;;) { if (n == own) return cap_raised(c->cap_effective, cap) ? 0 : -EPERM; n = n->up; } }
";
    assert_eq!(found(text), []);
    let helpers = super::scan(&[("fs/a.c", text)]).helpers;
    for name in ["has_capability", "cap_capable_helper", "security_capable"] {
        assert!(helpers.contains_key(name), "{name}");
    }
}

#[test]
fn a_branch_that_no_kernel_of_the_atlas_has_is_left_out() {
    let text = "
#ifdef CONFIG_PERF_EVENTS
int f(void) { return go(capable(CAP_PERFMON)); }
#else
int f(void) { return go(capable(CAP_KILL)); }
#endif
#ifndef TCGETS2
int g(void) { return go(capable(CAP_KILL)); }
#else
int g(void) { return go(capable(CAP_CHOWN)); }
#endif
#ifdef CONFIG_OTHER
int h(void) { return go(capable(CAP_FOWNER)); }
#else
int h(void) { return go(capable(CAP_FSETID)); }
#endif
";
    let all: Vec<_> = found(text).into_iter().map(|it| it.3).collect();
    assert_eq!(all, ["PERFMON", "CHOWN", "FOWNER", "FSETID"]);
}
