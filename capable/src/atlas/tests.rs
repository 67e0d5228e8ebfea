//! The atlas on its own: its lines can be read, and are found again.

use super::*;
use crate::capability::{OR_CHAINS, Scope};

const SOURCE: &str = "
[kernel/a.c]
asks | SYS_NICE | capable | 5.10+ | chooses | read | nothing

[kernel/ptrace.c]
look | SYS_PTRACE | has | 5.10+ | passes | read | it depends
look < stat | SYS_PTRACE | has | 5.10+ | chooses | read | less is shown
look#2 | SYS_PTRACE | has | 5.10+ | sometimes EACCES | read | it may fail
look#2 < far | SYS_PTRACE | has | 5.10+ | chooses | read | less is shown
look < open | SYS_PTRACE | has | 5.10-6.1 | refuses EACCES | read | open(2) fails
sys_go | KILL | capable | 5.10+ | refuses EPERM | plain | go(2) fails
sys_go#2 | KILL | capable | 6.12+ | sometimes EPERM | read | going far fails
prio | SYS_NICE | can_nice | 5.10+ | refuses EACCES limit | read | it fails past the limit
prio | SYS_NICE | may_prio | 5.10+ | refuses EPERM else | read | it fails for others
prio | SYS_NICE | capable | 6.1+ | chooses | read | less is shown
inner | CHOWN/SYS_ADMIN | capable | 5.10+ | refuses EPERM ack | read | the change fails
";
const STACKS: &str = "\
helper cap_capable
helper capable cap_capable
helper has
helper can_nice capable
helper may_prio cap_capable
inlined inner middle outer
between vfs_open below 5.10-6.1 open
between vfs_look below 5.10+ open -
between vfs_look below 6.12+ stat,open
between entry vfs_both 5.10+ open stat
";

fn find(capability: Capability, kernel: &str, stack: &str) -> Vec<&'static Line> {
    static ATLAS: LazyLock<Atlas> = LazyLock::new(|| Atlas::new(SOURCE, STACKS));
    let kernel = Version::parse(kernel).unwrap();
    let lines = ATLAS.find(capability, Some(kernel), stack.split(' '));
    lines
        .into_iter()
        .map(|index| &ATLAS.lines()[index])
        .collect()
}

fn effects(capability: Capability, kernel: &str, stack: &str) -> String {
    let lines = find(capability, kernel, stack);
    let effects: Vec<_> = lines.iter().map(|line| line.effect.to_string()).collect();
    effects.join(", ")
}

#[test]
fn the_nearest_caller_decides_and_else_the_line_about_all() {
    let of = |kernel, stack| effects(Capability::SYS_PTRACE, kernel, stack);
    assert_eq!(of("6.1", "cap_capable has look stat read"), "chooses");
    assert_eq!(of("6.1", "look other stat read"), "chooses");
    assert_eq!(of("6.1", "look open stat"), "refuses EACCES");
    assert_eq!(of("6.12", "look open stat"), "chooses");
    assert_eq!(of("6.12", "look open"), "passes, sometimes EACCES");
    assert_eq!(
        of("6.12", "look far"),
        "chooses",
        "the other site does not ask there"
    );
}

#[test]
fn a_kernel_between_two_that_were_read_may_be_as_either() {
    let of = |kernel| effects(Capability::SYS_PTRACE, kernel, "look open");
    assert_eq!(of("6.6"), "refuses EACCES");
    assert_eq!(of("8.0"), of("6.12"));
    assert_eq!(
        effects(Capability::KILL, "6.6", "sys_go"),
        "refuses EPERM, sometimes EPERM"
    );
    assert_eq!(effects(Capability::KILL, "5.4", "sys_go"), "");
}

#[test]
fn the_helper_on_the_stack_tells_two_sites_of_a_function_apart() {
    let of = |stack| effects(Capability::SYS_NICE, "6.1", stack);
    assert_eq!(
        of("cap_capable capable can_nice prio"),
        "refuses EACCES limit"
    );
    assert_eq!(of("cap_capable may_prio prio"), "refuses EPERM else");
    assert_eq!(
        of("cap_capable capable prio"),
        "refuses EACCES limit, chooses",
        "can_nice may have jumped to it, and may_prio does not call it"
    );
    assert_eq!(
        of("cap_capable prio"),
        "refuses EACCES limit, refuses EPERM else, chooses",
        "all lead to it"
    );
}

