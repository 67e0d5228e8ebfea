use super::*;

fn all() -> CapabilitySet {
    CapabilitySet::ALL_NAMED
}

/// The capabilities of root.
fn root() -> Sets {
    Sets {
        effective: all(),
        permitted: all(),
        inheritable: CapabilitySet::EMPTY,
        bounding: all(),
        ambient: CapabilitySet::EMPTY,
    }
}

fn nobody() -> Option<Identity> {
    Some(Identity {
        user: Some(65534),
        group: 65534,
        groups: vec![65534],
    })
}

/// The steps other than those that reduce the bounding set, and the number of the latter.
fn steps(cage: &Cage, own: &Sets) -> (usize, Vec<Step>) {
    let mut steps = cage.steps_from(own, all()).unwrap();
    let drops = steps
        .iter()
        .take_while(|step| matches!(step, Step::DropBounding(_)))
        .count();
    (drops, steps.split_off(drops))
}

fn sets(permitted: &str, inheritable: &str) -> Step {
    Step::SetSets {
        effective: permitted.parse().unwrap(),
        permitted: permitted.parse().unwrap(),
        inheritable: inheritable.parse().unwrap(),
    }
}

#[test]
fn another_user_keeps_exactly_what_was_given() {
    let cage = Cage {
        identity: nobody(),
        holding: Holding::Exactly("net_raw".parse().unwrap()),
        no_new_privs: true,
        ..Cage::default()
    };
    let (drops, rest) = steps(&cage, &root());
    assert_eq!(drops, all().len() - 1);
    assert_eq!(
        rest,
        [
            Step::KeepPermitted,
            Step::SetGroups(vec![65534]),
            Step::SetGroup(65534),
            Step::SetUser(65534),
            sets("net_raw", "net_raw"),
            Step::ClearAmbient,
            Step::RaiseAmbient(Capability::NET_RAW),
            Step::SetNoNewPrivs,
        ]
    );
}

#[test]
fn secure_bits_are_set_after_ambient_and_before_setpcap_goes() {
    let cage = Cage {
        identity: nobody(),
        holding: Holding::Exactly("net_raw".parse().unwrap()),
        secure_bits: Some(SecureBits::from_names("no-cap-ambient-raise")),
        ..Cage::default()
    };
    let (_, rest) = steps(&cage, &root());
    assert_eq!(
        rest[4..],
        [
            sets("net_raw,setpcap", "net_raw"),
            Step::ClearAmbient,
            Step::RaiseAmbient(Capability::NET_RAW),
            Step::SetSecureBits(1 << 6),
            sets("net_raw", "net_raw"),
        ]
    );
}

#[test]
fn what_is_dropped_leaves_every_set() {
    let cage = Cage {
        holding: Holding::Without("sys_admin".parse().unwrap()),
        ..Cage::default()
    };
    let steps = cage.steps_from(&root(), all()).unwrap();
    let rest = all().difference(Capability::SYS_ADMIN.into());
    assert_eq!(
        steps,
        [
            Step::DropBounding(Capability::SYS_ADMIN),
            Step::SetSets {
                effective: rest,
                permitted: rest,
                inheritable: CapabilitySet::EMPTY,
            },
        ]
    );
}

#[test]
fn another_user_without_more_holds_nothing() {
    let cage = Cage {
        identity: nobody(),
        ..Cage::default()
    };
    let (drops, rest) = steps(&cage, &root());
    assert_eq!(drops, 0);
    assert_eq!(rest[3..], [sets("none", "none"), Step::ClearAmbient]);
}

#[test]
fn what_is_not_held_cannot_be_given_and_the_error_names_it() {
    let cage = Cage {
        holding: Holding::Exactly("net_raw,sys_time".parse().unwrap()),
        ..Cage::default()
    };
    let mut own = root();
    own.permitted.remove(Capability::SYS_TIME);
    let error = cage.steps_from(&own, all()).unwrap_err().to_string();
    assert!(
        error.contains("cannot give the command CAP_SYS_TIME"),
        "{error}"
    );
    let mut own = root();
    own.effective.remove(Capability::SETPCAP);
    let error = cage.steps_from(&own, all()).unwrap_err().to_string();
    assert!(error.contains("CAP_SETPCAP"), "{error}");
}

#[test]
fn all_is_all_that_the_kernel_knows() {
    let cage = Cage {
        holding: Holding::Exactly(all()),
        ..Cage::default()
    };
    let mut own = root();
    own.permitted.remove(Capability::CHECKPOINT_RESTORE);
    own.bounding.remove(Capability::CHECKPOINT_RESTORE);
    let known = own.permitted;
    let steps = cage.steps_from(&own, known).unwrap();
    assert!(!steps.contains(&Step::RaiseAmbient(Capability::CHECKPOINT_RESTORE)));
    assert!(steps.contains(&Step::RaiseAmbient(Capability::CHOWN)));
}

#[test]
fn typing_is_refused_while_it_can_be() {
    let refuse = |cage: &Cage, own: &Sets| {
        let mut steps = vec![Step::ClearAmbient];
        cage.refuse_typing(own, &mut steps).map(|()| steps)
    };
    let cage = Cage {
        no_new_privs: true,
        ..Cage::default()
    };
    let (first, last) = (
        [Step::RefuseTyping, Step::ClearAmbient],
        [Step::ClearAmbient, Step::RefuseTyping],
    );
    assert_eq!(refuse(&cage, &root()).unwrap(), first);
    let mut own = root();
    own.effective.remove(Capability::SYS_ADMIN);
    assert_eq!(refuse(&cage, &own).unwrap(), last);
    let error = refuse(&Cage::default(), &own).unwrap_err().to_string();
    assert!(error.contains("CAP_SYS_ADMIN"), "{error}");
}
