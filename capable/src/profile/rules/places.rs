//! Rules about the place where a check was made: the atlas says what the kernel does with the
//! answer there.

use super::{Class, Finding, Rule, Ruling, Why, by_syscall_alone};
use crate::atlas::{Atlas, Place, Verb};
use crate::capability::Capability;
use crate::profile::observation::Case;

/// Nothing that the program asks for fails, whatever was decided.
///
/// If the asking function is not known, the system call may be enough: the rule applies if every
/// known site that asks for this capability in it only chooses.
pub(super) fn choice(case: &Case) -> Option<Ruling> {
    let without = "nothing is refused; without it, ";
    if let Some(place) = &case.place {
        let why = || Why::from(without).sentences(place);
        return match place.verb() {
            Verb::Chooses => Some(Finding::sure(Class::Advisory, Rule::Choice, why())),
            _ if place.is_silent() => Some(Finding::unsure(Class::Advisory, Rule::Choice, why())),
            _ => None,
        };
    }
    if case.caller_symbol().is_some() {
        return None;
    }
    let lines = Atlas::get().of_syscall(case.syscall?);
    let mut asking = lines.filter(|line| line.asks_for(case.facts.capability));
    let first = asking.next()?;
    let chooses = first.effect.verb() == Verb::Chooses
        && asking.all(|line| line.effect.verb() == Verb::Chooses);
    chooses.then(|| {
        let why = Why::from(without).text(&first.sentence);
        Finding::unsure(Class::Advisory, Rule::Choice, by_syscall_alone(why, case))
    })
}

/// The kernel asks before it looks at what the system call wants, and this one wants nothing that
/// needs the capability: chmod(2) without the set-group-ID bit.
pub(super) fn arguments(case: &Case) -> Option<Ruling> {
    let place = case.place.as_ref().filter(|place| place.needs_nothing())?;
    let why = Why::from("asked ")
        .origin(case)
        .text(", which needs no capability with the arguments of this call; with others, ")
        .sentences(place);
    Some(Finding::sure(Class::AskedNotNeeded, Rule::Arguments, why))
}

/// The place refuses only writing, and the file was read.
pub(super) fn only_read(case: &Case) -> Option<Ruling> {
    let is_it = case.writes == Some(false)
        && case.place.as_ref().is_some_and(Place::is_about_writing)
        && (case.facts.is_granted_by_bit() || case.facts.is_denied());
    is_it.then(|| {
        let why = Why::from("asked ")
            .origin(case)
            .text(", for reading as for writing; this was reading, which needs no capability");
        Finding::sure(Class::AskedNotNeeded, Rule::OnlyRead, why)
    })
}

/// capset(2) asks for CAP_SETPCAP before it looks whether it adds anything to the inheritable set
/// that is not permitted (`cap_capset`, security/commoncap.c).
pub(super) fn nothing_inherited(case: &Case) -> Option<Ruling> {
    let is_it = case.inherits == Some(false) && case.facts.capability == Capability::SETPCAP;
    is_it.then(|| {
        Finding::sure(
            Class::AskedNotNeeded,
            Rule::NothingInherited,
            "asked by every capset(2); this one made nothing inheritable, which needs no capability",
        )
    })
}

/// The program asked for more of something than it has by right: a hard limit, the size of a buffer.
/// Programs that do so mostly go on with what they have, and nothing of that shows where it was
/// granted.
pub(super) fn more(case: &Case) -> Option<Ruling> {
    let gets = matches!(case.syscall, Some("getxattr" | "lgetxattr" | "fgetxattr"));
    let is_it = |place: &&Place| place.is_about_more() || gets && place.hides_attributes();
    let place = case.place.as_ref().filter(is_it)?;
    case.facts.is_granted_by_bit().then(|| {
        let why = Why::from("granted ")
            .origin(case)
            .text(": without it, ")
            .sentences(place)
            .text(
                ". Programs that ask for more than they have mostly go on with what they have; \
                 whether this one does cannot be seen: try without",
            );
        Finding::unsure(Class::CouldNotTell, Rule::More, why)
    })
}