#[test]
fn a_system_call_is_known_by_each_name_of_its_entry() {
    for name in ["__x64_sys_go", "__do_sys_go", "__se_sys_go", "sys_go"] {
        assert_eq!(effects(Capability::KILL, "6.1", name), "refuses EPERM");
    }
    let both = "refuses EPERM, sometimes EPERM";
    assert_eq!(effects(Capability::KILL, "6.12", "capable sys_go"), both);
    assert_eq!(effects(Capability::CHOWN, "6.12", "capable sys_go"), "");
}

#[test]
fn what_was_inlined_is_found_by_the_function_that_it_is_in() {
    for capability in [Capability::CHOWN, Capability::SYS_ADMIN] {
        for function in ["inner", "middle", "outer"] {
            assert_eq!(effects(capability, "6.1", function), "refuses EPERM ack");
        }
    }
    assert_eq!(effects(Capability::CHOWN, "6.1", "beyond outer"), "");
}

#[test]
fn a_caller_without_a_frame_is_known_by_the_frames_beside_it() {
    let of = |kernel, stack| effects(Capability::SYS_PTRACE, kernel, stack);
    assert_eq!(of("6.1", "look below vfs_open entry"), "refuses EACCES");
    assert_eq!(
        of("6.1", "look below vfs_look entry"),
        "refuses EACCES, passes, sometimes EACCES",
        "it may have been called by open, or by another"
    );
    assert_eq!(
        of("6.12", "look below vfs_look entry"),
        "chooses, passes, sometimes EACCES",
        "open has no line there"
    );
    assert_eq!(
        of("6.1", "look vfs_both entry"),
        "refuses EACCES, chooses",
        "on each way there is a caller with a line"
    );
    assert_eq!(
        of("6.1", "look below entry vfs_open"),
        "passes, sometimes EACCES"
    );
}

/// Stacks of a Linux 6.18, which has no frame of the callers that the lines name: `may_create`,
/// `may_setattr`, `xattr_permission`, `unix_find_bsd` and `lookup_open`.
#[test]
fn callers_that_a_kernel_inlined_are_known_by_its_stacks() {
    let asked = "cap_capable security_capable capable_wrt_inode_uidgid generic_permission \
                 inode_permission";
    let said = |above: &str| {
        let stack = format!("{asked} {above} do_syscall_64 entry_SYSCALL_64_after_hwframe");
        let kernel = Version::parse("6.18").ok();
        let place = Atlas::place(Capability::DAC_OVERRIDE, kernel, stack.split_whitespace());
        place.unwrap().sentences().join(" / ")
    };
    for (above, sentence) in [
        (
            "vfs_mkdir do_mkdirat __x64_sys_mkdir",
            "mkdir(2), mknod(2), link(2), symlink(2) and rename(2) into a directory that one may \
             not both write and search fail",
        ),
        (
            "may_delete vfs_unlink do_unlinkat __x64_sys_unlink",
            "unlink(2), rmdir(2) and rename(2) in a directory that the caller may not both \
             write and search fail",
        ),
        (
            "notify_change vfs_utimes do_utimes __x64_sys_utimensat",
            "utimensat(2) to the current time fails on another user's directory that the caller may \
             not write / utimensat(2) to the current time fails on another user's file that the \
             caller may not write",
        ),
        (
            "vfs_getxattr do_getxattr filename_getxattr path_getxattrat",
            "user.* attributes cannot be read or set if the file's mode denies it; \
             CAP_DAC_READ_SEARCH is enough to read them",
        ),
        (
            "unix_find_other unix_stream_connect __sys_connect __x64_sys_connect",
            "connect(2) and sendto(2) to a Unix socket that the caller may not write fail",
        ),
        (
            "vfs_truncate __x64_sys_truncate",
            "truncate(2) of a file that the caller may not write fails",
        ),
    ] {
        assert_eq!(said(above), sentence, "{above}");
    }
    // Several callers may have been inlined here, and one way goes over none of them.
    let either = said("path_openat do_filp_open do_sys_openat2 __x64_sys_openat");
    for sentence in [
        "open(2) with O_CREAT fails in a directory not writable by the caller",
        "a directory cannot be searched, listed (CAP_DAC_READ_SEARCH is enough for both) or changed",
    ] {
        assert!(either.contains(sentence), "{either}");
    }
}

