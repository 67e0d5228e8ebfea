//! Macros that make functions, and names that macros make.

use super::{scan, sites};

/// A macro that makes a function through another macro, as in
/// drivers/target/iscsi/iscsi_target_configfs.c; the last call comes before a table, without a
/// semicolon.
const NESTED: &str = "
#define __DEF(prefix, name) \\
static ssize_t __##prefix##_##name##_show(char *page) \\
{ \\
	if (!capable(CAP_SYS_ADMIN)) \\
		return -EPERM; \\
	return 0; \\
}
#define DEF(name) \\
	__DEF(auth, name) \\
static ssize_t auth_##name##_show(struct item *item, char *page) \\
{ \\
	return __auth_##name##_show(page); \\
} \\
ATTR(auth_, name)
#define PAIR(name) \\
	__DEF(first, name) \\
	__DEF(second, name)

DEF(user);
PAIR(size)
PAIR(age)
static const struct attribute *all[] = { &auth_attr_user };
";

#[test]
fn a_macro_may_make_functions_by_another_and_stand_before_anything() {
    let all = sites(&[("fs/a.c", NESTED)]);
    let names: Vec<_> = all.iter().map(|it| it.key.function.as_str()).collect();
    assert_eq!(
        names,
        [
            "__auth_user_show",
            "__first_size_show",
            "__second_size_show",
            "__first_age_show",
            "__second_age_show"
        ]
    );
    let into: Vec<_> = all[0].into.iter().collect();
    assert_eq!(into, ["auth_user_show"]);
}

#[test]
fn a_macro_that_makes_functions_is_no_helper() {
    let helpers = scan(&[("fs/a.c", NESTED)]).helpers;
    for name in ["__DEF", "DEF", "PAIR"] {
        assert!(!helpers.contains_key(name), "{name}");
    }
    let statements = "
#define check(cap) do { if (!capable(cap)) { return -EPERM; } } while (0)
int f(void) { check(CAP_KILL); return 0; }
";
    let found = scan(&[("fs/a.c", statements)]);
    assert!(found.helpers.contains_key("check"));
    assert_eq!(found.sites[0].key.helper, "check");
}

#[test]
fn a_system_call_is_found_behind_a_macro_without_a_semicolon() {
    let text = "
DEFINE_CLASS(group, struct group *, if (!bad(_T)) destroy(_T), alloc(flags), int flags)

SYSCALL_DEFINE2(fanotify_init, unsigned int, flags, unsigned int, event_f_flags)
{ if (!capable(CAP_SYS_ADMIN)) return -EPERM; return 0; }
";
    assert_eq!(super::site(text).key.function, "sys_fanotify_init");
}

#[test]
fn a_handler_of_rdma_is_named_after_its_module() {
    let handler = "static int UVERBS_HANDLER(CREATE_FLOW)(struct bundle *attrs)\n\
                   { if (!capable(CAP_NET_RAW)) return -EPERM; return 0; }";
    let own = format!("#define UVERBS_MODULE_NAME mlx5_ib\n{handler}");
    assert_eq!(
        super::site(&own).key.function,
        "mlx5_ib_handler_CREATE_FLOW"
    );
    assert_eq!(
        super::site(handler).key.function,
        "ib_uverbs_handler_CREATE_FLOW"
    );
}
