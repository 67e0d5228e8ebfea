//! What is decoded from a check, in whichever form the kernel side sent it.

use capable_common::{COMM_LENGTH, Check, CountKey, RecordKind, SYSCALL_NONE};

use super::*;

/// The flags of an audited check over the task's own namespace, in a record in which everything is
/// known that a kernel can tell.
pub(crate) const EVERYTHING_KNOWN: u32 = Flags::AUDIT_KNOWN
    | Flags::AUDITED
    | Flags::INSETID_KNOWN
    | Flags::RESULT_KNOWN
    | Flags::CREDENTIALS_KNOWN
    | Flags::NAMESPACE_KNOWN
    | Flags::NAMESPACE_OWN
    | Flags::OWNER_KNOWN
    | Flags::TASK_KNOWN
    | Flags::SYSCALL_KNOWN
    | Flags::INNER_PID_KNOWN
    | Flags::PARENT_KNOWN
    | Flags::GROUP_KNOWN
    | Flags::MOUNT_NAMESPACE_KNOWN;

/// The facts of a granted check of which nothing else is known.
pub(crate) fn granted(capability: Capability) -> Facts {
    let result = Flags::RESULT_KNOWN;
    Facts::of_check(&check(capability.number(), result, 0))
}

/// The facts of a denied check of which nothing else is known.
pub(crate) fn denied(capability: Capability) -> Facts {
    let result = Flags::RESULT_KNOWN;
    Facts::of_check(&check(capability.number(), result, -libc::EPERM))
}

/// The facts of a check of which the capability is known, and nothing else.
pub(crate) fn undecided(capability: Capability) -> Facts {
    Facts::of_check(&check(capability.number(), 0, 0))
}

/// A check of which nothing is known.
#[cfg(feature = "cli")]
pub(crate) fn plain() -> Check {
    check(0, 0, 0)
}

fn check(capability: i32, flags: u32, result: i32) -> Check {
    Check {
        kind: RecordKind::Check as u16,
        kernel_frames: 0,
        user_frames: 0,
        processor: 0,
        time: 0,
        cgroup: 0,
        effective: 0,
        pid: 1,
        tid: 1,
        uid: 0,
        euid: 0,
        capability,
        options: 0,
        result,
        target_namespace: INITIAL_USER_NAMESPACE,
        credential_namespace: 0,
        flags,
        comm: [0; COMM_LENGTH],
    }
}

fn count_key(capability: i32, flags: u32, result: i32) -> CountKey {
    CountKey {
        subject: 1,
        caller: 0,
        flags,
        capability,
        result,
        syscall: SYSCALL_NONE,
        comm: [0; COMM_LENGTH],
    }
}

/// Every bit that says "known".
const ALL_KNOWN: u32 = Flags::AUDIT_KNOWN
    | Flags::INSETID_KNOWN
    | Flags::RESULT_KNOWN
    | Flags::CREDENTIALS_KNOWN
    | Flags::NAMESPACE_KNOWN
    | Flags::OWNER_KNOWN
    | Flags::TASK_KNOWN;

/// Words of flags in which each bit is set in many and clear in many.
fn words() -> impl Iterator<Item = u32> {
    (0..2_000_u32).flat_map(|number| {
        let word = number.wrapping_mul(0x9E37_79B9) >> 7;
        [word, word | ALL_KNOWN]
    })
}

#[test]
fn an_event_says_of_each_fact_what_all_facts_say_at_once() {
    for flags in words() {
        for result in [0, -libc::EPERM] {
            let check = check(21, flags, result);
            let event = Event::bare(&check);
            let credentials = event.credentials();
            assert_eq!(
                Facts {
                    capability: event.capability(),
                    verdict: event.verdict(),
                    audit: event.audit(),
                    insetid: event.insetid(),
                    owner: credentials.map_or_else(
                        || CredentialOwner::of(flags),
                        |credentials| credentials.owner
                    ),
                    target: event.target_namespace(),
                    task: event.task(),
                },
                event.facts(),
                "{flags:#x}"
            );
        }
    }
}

#[test]
fn a_record_and_a_count_say_the_same() {
    for flags in words().map(|flags| flags | Flags::NAMESPACE_INITIAL) {
        let record = Facts::of_check(&check(21, flags, 0));
        assert_eq!(Facts::of_count(&count_key(21, flags, 0), true), record);
        let mut elsewhere = check(21, flags, 0);
        elsewhere.target_namespace = 4_026_532_000;
        let counted = count_key(21, flags & !Flags::NAMESPACE_INITIAL, 0);
        assert_eq!(Facts::of_count(&counted, true), Facts::of_check(&elsewhere));
    }
}

#[test]
fn a_count_without_its_origin_does_not_say_over_which_namespace() {
    let key = count_key(21, ALL_KNOWN | Flags::NAMESPACE_OWN, 0);
    assert_eq!(Facts::of_count(&key, false).target, None);
}

#[test]
fn what_is_not_known_is_never_no() {
    let nothing = !(ALL_KNOWN);
    for flags in words().map(|flags| flags & nothing) {
        assert_eq!(
            Facts::of_check(&check(21, flags, -1)),
            undecided(Capability::SYS_ADMIN)
        );
    }
}

#[test]
fn what_the_owner_of_a_namespace_is_granted_anyhow_is_no_use_of_the_bit() {
    let below = ALL_KNOWN | Flags::NAMESPACE_BELOW;
    let verdict = |flags| Facts::of_check(&check(21, flags, 0)).verdict;
    let owned = below | Flags::NAMESPACE_OWNED;
    assert_eq!(verdict(below), Some(Verdict::Granted));
    assert_eq!(verdict(owned), Some(Verdict::GrantedByBoth));
    assert_eq!(
        verdict(owned | Flags::BY_OWNERSHIP),
        Some(Verdict::GrantedByOwnership)
    );
}