/// The helper asks in the initial user namespace.
const IN_THE_INITIAL: [&str; 2] = ["capable", "capable_noaudit"];

/// What `explain` says by itself was wrong more than once (../shared/errata.md): it named functions that
/// do not ask, and called capabilities good in a user namespace that are asked for in the initial one.
#[test]
fn explanations_name_functions_that_ask_and_say_in_which_namespace() {
    let atlas = Atlas::get();
    for capability in Capability::all() {
        let told = capability.explanation().unwrap();
        let lines: Vec<_> = atlas.lines().iter().collect();
        let asking = |line: &&&Line| line.key.capabilities != "?" && line.asks_for(capability);
        for function in told.functions {
            let asks = atlas
                .about_function(function)
                .any(|line| line.asks_for(capability));
            let passes_on = atlas.lookup.is_helper(function);
            assert!(asks || passes_on, "{capability}: {function}");
        }
        if told.scope == Scope::Namespace {
            for line in lines.iter().filter(asking) {
                let helper = &*line.key.helper;
                assert!(!IN_THE_INITIAL.contains(&helper), "{capability}: {line}");
            }
        }
        if told.scope == Scope::Host {
            for line in lines.iter().filter(asking) {
                assert_ne!(line.key.helper, "ns_capable", "{capability}: {line}");
            }
        }
    }
}

#[test]
fn the_programs_own_atlas_is_read_and_knows_its_helpers() {
    assert!(Atlas::get().lines().len() > 2000);
    let stack = [
        "cap_capable",
        "ns_capable",
        "__x64_sys_chroot",
        "do_syscall_64",
    ];
    let chroot = Atlas::place(Capability::SYS_CHROOT, None, stack.into_iter()).unwrap();
    assert_eq!(chroot.verb(), Verb::Refuses);
    assert_eq!(chroot.sentences(), ["chroot(2) fails"]);
    let nice = [
        "capable",
        "can_nice",
        "set_one_prio",
        "__do_sys_setpriority",
    ];
    let nice = Atlas::place(Capability::SYS_NICE, None, nice.into_iter()).unwrap();
    assert!(nice.lines().all(|line| line.key.file == "kernel/sys.c"));
    let elsewhere = Atlas::place(Capability::SYS_NICE, None, stack.into_iter());
    assert_eq!(elsewhere, None);
}

#[test]
fn the_or_chains_are_those_of_the_atlas() {
    let has = |line: &Line, one, other| line.asks_for(one) && line.others().any(|it| it == other);
    for chain in OR_CHAINS {
        for function in chain.functions {
            let mut lines = Atlas::get().about_function(function);
            let holds = lines.any(|line| {
                has(line, chain.narrow, chain.wide) || has(line, chain.wide, chain.narrow)
            });
            assert!(holds, "{function}: {} and {}", chain.narrow, chain.wide);
        }
    }
    // What a helper asks for after another capability is accepted instead of it.
    let mut pairs = 0;
    for line in Atlas::get().lines() {
        let Some((narrow, wide)) = line.key.capabilities.split_once('/') else {
            continue;
        };
        let is_named = |capability: Capability, name: &str| {
            capability.name().and_then(|it| it.strip_prefix("CAP_")) == Some(name)
        };
        let known = OR_CHAINS
            .iter()
            .any(|chain| is_named(chain.narrow, narrow) && is_named(chain.wide, wide));
        assert!(known, "{line}");
        pairs += 1;
    }
    assert!(pairs > 100, "{pairs}");
}
