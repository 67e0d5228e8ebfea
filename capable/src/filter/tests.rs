use std::path::PathBuf;

use capable_common::Config;

use super::*;
use crate::{
    capability::{Capability, CapabilitySet},
    event::ProcessId,
    kernel::trace::filters::{Numbers, Results},
};

fn all(parts: impl IntoIterator<Item = Expression>) -> Expression {
    parts
        .into_iter()
        .fold(Expression::everything(), Expression::and)
}

fn lowered(parts: impl IntoIterator<Item = Expression>) -> crate::kernel::trace::filters::Filters {
    lower(&all(parts)).unwrap()
}

fn numbers(ids: &[ProcessId]) -> Vec<u32> {
    ids.iter().map(|id| id.pid).collect()
}

#[test]
fn everything_keeps_everything() {
    let filters = lowered([]);
    assert!(filters.pids.is_empty() && filters.comms.is_empty());
    assert_eq!(filters.capabilities, None);
    assert_eq!(filters.result, Results::All);
}

#[test]
fn each_condition_reaches_the_list_of_its_field_and_no_other() {
    let directory = PathBuf::from("/sys/fs/cgroup/a");
    let filters = lowered([
        Expression::any([Condition::Process(1), Condition::Process(2)]),
        Condition::Thread(3).into(),
        Condition::User(4).into(),
        Condition::Group(8).into(),
        Condition::Comm("ssh*".to_owned()).into(),
        Condition::Capability(Capability::CHOWN).into(),
        Condition::Denied.into(),
        Condition::Cgroup(directory.clone()).into(),
        Condition::UserNamespace(5).into(),
        Condition::MountNamespace(6).into(),
        Condition::PidNamespace(7).into(),
    ]);
    assert_eq!(numbers(&filters.pids), [1, 2]);
    assert_eq!(numbers(&filters.tids), [3]);
    assert_eq!(filters.users, Numbers::Only(vec![4]));
    assert_eq!(filters.groups, Numbers::Only(vec![8]));
    assert_eq!(filters.comms.len(), 1);
    assert_eq!(filters.capabilities, Some(Capability::CHOWN.into()));
    assert_eq!(filters.result, Results::Denied);
    assert_eq!(filters.cgroups, [directory]);
    assert_eq!(filters.user_namespaces, [5]);
    assert_eq!(filters.mount_namespaces, [6]);
    assert_eq!(filters.pid_namespaces, [7]);
}

#[test]
fn what_must_hold_at_once_is_intersected() {
    let filters = lowered([
        Expression::any([Condition::User(0), Condition::User(33)]),
        Expression::any([Condition::User(33), Condition::User(65534)]),
        !Expression::any([
            Condition::Capability(Capability::CHOWN),
            Condition::Capability(Capability::KILL),
        ]),
        !Expression::from(Condition::Granted),
    ]);
    assert_eq!(filters.users, Numbers::Only(vec![33]));
    let kept = filters.capabilities.unwrap_or(CapabilitySet::EMPTY);
    assert!(!kept.contains(Capability::CHOWN) && !kept.contains(Capability::KILL));
    assert!(kept.contains(Capability::SYS_ADMIN));
    assert_eq!(filters.result, Results::Denied);
}

#[test]
fn users_and_groups_can_be_left_out_before_and_after_others_are_kept() {
    let kept = Expression::any([
        Condition::Group(0),
        Condition::Group(5),
        Condition::Group(6),
    ]);
    let dropped = !Expression::any([Condition::Group(5), Condition::Group(7)]);
    let without = lowered([dropped.clone(), !Expression::from(Condition::User(1))]);
    assert_eq!(without.groups, Numbers::AllBut(vec![5, 7]));
    assert_eq!(without.users, Numbers::AllBut(vec![1]));
    for parts in [[kept.clone(), dropped.clone()], [dropped, kept]] {
        assert_eq!(lowered(parts).groups, Numbers::Only(vec![0, 6]));
    }
    let nobody = all([
        Condition::User(1).into(),
        !Expression::from(Condition::User(1)),
    ]);
    assert_eq!(
        lower(&nobody).unwrap_err(),
        LowerError::NothingMatches(Field::User)
    );
}

#[test]
fn what_no_check_can_satisfy_is_an_error() {
    let never = [
        all([Condition::User(0).into(), Condition::User(1).into()]),
        all([Condition::Granted.into(), Condition::Denied.into()]),
        all([
            Condition::Capability(Capability::CHOWN).into(),
            !Expression::from(Condition::Capability(Capability::CHOWN)),
        ]),
    ];
    for expression in never {
        let error = lower(&expression).unwrap_err();
        assert!(
            matches!(error, LowerError::NothingMatches(_)),
            "{expression:?}: {error}"
        );
    }
    assert_eq!(
        lower(&Expression::any([])).unwrap_err(),
        LowerError::EmptyChoice
    );
}

#[test]
fn what_the_kernel_side_cannot_decide_is_an_error_and_not_left_out() {
    let mixed = Expression::any([Condition::User(0), Condition::Process(1)]);
    assert_eq!(
        lower(&mixed).unwrap_err(),
        LowerError::MixedChoice(Field::User, Field::Process)
    );
    let excluded = !Expression::from(Condition::Comm("cron".to_owned()));
    assert_eq!(
        lower(&excluded).unwrap_err(),
        LowerError::Exclusion(Field::Comm)
    );
    let two = all(["a*", "*b"].map(|glob| Condition::Comm(glob.to_owned()).into()));
    assert_eq!(lower(&two).unwrap_err(), LowerError::TwoLists(Field::Comm));
    let combined = !all([Condition::User(0).into(), Condition::Granted.into()]);
    assert_eq!(lower(&combined).unwrap_err(), LowerError::Combined);
    let glob = Expression::from(Condition::Comm("[a".to_owned()));
    assert!(matches!(lower(&glob), Err(LowerError::Glob(_))));
}

#[test]
fn an_expression_is_written_in_words() {
    let said = |expression: Expression| expression.to_string();
    assert_eq!(said(Expression::everything()), "every check");
    assert_eq!(said(Condition::Process(7).into()), "process 7");
    let capabilities = [Capability::CHOWN, Capability::KILL].map(Condition::Capability);
    assert_eq!(
        said(all([
            Expression::any([Condition::Process(7), Condition::Process(8)]),
            Condition::Denied.into(),
            !Expression::any(capabilities),
        ])),
        "(process 7 or process 8) and denied and not (CAP_CHOWN or CAP_KILL)"
    );
    assert_eq!(
        said(all([Expression::any([
            Condition::Comm("ssh*".to_owned()),
            Condition::Cgroup(PathBuf::from("/a")),
        ])])),
        "name ssh* or cgroup /a"
    );
    assert_eq!(said(!Expression::from(Condition::User(0))), "not user 0");
    assert_eq!(said(Expression::any([])), "no check");
}

#[test]
fn three_containers_can_be_followed_by_name_and_for_more_the_room_is_told() {
    let configured = |count: usize| {
        let names = (0..count).map(|number| Condition::Container(format!("web{number}")));
        lowered([Expression::any(names)]).configure(&mut { Config::PLAIN })
    };
    assert!(configured(3).is_ok());
    let error = configured(4).unwrap_err().to_string();
    assert!(error.contains("they take 40 patterns"), "{error}");
    assert!(error.contains("there is room for 32"), "{error}");
}