/// Granted at a place that refuses without it, always or in some cases.
pub(super) fn granted(case: &Case) -> Option<Ruling> {
    let place = case.place.as_ref()?;
    if !case.facts.is_granted_by_bit() {
        return None;
    }
    let why = || {
        Why::from("granted ")
            .origin(case)
            .text(": without it, ")
            .sentences(place)
    };
    match place.verb() {
        // setuid(2) and the like ask before they compare the ids; here the ids were compared.
        Verb::Sometimes if case.id_unchanged == Some(false) => {
            Some(Finding::sure(Class::Needed, Rule::Gate, why()))
        }
        Verb::Refuses => Some(Finding::sure(Class::Needed, Rule::Gate, why())),
        Verb::Sometimes | Verb::Passes => {
            Some(Finding::unsure(Class::Needed, Rule::Sometimes, why()))
        }
        Verb::Chooses | Verb::Unread => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::finding;
    use super::*;
    use crate::atlas::{Call, Version};
    use crate::event::Verdict;
    use crate::profile::Outcome;
    use crate::profile::observation::tests::{audited, denied, granted};

    /// A check at a place in a kernel, given the asking function and the functions above it.
    fn at(kernel: &str, capability: Capability, stack: &[&str], syscall: &'static str) -> Case {
        let mut case = granted(capability, stack[0], syscall);
        let kernel = Version::parse(kernel).ok();
        case.place = Atlas::place(capability, kernel, stack.iter().copied());
        assert!(case.place.is_some(), "{stack:?} is not in the atlas");
        case
    }

    fn class(case: &Case) -> (Class, bool) {
        let finding = finding(case);
        (finding.class, finding.certain)
    }

    #[test]
    fn where_the_kernel_refuses_the_need_is_certain_and_says_what_would_fail() {
        let case = at(
            "6.1",
            Capability::SYS_CHROOT,
            &["__x64_sys_chroot"],
            "chroot",
        );
        let finding = finding(&case);
        assert_eq!((finding.class, finding.certain), (Class::Needed, true));
        assert_eq!(
            finding.why.to_string(),
            "granted in __x64_sys_chroot, for chroot(2): without it, chroot(2) fails"
        );
    }

    #[test]
    fn a_place_that_is_not_in_the_atlas_is_a_need_that_is_not_certain() {
        let case = granted(Capability::NET_ADMIN, "vendor_ioctl", "ioctl");
        assert_eq!(case.place, None);
        let finding = finding(&case);
        assert_eq!((finding.class, finding.certain), (Class::Needed, false));
        let why = finding.why.to_string();
        assert!(why.contains("a place that capable does not know"), "{why}");
    }

    /// ../shared/errata.md: each was called advisory, and refuses in some cases.
    #[test]
    fn what_refuses_in_some_cases_is_kept() {
        for (capability, function) in [
            (Capability::SYS_RESOURCE, "set_permissions"),
            (Capability::SYS_RESOURCE, "mqueue_get_inode"),
            (Capability::SETPCAP, "cap_capset"),
            (Capability::SYS_RESOURCE, "alloc_pipe_info"),
        ] {
            let case = at("6.1", capability, &[function], "openat");
            assert_eq!(class(&case).0, Class::Needed, "{function}");
        }
    }

    /// ../shared/errata.md: each was called a certain need, and nothing fails without it.
    #[test]
    fn what_never_refuses_is_no_need_and_neither_is_its_denial() {
        for (capability, stack, syscall) in [
            (Capability::SYS_ADMIN, &["r_show"][..], "read"),
            (Capability::SYS_ADMIN, &["pagemap_read"], "read"),
            (Capability::PERFMON, &["array_map_alloc"], "bpf"),
            (Capability::SYSLOG, &["kallsyms_open"], "openat"),
            (
                Capability::DAC_READ_SEARCH,
                &["generic_permission", "inode_permission", "would_dump"],
                "execve",
            ),
        ] {
            let mut case = at("6.1", capability, stack, syscall);
            assert_eq!(class(&case), (Class::Advisory, true), "{stack:?}");
            case.facts.verdict = Some(Verdict::Denied(libc::EPERM));
            assert_eq!(class(&case), (Class::Advisory, true), "{stack:?}");
        }
    }

    #[test]
    fn a_refusal_in_a_netlink_answer_is_not_taken_for_success() {
        let mut case = at(
            "6.1",
            Capability::NET_ADMIN,
            &["rtnetlink_rcv_msg"],
            "sendmsg",
        );
        case.facts.verdict = Some(Verdict::Denied(libc::EPERM));
        case.outcome = Outcome::SyscallSucceeded;
        assert_eq!(class(&case), (Class::Denied, false));
        let setting = denied(
            Capability::SYS_CHROOT,
            "__x64_sys_chroot",
            "chroot",
            Outcome::SyscallSucceeded,
        );
        assert_eq!(class(&setting).0, Class::AskedNotNeeded);
    }

    #[test]
    fn reading_what_only_writing_needs_is_no_need() {
        let mut case = at(
            "6.1",
            Capability::SYS_RESOURCE,
            &["set_permissions"],
            "openat",
        );
        case.writes = Some(false);
        assert_eq!(class(&case), (Class::AskedNotNeeded, true));
        for unknown_or_written in [Some(true), None] {
            case.writes = unknown_or_written;
            assert_eq!(class(&case), (Class::Needed, false));
        }
    }

    #[test]
    fn a_capset_that_makes_nothing_inheritable_needs_nothing() {
        let mut case = at("6.1", Capability::SETPCAP, &["cap_capset"], "capset");
        case.inherits = Some(false);
        assert_eq!(class(&case), (Class::AskedNotNeeded, true));
        for unknown_or_some in [Some(true), None] {
            case.inherits = unknown_or_some;
            assert_eq!(class(&case), (Class::Needed, false));
        }
    }

    #[test]
    fn a_bit_that_is_dropped_in_silence_is_advisory_but_not_certain() {
        let case = at("6.1", Capability::FSETID, &["setattr_copy"], "fchmodat");
        assert_eq!(class(&case), (Class::Advisory, false));
    }

    /// A check at a place, made by a system call with these arguments.
    fn called(
        capability: Capability,
        stack: &[&str],
        syscall: &'static str,
        given: &[u64],
    ) -> Case {
        let mut arguments = [0; 6];
        arguments[..given.len()].copy_from_slice(given);
        let mut case = at("6.1", capability, stack, syscall);
        let call = Call {
            name: syscall,
            arguments: &arguments,
        };
        case.place = case.place.map(|place| place.in_call(&call));
        case
    }

    #[test]
    fn a_set_group_id_bit_that_chmod_asks_for_is_a_need() {
        for function in ["setattr_copy", "setattr_prepare"] {
            let fchmod = |mode| called(Capability::FSETID, &[function], "fchmod", &[3, mode]);
            let case = fchmod(0o2755);
            assert_eq!(class(&case), (Class::Needed, true), "{function}");
            let mut refused = case;
            refused.facts.verdict = Some(Verdict::Denied(libc::EPERM));
            refused.outcome = Outcome::SyscallSucceeded;
            assert_eq!(class(&refused).0, Class::Denied, "{function}");
            let case = fchmod(0o755);
            assert_eq!(class(&case), (Class::AskedNotNeeded, true), "{function}");
        }
        let case = called(
            Capability::FSETID,
            &["setattr_copy"],
            "fchmod",
            &[3, 0o2755],
        );
        assert_eq!(
            finding(&case).why.to_string(),
            "granted in setattr_copy, for fchmod(2): without it, chmod(2) drops the set-group-ID bit, \
             if one is set, of a file whose group the caller is not in"
        );
        let case = called(Capability::FSETID, &["setattr_copy"], "fchmod", &[3, 0o755]);
        assert_eq!(
            finding(&case).why.to_string(),
            "asked in setattr_copy, for fchmod(2), which needs no capability with the arguments of \
             this call; with others, chmod(2) drops the set-group-ID bit, if one is set, of a file \
             whose group the caller is not in"
        );
    }

    #[test]
    fn the_arguments_choose_the_sentence() {
        let why = |capability, stack: &[&str], syscall, given: &[u64]| {
            let case = called(capability, stack, syscall, given);
            finding(&case).why.to_string()
        };
        let socket = [3, libc::SOL_SOCKET as u64, libc::SO_MARK as u64];
        assert_eq!(
            why(
                Capability::NET_ADMIN,
                &["sk_setsockopt"],
                "setsockopt",
                &socket
            ),
            "granted in sk_setsockopt, for setsockopt(2): without it, setsockopt(2) with SO_MARK \
             fails"
        );
        assert_eq!(
            why(
                Capability::SYS_ADMIN,
                &["random_ioctl"],
                "ioctl",
                &[3, 0x5204]
            ),
            "granted in random_ioctl, for ioctl(2): without it, the ioctl RNDZAPENTCNT fails"
        );
        assert_eq!(
            why(Capability::SYS_ADMIN, &["__x64_sys_keyctl"], "keyctl", &[5]),
            "granted in __x64_sys_keyctl, for keyctl(2): without it, keyctl(2) KEYCTL_SETPERM on \
             another user's key fails"
        );
        assert_eq!(
            why(Capability::SYS_ADMIN, &["__sys_bpf"], "bpf", &[32]),
            "granted in __sys_bpf, for bpf(2): without it, bpf(2) with BPF_ENABLE_STATS fails"
        );
        assert_eq!(
            why(
                Capability::SYS_RESOURCE,
                &["__x64_sys_prctl"],
                "prctl",
                &[57]
            ),
            "granted in __x64_sys_prctl, for prctl(2): without it, prctl(2) with \
             PR_SET_IO_FLUSHER fails"
        );
        let vlan = why(
            Capability::NET_ADMIN,
            &["vlan_ioctl_handler"],
            "ioctl",
            &[3, 0x8983],
        );
        assert!(
            vlan.contains("one of these, and which is in the program's memory"),
            "{vlan}"
        );
        let unknown = [3, libc::SOL_SOCKET as u64, 9999];
        let several = why(
            Capability::NET_ADMIN,
            &["sk_setsockopt"],
            "setsockopt",
            &unknown,
        );
        assert!(
            several.contains("one of these, and the check does not tell which: "),
            "{several}"
        );
    }

    #[test]
    fn a_call_that_cannot_be_refused_needs_nothing_though_it_is_asked() {
        let class_of = |capability, function, syscall, given: &[u64]| {
            class(&called(capability, &[function], syscall, given))
        };
        let asked = (Class::AskedNotNeeded, true);
        let bpf = |command| class_of(Capability::BPF, "__sys_bpf", "bpf", &[command]);
        assert_eq!(bpf(7), asked, "BPF_OBJ_GET");
        assert_eq!(bpf(5), (Class::Needed, false), "BPF_PROG_LOAD");
        let keys = |request| {
            class_of(
                Capability::SYS_TTY_CONFIG,
                "vt_k_ioctl",
                "ioctl",
                &[3, request],
            )
        };
        assert_eq!(keys(0x4b4c), asked, "KDGETKEYCODE");
        assert_eq!(keys(0x4b4d), (Class::Needed, true), "KDSETKEYCODE");
        let mark = |flags| {
            class_of(
                Capability::SYS_ADMIN,
                "do_fanotify_mark",
                "fanotify_mark",
                &[3, flags],
            )
        };
        assert_eq!(mark(0x1), asked, "FAN_MARK_ADD of a file");
        assert_eq!(mark(0x101), (Class::Needed, true), "FAN_MARK_FILESYSTEM");
        let xfs = |syscall| class_of(Capability::FOWNER, "xfs_setattr_nonsize", syscall, &[]);
        assert_eq!(xfs("utimensat"), asked);
        assert_eq!(xfs("fchownat"), (Class::Needed, false));
    }

    #[test]
    fn a_program_that_asks_for_more_than_it_has_may_go_on_without() {
        let force = [3, libc::SOL_SOCKET as u64, libc::SO_RCVBUFFORCE as u64];
        let case = called(
            Capability::NET_ADMIN,
            &["sk_setsockopt"],
            "setsockopt",
            &force,
        );
        assert_eq!(class(&case), (Class::CouldNotTell, false));
        let why = finding(&case).why.to_string();
        assert!(
            why.contains("SO_RCVBUFFORCE") && why.ends_with("try without"),
            "{why}"
        );
        let mut limit = at(
            "6.1",
            Capability::SYS_RESOURCE,
            &["do_prlimit"],
            "prlimit64",
        );
        assert_eq!(class(&limit), (Class::CouldNotTell, false));
        limit.facts.verdict = Some(Verdict::Denied(libc::EPERM));
        limit.outcome = Outcome::SyscallFailed(libc::EPERM);
        assert_eq!(class(&limit).0, Class::Denied);
    }

    #[test]
    fn what_is_looked_at_below_proc_sys_net_needs_nothing() {
        let of = |syscall, given: &[u64]| {
            class(&called(
                Capability::NET_ADMIN,
                &["net_ctl_permissions"],
                syscall,
                given,
            ))
        };
        let asked = (Class::AskedNotNeeded, true);
        assert_eq!(of("newfstatat", &[]), asked);
        assert_eq!(of("openat", &[0, 0, libc::O_DIRECTORY as u64]), asked);
        assert_eq!(
            of("openat", &[0, 0, libc::O_RDONLY as u64]),
            (Class::Needed, false)
        );
    }

    #[test]
    fn an_unknown_function_is_told_by_a_system_call_that_only_chooses() {
        let mut case = granted(Capability::BLOCK_SUSPEND, "", "epoll_ctl");
        case.facts.audit = audited(true);
        assert_eq!(finding(&case).class, Class::Needed);
        let case = granted(Capability::SYS_ADMIN, "", "chroot");
        assert_eq!(finding(&case).class, Class::Needed);
    }
}
