//! Reasons for refusals, by what was observed.

use super::*;
use crate::{
    capability::CapabilitySet,
    event::{
        Component, INITIAL_USER_NAMESPACE, Relation, TargetNamespace,
        surroundings::tests::{component, way},
    },
    profile::{
        Outcome,
        observation::tests::{denied, times},
    },
};

/// A system with Debian's users and settings.
struct Debian;

impl System for Debian {
    fn user(&self, uid: u32) -> String {
        match uid {
            0 => "root".to_owned(),
            65534 => "nobody".to_owned(),
            uid => uid.to_string(),
        }
    }

    fn group(&self, gid: u32) -> String {
        match gid {
            0 => "root".to_owned(),
            42 => "shadow".to_owned(),
            gid => gid.to_string(),
        }
    }

    fn setting(&self, name: &str) -> Option<String> {
        let value = match name {
            "fs.nr_open" => "1048576",
            "fs.protected_regular" => "2",
            "fs.protected_fifos" => "1",
            "net.ipv4.ip_unprivileged_port_start" => "1024",
            _ => return None,
        };
        Some(value.to_owned())
    }

    fn label(&self) -> Option<String> {
        None
    }
}

/// The credentials of nobody, with these sets.
fn nobody(effective: CapabilitySet, permitted: CapabilitySet) -> Held {
    Held {
        credentials: HeldCredentials {
            uid: 65534,
            euid: 65534,
            fsuid: 65534,
            fsgid: 65534,
            effective,
            permitted,
            inheritable: CapabilitySet::EMPTY,
            bounding: CapabilitySet::from_bits(u64::MAX >> 23),
            ambient: CapabilitySet::EMPTY,
            securebits: 0,
            namespace: INITIAL_USER_NAMESPACE,
        },
        groups: Some(Vec::new()),
        no_new_privileges: Some(false),
        seccomp: Some(false),
        landlock: Some(false),
    }
}

/// A call of nobody's that failed with this errno.
fn refused(name: &'static str, errno: i32) -> Refusal {
    Refusal {
        program: "prog".into(),
        pid: 7,
        count: 1,
        first: 0,
        call: RefusedCall {
            name,
            arguments: [0; 6],
            errno: Some(errno),
            text: None,
            second: None,
            path: None,
            file: None,
            target: None,
        },
        held: Some(nobody(CapabilitySet::EMPTY, CapabilitySet::EMPTY)),
        denied: Vec::new(),
        granted: Vec::new(),
        surroundings: None,
    }
}

/// The same for a file, which lies at the end of this way.
fn refused_file(name: &'static str, errno: i32, components: &[Component]) -> Refusal {
    let surroundings = way(components);
    let mut refusal = refused(name, errno);
    refusal.call.text = Some(surroundings.resolved.clone());
    refusal.surroundings = Some(Ok(surroundings));
    refusal
}

fn directory(path: &str, mode: u32) -> Component {
    component(path, libc::S_IFDIR | mode, 0, 0)
}

fn file(path: &str, mode: u32, uid: u32, gid: u32) -> Component {
    component(path, libc::S_IFREG | mode, uid, gid)
}

/// A check that was denied in a call.
fn check(capability: Capability, caller: &str, call: &'static str) -> Observation {
    times(1, denied(capability, caller, call, Outcome::Unknown))
}

fn explained(refusal: &Refusal) -> (RefusalKind, String) {
    let explained = refusal.explain(&Debian);
    (explained.verdict, explained.sentences.join(" "))
}

#[test]
fn a_file_that_its_group_may_read_says_so() {
    let mut refusal = refused_file(
        "openat",
        libc::EACCES,
        &[
            directory("/", 0o755),
            directory("/etc", 0o755),
            file("/etc/shadow", 0o640, 0, 42),
        ],
    );
    refusal.denied = vec![
        check(Capability::DAC_READ_SEARCH, "generic_permission", "openat"),
        check(Capability::DAC_OVERRIDE, "generic_permission", "openat"),
    ];
    let explained = refusal.explain(&Debian);
    assert_eq!(explained.verdict, RefusalKind::Capability);
    assert_eq!(explained.capability, Some(Capability::DAC_READ_SEARCH));
    assert_eq!(explained.object, "/etc/shadow");
    let text = explained.sentences.join(" ");
    for part in [
        "CAP_DAC_READ_SEARCH would allow it, and was not held.",
        "The file /etc/shadow is -rw-r----- root shadow, so membership in the group shadow is \
         enough.",
        "It would also allow to read every file and search every directory.",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn the_directory_that_refuses_is_named_not_the_file() {
    let mut refusal = refused_file(
        "openat",
        libc::EACCES,
        &[
            directory("/", 0o755),
            directory("/root", 0o700),
            file("/root/x", 0o644, 0, 0),
        ],
    );
    refusal.denied = vec![check(
        Capability::DAC_READ_SEARCH,
        "generic_permission",
        "openat",
    )];
    let (_, text) = explained(&refusal);
    let part = "The directory /root is drwx------ root root; the user nobody may not search in it.";
    assert!(text.contains(part), "{text}");
}

#[test]
fn what_is_permitted_but_not_effective_must_be_raised() {
    let mut refusal = refused("bind", libc::EACCES);
    let bind = CapabilitySet::from_iter([Capability::NET_BIND_SERVICE]);
    refusal.held = Some(nobody(CapabilitySet::EMPTY, bind));
    refusal.denied = vec![check(Capability::NET_BIND_SERVICE, "__inet_bind", "bind")];
    let (verdict, text) = explained(&refusal);
    assert_eq!(verdict, RefusalKind::NotEffective);
    assert!(text.contains("permitted but not effective"), "{text}");
}

#[test]
fn what_is_held_in_another_namespace_does_not_count() {
    let mut refusal = refused("mount", libc::EPERM);
    let all = CapabilitySet::from_bits(u64::MAX >> 23);
    refusal.held = Some(nobody(all, all));
    let mut denied = check(Capability::SYS_ADMIN, "__x64_sys_mount", "mount");
    denied.case.facts.target = Some(TargetNamespace {
        relation: Relation::Outside,
        initial: true,
    });
    denied.case.target_is_home = Some(true);
    refusal.denied = vec![denied];
    let (verdict, text) = explained(&refusal);
    assert_eq!(verdict, RefusalKind::Namespace);
    assert!(text.contains("in the wrong user namespace"), "{text}");
    assert!(text.contains("the initial one"), "{text}");
}

#[test]
fn a_port_has_another_way() {
    let mut refusal = refused("bind", libc::EACCES);
    refusal.call.text = Some(vec![2, 0, 0, 80, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    refusal.denied = vec![check(Capability::NET_BIND_SERVICE, "__inet_bind", "bind")];
    let explained = refusal.explain(&Debian);
    assert_eq!(explained.object, "127.0.0.1:80");
    let text = explained.sentences.join(" ");
    assert!(text.contains("a port from 1024 on"), "{text}");
}

#[test]
fn an_attribute_of_a_file_is_no_capabilitys_fault() {
    let mut immutable = file("/run/x", 0o644, 0, 0);
    immutable.immutable = Some(true);
    let way = [directory("/", 0o755), directory("/run", 0o755), immutable];
    for (call, flags) in [("openat", libc::O_WRONLY), ("unlinkat", 0), ("fchmodat", 0)] {
        let mut refusal = refused_file(call, libc::EPERM, &way);
        refusal.call.arguments[2] = flags as u64;
        let (verdict, text) = explained(&refusal);
        assert_eq!(verdict, RefusalKind::Other, "{call}");
        for part in ["No capability would help", "immutable", "chattr -i /run/x"] {
            assert!(text.contains(part), "{call}: {text}");
        }
    }
}

#[test]
fn a_sticky_directory_protects_the_files_of_others() {
    let way = [
        directory("/", 0o755),
        directory("/tmp", 0o1777),
        file("/tmp/x", 0o666, 1000, 1000),
    ];
    let mut refusal = refused_file("openat", libc::EACCES, &way);
    refusal.call.arguments[2] = (libc::O_WRONLY | libc::O_CREAT) as u64;
    let (verdict, text) = explained(&refusal);
    assert_eq!(verdict, RefusalKind::Other);
    for part in ["fs.protected_regular is 2", "sticky", "O_CREAT"] {
        assert!(text.contains(part), "{text}");
    }
    refusal.call.arguments[2] = libc::O_WRONLY as u64;
    assert_eq!(explained(&refusal).0, RefusalKind::Unknown);
}

#[test]
fn a_mount_that_is_read_only_is_named() {
    let mut last = directory("/srv", 0o755);
    last.mount.read_only = true;
    last.mount.point = b"/srv".to_vec();
    let refusal = refused_file("mkdir", libc::EROFS, &[directory("/", 0o755), last]);
    let (verdict, text) = explained(&refusal);
    assert_eq!(verdict, RefusalKind::Other);
    assert!(text.contains("/srv is mounted read-only"), "{text}");
}

#[test]
fn a_device_that_a_cgroup_refuses_is_not_given_a_capability() {
    let null = component("/dev/x", libc::S_IFCHR | 0o666, 0, 0);
    let way = [directory("/", 0o755), directory("/dev", 0o755), null];
    let (verdict, text) = explained(&refused_file("openat", libc::EPERM, &way));
    assert_eq!(verdict, RefusalKind::Other);
    assert!(text.contains("device cgroup"), "{text}");
    let mut made = refused("mknod", libc::EPERM);
    made.call.arguments[1] = u64::from(libc::S_IFCHR | 0o644);
    made.granted = vec![Capability::MKNOD];
    let (_, text) = explained(&made);
    assert!(
        text.contains("CAP_MKNOD was asked for and granted"),
        "{text}"
    );
}

#[test]
fn confinement_is_told_where_nothing_else_is_found() {
    let with = |change: fn(&mut Held)| {
        let mut refusal = refused("openat", libc::EACCES);
        change(refusal.held.as_mut().unwrap());
        explained(&refusal)
    };
    let (verdict, text) = with(|held| held.landlock = Some(true));
    assert_eq!(verdict, RefusalKind::Other);
    assert!(text.contains("Landlock"), "{text}");
    let (verdict, text) = with(|held| held.seccomp = Some(true));
    assert_eq!(verdict, RefusalKind::Other);
    assert!(text.contains("seccomp filter"), "{text}");
    let (verdict, text) = with(|_| ());
    assert_eq!(verdict, RefusalKind::Unknown);
    assert!(text.contains("Ruled out: seccomp, Landlock"), "{text}");
}

#[test]
fn an_ambient_capability_says_which_set_lacks_it() {
    let mut refusal = refused("prctl", libc::EPERM);
    refusal.call.arguments = [47, 2, 13, 0, 0, 0];
    let raw = CapabilitySet::from_iter([Capability::NET_RAW]);
    refusal.held = Some(nobody(raw, raw));
    let (_, text) = explained(&refusal);
    assert!(text.contains("it is not inheritable"), "{text}");
    assert!(text.contains("CAP_NET_RAW"), "{text}");
}

#[test]
fn a_limit_that_nobody_may_pass_is_told() {
    let mut refusal = refused("prlimit64", libc::EPERM);
    refusal.call.arguments[1] = u64::from(libc::RLIMIT_NOFILE);
    let explained = refusal.explain(&Debian);
    assert_eq!(explained.object, "RLIMIT_NOFILE");
    assert!(explained.sentences[0].contains("fs.nr_open, which is 1048576"));
}

#[test]
fn a_refusal_is_text_of_a_few_lines_that_cannot_control_a_terminal() {
    let mut refusal = refused_file(
        "openat",
        libc::EROFS,
        &[directory("/", 0o755), directory("/\x1b[2J", 0o755)],
    );
    refusal.count = 3;
    let text = refusal.explain(&Debian).text(80);
    assert!(
        text.starts_with("prog (7): openat /\\x1b[2J: EROFS (3×)\n  "),
        "{text}"
    );
    assert!(!text.contains('\x1b') && text.ends_with('\n'), "{text}");
}

#[test]
fn a_directory_cannot_be_linked_to_by_anybody() {
    struct Protected;
    impl System for Protected {
        fn user(&self, uid: u32) -> String {
            Debian.user(uid)
        }
        fn group(&self, gid: u32) -> String {
            Debian.group(gid)
        }
        fn setting(&self, name: &str) -> Option<String> {
            (name == "fs.protected_hardlinks").then(|| "1".to_owned())
        }
        fn label(&self) -> Option<String> {
            None
        }
    }
    let way = [directory("/", 0o755), directory("/run", 0o755)];
    let refusal = refused_file("linkat", libc::EPERM, &way);
    let text = refusal.explain(&Protected).sentences.join(" ");
    assert!(text.contains("/run is a directory"), "{text}");
}

#[test]
fn a_filter_may_be_the_reason_where_another_one_is_only_likely() {
    for (call, first) in [("ptrace", 16), ("unshare", libc::CLONE_NEWUSER as u64)] {
        let mut refusal = refused(call, libc::EPERM);
        refusal.call.arguments[0] = first;
        let (_, without) = explained(&refusal);
        assert!(!without.contains("seccomp filter"), "{without}");
        refusal.held.as_mut().unwrap().seccomp = Some(true);
        let (_, with) = explained(&refusal);
        assert!(
            with.contains("seccomp filter") && with.contains("most likely"),
            "{with}"
        );
    }
}

#[test]
fn with_a_full_bounding_set_no_file_lacks_anything_of_it() {
    let mut refusal = refused("execve", libc::EPERM);
    assert_eq!(explained(&refusal).0, RefusalKind::Unknown);
    let held = &mut refusal.held.as_mut().unwrap().credentials;
    held.bounding = CapabilitySet::from_iter([Capability::KILL]);
    let (verdict, text) = explained(&refusal);
    assert_eq!(verdict, RefusalKind::Other);
    assert!(
        text.contains("the bounding set lacks one of them"),
        "{text}"
    );
}
